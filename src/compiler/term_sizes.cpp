// SPDX-License-Identifier: Apache-2.0
#include "compiler/term_sizes.h"

#include <algorithm>
#include <cmath>

#include "base/activation.h"
#include "base/layout_copy.h"
#include "base/number_reader.h"
#include "compiler/error_limit.h"
#include "compiler/pointwise_error.h"
#include "ops/deform/dcnv4.h"
#include "ops/kernel_context.h"
#include "ops/widen.h"

namespace fovea::compiler {

namespace {

/// Largest |f'|, at least 1: how much an activation enlarges the error of its argument.
double steepness(const Attributes& attributes) {
  const Activation a = Activation::from(attributes);
  switch (a.kind) {
    case ActivationKind::LeakyRelu: case ActivationKind::Elu: case ActivationKind::HardSigmoid: return std::max(1.0, std::fabs(static_cast<double>(a.alpha)));
    case ActivationKind::HardSwish: return std::max(1.0, 2 - static_cast<double>(a.beta));  // 2 alpha x + beta where alpha x + beta = 1
    case ActivationKind::Silu: return 1.0999;                                                  // at x = 2.3994
    case ActivationKind::Gelu: case ActivationKind::GeluTanh: return 1.1293;                    // at sqrt(2): 1/2 (1 + erf 1) + exp(-1) / sqrt(pi)
    case ActivationKind::Mish: return 1.0885;                                                   // at x = 1.4907
    default: return 1;
  }
}

Result<Tensor> absolute(Tensor tensor) {
  FOVEA_ASSIGN(Tensor wide, ops::widened(tensor));
  FOVEA_ASSIGN(Tensor result, wide.clone());
  if (result.type() == DataType::f32) for (float& x : result.values<float>()) x = std::fabs(x);
  if (result.type() == DataType::f64) for (double& x : result.values<double>()) x = std::fabs(x);
  return result;
}

/// The factors behind the offsets of each group, without their signs.
Status take_signs_of_factors(const Problem& problem, Tensor& tensor) {
  FOVEA_ASSIGN(const auto params, ops::Dcnv4Params::parse(problem.attributes));
  const std::int64_t points = params.points(), width = tensor.dim(tensor.rank() - 1);
  const std::int64_t first = problem.op == "custom_op::DCNv4FuseOffset_Plugin" ? params.channels() : 0;
  for (std::int64_t pixel = 0; pixel < tensor.elements() / width; ++pixel) {
    for (std::int64_t g = 0; g < params.group; ++g) {
      float* const factors = tensor.data<float>() + pixel * width + first + g * 3 * points + 2 * points;
      for (std::int64_t k = 0; k < points; ++k) factors[k] = std::fabs(factors[k]);
    }
    for (std::int64_t c = 0; c < first; ++c) tensor.data<float>()[pixel * width + c] = std::fabs(tensor.data<float>()[pixel * width + c]);
  }
  return {};
}

/// Operators that are linear in some inputs, and which; the others (positions, sizes) are left as they are.
std::optional<std::vector<int>> linear_inputs(std::string_view op) {
  if (op == "Conv" || op == "ConvTranspose" || op == "fovea::conv" || op == "MatMul" || op == "Gemm" || op == "fovea::matmul") return std::vector<int>{0, 1, 2, 3};
  if (op == "DeformConv") return std::vector<int>{0, 1, 3, 4};
  if (op == "mmdeploy::MMCVMultiScaleDeformableAttention") return std::vector<int>{0, 4};
  if (op == "AveragePool" || op == "GlobalAveragePool" || op == "ReduceSum" || op == "ReduceMean" || op == "Resize" || op == "GridSample" ||
      op == "custom_op::FlashDeformAttn" || op == "RoiAlign" || op == "mmcv::MMCVRoiAlign" || op == "custom_op::DCNv4_Plugin") {
    return std::vector<int>{0};
  }
  if (op == "ScatterElements" || op == "ScatterND") return std::vector<int>{0, 2};
  if (op == "custom_op::DCNv4FuseOffset_Plugin") return std::vector<int>{};
  return std::nullopt;
}

/// Sum of |term| behind each element, by the reference on absolute values.
Result<Tensor> sum_of_sizes(const Problem& problem, const InputReader& input, const std::vector<int>& linear, int o) {
  Attributes attributes = problem.attributes;
  if (attributes.has("activation")) attributes.set("activation", std::string("none"));
  for (const char* factor : {"scale", "beta"}) {
    if (problem.op == "fovea::matmul" && attributes.has(factor)) attributes.set(factor, std::fabs(attributes.get_float(factor)));
  }
  for (const char* factor : {"alpha", "beta"}) {
    if (problem.op == "Gemm" && attributes.has(factor)) attributes.set(factor, std::fabs(attributes.get_float(factor)));
  }
  std::vector<Datum> inputs, outputs(problem.outputs.size());
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    inputs.emplace_back();
    if (problem.inputs[i].type == DataType::undefined) continue;
    FOVEA_ASSIGN(Tensor tensor, input(static_cast<int>(i)));
    if (std::find(linear.begin(), linear.end(), static_cast<int>(i)) != linear.end()) {
      FOVEA_ASSIGN(tensor, absolute(tensor));
    } else if (is_floating(tensor.type())) {
      FOVEA_ASSIGN(tensor, ops::widened(tensor));
    }
    if (problem.op.starts_with("custom_op::DCNv4") && i == problem.inputs.size() - 1) {
      FOVEA_ASSIGN(tensor, tensor.clone());
      FOVEA_RETURN_IF_ERROR(take_signs_of_factors(problem, tensor));
    }
    inputs.back() = Datum(std::move(tensor));
  }
  ops::KernelContext context(problem.op, attributes, inputs, outputs);
  FOVEA_RETURN_IF_ERROR(ops::find_reference(problem.op)(context));
  return outputs[static_cast<std::size_t>(o)].tensor;
}

double largest(const Tensor& tensor) {
  double result = 0;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    const double x = std::fabs(read_number(tensor, i));
    if (std::isfinite(x)) result = std::max(result, x);
  }
  return result;
}

