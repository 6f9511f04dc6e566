// SPDX-License-Identifier: Apache-2.0
// Parsing of recurrent operators: directions, activations with their constants, extents.
#include "ops/rnn/rnn_params.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::ops {

namespace {

struct ActivationSpec {
  std::string_view name;  // lower case
  ActivationKind kind;
  bool takes_alpha, takes_beta;
  double alpha, beta;  // defaults
};
constexpr ActivationSpec kActivations[] = {
    {"affine", ActivationKind::Affine, true, true, 1, 0},
    {"elu", ActivationKind::Elu, true, false, 1, 0},
    {"hardsigmoid", ActivationKind::HardSigmoid, true, true, 0.2, 0.5},
    {"leakyrelu", ActivationKind::LeakyRelu, true, false, 0.01, 0},
    {"relu", ActivationKind::Relu, false, false, 0, 0},
    {"scaledtanh", ActivationKind::ScaledTanh, true, true, 1, 1},
    {"sigmoid", ActivationKind::Sigmoid, false, false, 0, 0},
    {"softplus", ActivationKind::Softplus, false, false, 0, 0},
    {"softsign", ActivationKind::Softsign, false, false, 0, 0},
    {"tanh", ActivationKind::Tanh, false, false, 0, 0},
    {"thresholdedrelu", ActivationKind::ThresholdedRelu, true, false, 1, 0},
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

/// alpha and beta are lists without gaps: each function that takes one consumes the next.
Result<std::vector<Activation>> parse_activations(const RnnKind& kind, const Attributes& attributes, int directions) {
  const std::size_t each = kind.activations.size(), wanted = each * static_cast<std::size_t>(directions);
  std::vector<std::string> names = attributes.get_strings("activations");
  if (names.empty()) names.assign(kind.activations.begin(), kind.activations.end());
  if (names.size() < wanted) {
    if (names.size() != each) return invalid_model("activations: expected ", wanted, " names, found ", names.size());
    const std::vector<std::string> once = names;
    names.insert(names.end(), once.begin(), once.end());
  }
  names.resize(wanted);  // the standard's own default for RNN has one too many
  const std::vector<double> alphas = attributes.get_floats("activation_alpha"), betas = attributes.get_floats("activation_beta");
  std::size_t next_alpha = 0, next_beta = 0;
  std::vector<Activation> activations;
  for (const std::string& name : names) {
    const std::string key = lower(name);
    const auto spec = std::find_if(std::begin(kActivations), std::end(kActivations), [&](const ActivationSpec& s) { return s.name == key; });
    if (spec == std::end(kActivations)) return invalid_model("activations: '", name, "' is not known");
    Activation activation{spec->kind, spec->alpha, spec->beta};
    if (spec->takes_alpha && next_alpha < alphas.size()) activation.alpha = alphas[next_alpha++];
    if (spec->takes_beta && next_beta < betas.size()) activation.beta = betas[next_beta++];
    activations.push_back(activation);
  }
  return activations;
}

Status check_shape(const char* what, const Tensor& tensor, const Shape& expected) {
  if (!tensor.defined() || tensor.shape() == expected) return {};
  return invalid_argument(what, ": expected ", expected.to_string(), ", found ", tensor.shape().to_string());
}

}  // namespace

double Activation::operator()(double x) const {
  switch (kind) {
    case ActivationKind::Relu: return x > 0 ? x : 0;
    case ActivationKind::Tanh: return std::tanh(x);
    case ActivationKind::Sigmoid: return 1 / (1 + std::exp(-x));
    case ActivationKind::Affine: return alpha * x + beta;
    case ActivationKind::LeakyRelu: return x >= 0 ? x : alpha * x;
    case ActivationKind::ThresholdedRelu: return x >= alpha ? x : 0;
    case ActivationKind::ScaledTanh: return alpha * std::tanh(beta * x);
    case ActivationKind::HardSigmoid: return std::clamp(alpha * x + beta, 0.0, 1.0);
    case ActivationKind::Elu: return x >= 0 ? x : alpha * std::expm1(x);
    case ActivationKind::Softsign: return x / (1 + std::abs(x));
    case ActivationKind::Softplus: return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  }
  return x;
}

const RnnKind& rnn_kind(std::string_view op) {
  static const RnnKind kinds[] = {{"RNN", 1, {"Tanh"}}, {"GRU", 3, {"Sigmoid", "Tanh"}}, {"LSTM", 4, {"Sigmoid", "Tanh", "Tanh"}}};
  const auto found = std::find_if(std::begin(kinds), std::end(kinds), [&](const RnnKind& kind) { return kind.op == op; });
  FOVEA_CHECK(found != std::end(kinds));
  return *found;
}

Result<RnnParams> RnnParams::parse(const RnnKind& kind, const Attributes& attributes) {
  RnnParams params;
  const std::string direction = attributes.get_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    return invalid_model("direction: expected forward, reverse or bidirectional, found '", direction, "'");
  }
  params.forward = direction != "reverse";
  params.backward = direction != "forward";
  const std::int64_t layout = attributes.get_int("layout", 0);
  if (layout != 0 && layout != 1) return invalid_model("layout: expected 0 or 1, found ", layout);
  params.batch_first = layout == 1;
  params.linear_before_reset = attributes.get_int("linear_before_reset", 0) != 0;
  params.input_forget = attributes.get_int("input_forget", 0) != 0;
  params.clip = attributes.get_float("clip", std::numeric_limits<double>::infinity());
  if (!(params.clip >= 0)) return invalid_model("clip: expected a number of 0 or more, found ", params.clip);
  params.hidden = attributes.get_int("hidden_size", 0);
  if (params.hidden < 0 || params.hidden > INT32_MAX) return invalid_model("hidden_size: expected a number in 1..", INT32_MAX, ", found ", params.hidden);
  FOVEA_ASSIGN(params.activations, parse_activations(kind, attributes, params.directions()));
  return params;
}

