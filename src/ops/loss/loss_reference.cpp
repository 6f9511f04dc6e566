// SPDX-License-Identifier: Apache-2.0
// NegativeLogLikelihoodLoss: loss[n, d] = -weight[label] * x[n, label, d]; ignored labels count nothing; "mean" divides
// by the sum of the weights that counted. SoftmaxCrossEntropyLoss: the same on log(softmax(x)) over the classes.
#include <cmath>

#include "ops/wide.h"

namespace fovea::ops {

namespace {

Status likelihood_loss(KernelContext& context, const Tensor& log_prob) {
  const Tensor& labels = context.input(1);
  if (log_prob.rank() < 2 || labels.rank() != log_prob.rank() - 1) {
    return invalid_argument(context.op(), ": expected scores [n, c, ...] and labels [n, ...], found ", log_prob.shape().to_string(), " and ", labels.shape().to_string());
  }
  for (int axis = 0; axis < labels.rank(); ++axis) {
    if (labels.dim(axis) != log_prob.dim(axis == 0 ? 0 : axis + 1)) {
      return invalid_argument(context.op(), ": labels ", labels.shape().to_string(), " do not fit scores ", log_prob.shape().to_string());
    }
  }
  const std::int64_t classes = log_prob.dim(1), samples = log_prob.dim(0);
  const std::int64_t positions = samples == 0 ? 0 : labels.elements() / samples;
  FOVEA_ASSIGN(const Tensor label, cast_tensor(labels, DataType::i64, context.op()));
  Tensor weight;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(weight, widen(context, 2));
    if (weight.elements() != classes) return invalid_argument(context.op(), ": expected ", classes, " weights, found ", weight.shape().to_string());
  }
  const bool ignores = context.attributes().has("ignore_index");
  const std::int64_t ignored = context.attributes().get_int("ignore_index");
  FOVEA_ASSIGN(Tensor loss, Tensor::allocate(DataType::f64, labels.shape()));
  double sum = 0, weights = 0;
  for (std::int64_t i = 0; i < labels.elements(); ++i) {
    const std::int64_t c = label.data<std::int64_t>()[i];
    if (ignores && c == ignored) continue;
    if (c < 0 || c >= classes) return invalid_argument(context.op(), ": label ", c, " is outside 0..", classes - 1);
    const double w = weight.defined() ? weight.data<double>()[c] : 1;
    const double value = -w * log_prob.data<double>()[(i / positions * classes + c) * positions + i % positions];
    loss.data<double>()[i] = value;
    sum += value;
    weights += w;
  }
  const std::string reduction = context.attributes().get_string("reduction", "mean");
  if (reduction == "none") return store(context, 0, context.input(0).type(), loss);
  FOVEA_ASSIGN(Tensor scalar, Tensor::allocate(DataType::f64, {}));
  scalar.data<double>()[0] = reduction == "sum" ? sum : sum / weights;
  return store(context, 0, context.input(0).type(), scalar);
}

}  // namespace

Status negative_log_likelihood_loss_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  return likelihood_loss(context, x);
}

Status softmax_cross_entropy_loss_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor x, widen(context, 0));
  FOVEA_ASSIGN(Tensor log_prob, Tensor::allocate(DataType::f64, x.shape()));
  FOVEA_ASSIGN(const AxisSplit split, split_at(context.op(), x.shape(), 1));
  for (std::int64_t o = 0; o < split.outer; ++o) {
    for (std::int64_t i = 0; i < split.inner && split.extent > 0; ++i) {
      const std::int64_t start = o * split.extent * split.inner + i;
      double largest = x.data<double>()[start], sum = 0;
      for (std::int64_t c = 1; c < split.extent; ++c) largest = std::max(largest, x.data<double>()[start + c * split.inner]);
      for (std::int64_t c = 0; c < split.extent; ++c) sum += std::exp(x.data<double>()[start + c * split.inner] - largest);
      for (std::int64_t c = 0; c < split.extent; ++c) {
        log_prob.data<double>()[start + c * split.inner] = x.data<double>()[start + c * split.inner] - largest - std::log(sum);
      }
    }
  }
  if (context.num_outputs() > 1) FOVEA_RETURN_IF_ERROR(store(context, 1, context.input(0).type(), log_prob));
  return likelihood_loss(context, log_prob);
}

}  // namespace fovea::ops