/// Largest |x| over the deviation in each row that is normalised, times |scale|, plus |bias|; rows are contiguous.
Result<std::vector<double>> normalised_sizes(const Problem& problem, const InputReader& input) {
  FOVEA_ASSIGN(const Tensor x, input(0));
  std::int64_t length = 1;
  int axis = 2;
  if (problem.op == "LayerNormalization") {
    axis = static_cast<int>(problem.attributes.get_int("axis", -1));
    if (axis < 0) axis += x.rank();
  }
  for (int i = axis; i < x.rank(); ++i) length *= x.dim(i);
  if (problem.op == "GroupNormalization") length *= x.dim(1) / std::max<std::int64_t>(1, problem.attributes.get_int("num_groups", 1));
  double scale = 1, bias = 0;
  if (problem.has_input(1)) {
    FOVEA_ASSIGN(const Tensor tensor, input(1));
    scale = largest(tensor);
  }
  if (problem.has_input(2)) {
    FOVEA_ASSIGN(const Tensor tensor, input(2));
    bias = largest(tensor);
  }
  const double epsilon = problem.attributes.get_float("epsilon", 1e-5);
  std::vector<double> sizes;
  for (std::int64_t start = 0; start + length <= x.elements(); start += length) {
    double sum = 0, squares = 0, size = 0;
    for (std::int64_t i = start; i < start + length; ++i) sum += read_number(x, i);
    const double mean = sum / static_cast<double>(length);
    for (std::int64_t i = start; i < start + length; ++i) {
      const double value = read_number(x, i);
      squares += (value - mean) * (value - mean);
      size = std::max(size, std::fabs(value));
    }
    sizes.push_back(size / std::sqrt(squares / static_cast<double>(length) + epsilon) * scale + bias);
  }
  return sizes;
}