Result<RnnExtents> RnnExtents::check(const RnnKind& kind, const RnnParams& params, const Tensor& x, const Tensor& w, const Tensor& r,
                                     const Tensor& b, const Tensor& lengths, const Tensor& initial_h, const Tensor& initial_c, const Tensor& p) {
  if (x.rank() != 3) return invalid_argument("X: expected rank 3, found ", x.shape().to_string());
  if (r.rank() != 3) return invalid_argument("R: expected rank 3, found ", r.shape().to_string());
  const RnnExtents extents{.steps = x.dim(params.batch_first ? 1 : 0), .batch = x.dim(params.batch_first ? 0 : 1), .input = x.dim(2), .hidden = r.dim(2)};
  const std::int64_t directions = params.directions(), rows = kind.gates * std::min<std::int64_t>(extents.hidden, INT32_MAX);
  if (params.hidden != 0 && params.hidden != extents.hidden) {
    return invalid_argument("hidden_size: ", params.hidden, ", but R is ", r.shape().to_string());
  }
  FOVEA_RETURN_IF_ERROR(check_shape("R", r, {directions, rows, extents.hidden}));
  FOVEA_RETURN_IF_ERROR(check_shape("W", w, {directions, rows, extents.input}));
  FOVEA_RETURN_IF_ERROR(check_shape("B", b, {directions, 2 * rows}));
  FOVEA_RETURN_IF_ERROR(check_shape("sequence_lens", lengths, {extents.batch}));
  FOVEA_RETURN_IF_ERROR(check_shape("initial_h", initial_h, extents.state_shape(params)));
  FOVEA_RETURN_IF_ERROR(check_shape("initial_c", initial_c, extents.state_shape(params)));
  FOVEA_RETURN_IF_ERROR(check_shape("P", p, {directions, 3 * extents.hidden}));
  if (lengths.defined()) {
    if (lengths.type() != DataType::i32) return invalid_argument("sequence_lens: expected i32, found ", name(lengths.type()));
    for (std::int32_t length : lengths.values<std::int32_t>()) {
      if (length < 0 || length > extents.steps) return invalid_argument("sequence_lens: ", length, " is outside 0..", extents.steps);
    }
  }
  return extents;
}

Shape RnnExtents::output_shape(const RnnParams& params) const {
  return params.batch_first ? Shape{batch, steps, params.directions(), hidden} : Shape{steps, params.directions(), batch, hidden};
}

Shape RnnExtents::state_shape(const RnnParams& params) const {
  return params.batch_first ? Shape{batch, params.directions(), hidden} : Shape{params.directions(), batch, hidden};
}

}  // namespace fovea::ops