/// Attention: an error e of a score changes its weight by e relative, so a row's mean of values by at most 2 e max|v|. A score
/// q k is off by its own sum's bound; |q k| <= |q| |k|.
Result<double> attention_limit(const Problem& problem, const InputReader& input, double bound) {
  FOVEA_ASSIGN(const Tensor q, input(0));
  FOVEA_ASSIGN(const Tensor k, input(1));
  FOVEA_ASSIGN(const Tensor v, input(2));
  const std::int64_t heads_q = q.rank() == 3 ? std::max<std::int64_t>(1, problem.attributes.get_int("q_num_heads", 1)) : 1;
  const std::int64_t heads_k = k.rank() == 3 ? std::max<std::int64_t>(1, problem.attributes.get_int("kv_num_heads", 1)) : 1;
  const auto longest = [](const Tensor& x, std::int64_t width) {
    double result = 0;
    for (std::int64_t start = 0; start + width <= x.elements(); start += width) {
      double squares = 0;
      for (std::int64_t i = start; i < start + width; ++i) squares += read_number(x, i) * read_number(x, i);
      result = std::max(result, squares);
    }
    return std::sqrt(result);
  };
  const std::int64_t width = q.dim(q.rank() - 1) / heads_q;
  const double scale = problem.attributes.get_float("scale", 1 / std::sqrt(static_cast<double>(width)));
  const double scores = std::fabs(scale) * longest(q, width) * longest(k, k.dim(k.rank() - 1) / heads_k);
  const double of_scores = relative_bound({.length = width, .steps = 3}, problem.outputs[0].type, q.elements() / width * (k.elements() / std::max<std::int64_t>(1, width)));
  return (bound + 2 * of_scores * scores) * largest(v);
}

}  // namespace

Result<Tensor> plain_copy(const TensorDesc& desc, const void* address) {
  FOVEA_ASSIGN(Tensor plain, Tensor::allocate(desc.type, desc.shape));
  FOVEA_RETURN_IF_ERROR(copy_layout(desc, address, TensorDesc::dense(desc.type, desc.shape), plain.raw()));
  return plain;
}

Result<std::optional<Tensor>> element_limits(const Problem& problem, const InputReader& input, int o, const Tensor& expected) {
  const DataType type = problem.outputs[static_cast<std::size_t>(o)].type;
  const double bound = relative_bound(error_terms(problem), type, expected.elements()), storage = 2 * unit_roundoff(type);
  FOVEA_ASSIGN(Tensor limits, Tensor::allocate(DataType::f64, expected.shape()));
  double* const limit = limits.data<double>();
  const std::int64_t count = expected.elements();
  if (const auto program = program_behind(problem)) {
    FOVEA_RETURN_IF_ERROR(running_error(*program, input, o, limits));
    return std::optional(std::move(limits));
  }
  const std::string_view op = problem.op;
  if (op == "Attention" && o == 0) {
    FOVEA_ASSIGN(const double whole, attention_limit(problem, input, bound));
    std::fill_n(limit, count, whole + storage * largest(expected));
    return std::optional(std::move(limits));
  }
  if (op == "LayerNormalization" || op == "GroupNormalization" || op == "InstanceNormalization") {
    if (o != 0) return std::optional<Tensor>();
    FOVEA_ASSIGN(const auto sizes, normalised_sizes(problem, input));
    const auto length = count / std::max<std::int64_t>(1, static_cast<std::int64_t>(sizes.size()));
    for (std::int64_t i = 0; i < count; ++i) limit[i] = (bound + storage) * sizes[static_cast<std::size_t>(i / length)];
    return std::optional(std::move(limits));
  }
  const auto linear = linear_inputs(op);
  if (!linear) return std::optional<Tensor>();
  FOVEA_ASSIGN(const Tensor sizes, sum_of_sizes(problem, input, *linear, o));
  if (!(sizes.shape() == expected.shape())) return internal_error("sizes of terms: another shape than the output");
  // A shifted position reaches its neighbours, whose values the element's own terms do not tell.
  const bool sampled = op == "GridSample" || op == "DeformConv" || op.starts_with("custom_op::") || op.starts_with("mm");
  const double steep = steepness(problem.attributes), floor = sampled ? largest(sizes) : largest(expected);
  for (std::int64_t i = 0; i < count; ++i) limit[i] = (bound * steep + storage) * std::max(read_number(sizes, i), floor);
  return std::optional(std::move(limits));
}

}  // namespace fovea::compiler
