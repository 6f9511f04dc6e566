// SPDX-License-Identifier: Apache-2.0
#include "compiler/error_limit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/activation.h"
#include "base/number_reader.h"
#include "compiler/pointwise_error.h"

namespace fovea::compiler {

namespace {

/// Operators whose outputs are elements of their inputs, beside the elementwise ones.
constexpr std::array<std::string_view, 27> kExact = {
    "Concat", "DepthToSpace", "Expand", "Flatten", "Gather", "GatherElements", "GatherND", "GlobalMaxPool", "Identity", "MaxPool", "Pad", "ReduceMax",
    "ReduceMin", "Reshape", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "TopK", "Transpose", "Unsqueeze", "fovea::batched_nms", "fovea::reorder",
    "mmcv::MMCVCornerPool", "mmcv::cummax", "mmcv::cummin"};

/// Roundings of an activation in f32, beyond those of its argument.
double activation_steps(const Attributes& attributes) {
  switch (Activation::from(attributes).kind) {
    case ActivationKind::None: case ActivationKind::Relu: case ActivationKind::Clip: return 0;
    case ActivationKind::LeakyRelu: return 1;
    case ActivationKind::HardSigmoid: return 2;
    case ActivationKind::HardSwish: return 3;
    case ActivationKind::Sigmoid: case ActivationKind::Tanh: case ActivationKind::Elu: case ActivationKind::Softplus: return kFunctionRoundings;
    case ActivationKind::Silu: case ActivationKind::Gelu: return kFunctionRoundings + 3;             // around the function: argument, product, sum
    case ActivationKind::GeluTanh: case ActivationKind::Mish: return 2 * kFunctionRoundings + 3;     // a polynomial or a softplus inside
  }
  return 0;
}

std::int64_t product(const Shape& shape, int from) {
  std::int64_t result = 1;
  for (int axis = from; axis < shape.rank(); ++axis) result *= shape[axis];
  return result;
}

/// Roundings of a sampling position, `roundings` of numbers up to the map's extents, as roundings of the sampled value: a
/// piecewise interpolation changes by at most `slope` times the largest element over the distance of two elements.
double position_steps(double roundings, double slope, std::int64_t height, std::int64_t width) {
  return roundings * slope * static_cast<double>(height + width);
}

constexpr double kLinearSlope = 2;   // |b - a| <= 2 max
/// Keys' cubic with a = -3/4: sum of the four |W'| at most 2 * 1.35 + 2 * 0.75, times sum of |W| at most 1.375 across.
constexpr double kCubicSlope = 4.2 * 1.375;

std::int64_t extent(const Problem& problem, std::size_t input, int from_end) {
  const Shape& shape = problem.inputs[input].shape;
  return shape.rank() >= from_end ? shape[shape.rank() - from_end] : 1;
}

/// Extents of the axes that a normalisation or softmax adds over.
std::int64_t extent_of_axis(const Problem& problem, bool and_following) {
  const Shape& shape = problem.inputs[0].shape;
  auto axis = static_cast<int>(problem.attributes.get_int("axis", -1));
  if (axis < 0) axis += shape.rank();
  if (axis < 0 || axis >= shape.rank()) return std::max<std::int64_t>(1, shape.elements());
  return and_following ? product(shape, axis) : shape[axis];
}

/// The longest side of the maps of multi-scale attention: no longer than the rows in which they lie.
std::int64_t longest_side(const Problem& problem) {
  if (!problem.is_constant(1)) return extent(problem, 0, 3);
  std::int64_t longest = 1;
  for (std::int64_t i = 0; i < problem.constants[1].elements(); ++i) longest = std::max(longest, static_cast<std::int64_t>(read_number(problem.constants[1], i)));
  return longest;
}

ErrorTerms sampling_terms(const Problem& problem) {
  const std::string_view op = problem.op;
  const Attributes& attributes = problem.attributes;
  // Four corners a sample: weights from two differences, their product, and the product with the value.
  constexpr double kCorners = 4;
  if (op == "GridSample") {
    const std::string mode = attributes.get_string("mode", "linear");
    if (mode == "nearest") return {.exact = true};
    const bool cubic = mode == "cubic" || mode == "bicubic";
    const int rank = problem.inputs[0].shape.rank();
    const std::int64_t taps = cubic ? 4 : 2;
    std::int64_t length = 1, extents = 0;
    for (int axis = 2; axis < rank; ++axis) length *= taps, extents += problem.inputs[0].shape[axis];
    return {.length = length, .steps = kCorners + position_steps(4, cubic ? kCubicSlope : kLinearSlope, extents, 0)};
  }
  if (op == "DeformConv") {
    const Shape& weights = problem.inputs[1].shape;
    return {.length = product(weights, 1), .steps = kCorners + 4 + 2 + position_steps(3, kLinearSlope, extent(problem, 0, 2), extent(problem, 0, 1))};
  }
  if (op.starts_with("custom_op::DCNv4")) {
    const std::int64_t taps = attributes.get_int("kh", 3) * attributes.get_int("kw", 3);
    const double softmax = attributes.get_int("softmax", 0) != 0 ? kFunctionRoundings + 3 : 0;
    return {.length = 4 * taps, .steps = kCorners + softmax + position_steps(4, kLinearSlope, extent(problem, 0, 3), extent(problem, 0, 2))};
  }
  if (op == "mmdeploy::MMCVMultiScaleDeformableAttention" || op == "custom_op::FlashDeformAttn") {
    const bool packed = op == "custom_op::FlashDeformAttn";
    const std::int64_t samples = packed ? extent(problem, 3, 1) / 3 : extent(problem, 3, 3) * extent(problem, 3, 2);
    return {.length = 4 * samples, .steps = kCorners + (packed ? kFunctionRoundings + 3 : 0) + position_steps(2, kLinearSlope, longest_side(problem), longest_side(problem))};
  }
  // RoiAlign: the mean of samples; maps are the first input or, with levels, all but the regions.
  if (attributes.get_string("mode", "avg") == "max" || attributes.get_int("pool_mode", 1) == 0) return {.length = 4, .steps = kCorners};
  std::int64_t height = 0, width = 0;
  for (const TensorDesc& input : problem.inputs) {
    if (input.shape.rank() == 4) height = std::max(height, input.shape[2]), width = std::max(width, input.shape[3]);
  }
  return {.length = 4 * height * width, .steps = kCorners + 2 + position_steps(6, kLinearSlope, height, width)};
}

}  // namespace

double unit_roundoff(DataType type) {
  switch (type) {
    case DataType::f64: return 0x1p-53;
    case DataType::f32: return 0x1p-24;
    case DataType::f16: return 0x1p-11;
    case DataType::bf16: return 0x1p-8;
    default: return 0;
  }
}

ErrorTerms error_terms(const Problem& problem) {
  const std::string_view op = problem.op;
  const Attributes& attributes = problem.attributes;
  if (std::find(kExact.begin(), kExact.end(), op) != kExact.end()) return {.exact = true};
  if (const auto program = program_behind(problem)) {
    const double steps = program_steps(*program);
    return {.exact = steps == 0, .steps = steps, .weight = 0};  // no sums
  }
  if (op == "Conv" || op == "fovea::conv") return {.length = product(problem.inputs[1].shape, 1), .steps = 2 + activation_steps(attributes)};
  if (op == "ConvTranspose") {
    const Shape& weights = problem.inputs[1].shape;
    return {.length = weights[0] / std::max<std::int64_t>(1, attributes.get_int("group", 1)) * product(weights, 2), .steps = 1};
  }
  if (op == "MatMul") return {.length = extent(problem, 0, 1)};
  if (op == "Gemm") return {.length = extent(problem, 0, attributes.get_int("transA", 0) != 0 ? 2 : 1), .steps = 3};  // alpha, beta, sum
  if (op == "fovea::matmul") {  // scale, bias, residual
    return {.length = extent(problem, 0, attributes.get_int("transA", 0) != 0 ? 2 : 1), .steps = 3 + activation_steps(attributes)};
  }
  if (op == "Softmax") return {.length = extent_of_axis(problem, false), .steps = kFunctionRoundings + 3};
  if (op == "LogSoftmax") {
    // An error of the sum is one of its logarithm; results are at least ln 2 in size where there is more than one class.
    return {.length = extent_of_axis(problem, false), .steps = (kFunctionRoundings + 3) / M_LN2 + kFunctionRoundings, .weight = 1 / M_LN2};
  }
  if (op.ends_with("Normalization")) {
    // Mean: g M. Variance: g relative, half of it after the root. Then difference, square, epsilon, root, quotient, scale, bias.
    const bool rows = op == "LayerNormalization" || op == "RMSNormalization";
    const std::int64_t groups = op == "GroupNormalization" ? attributes.get_int("num_groups", 1) : problem.inputs[0].shape.rank() > 1 ? problem.inputs[0].shape[1] : 1;
    const std::int64_t length = rows ? extent_of_axis(problem, true) : product(problem.inputs[0].shape, 1) / std::max<std::int64_t>(1, groups);
    return {.length = length, .steps = 8, .weight = 1.5};
  }
  if (op == "Attention") {
    return {.length = std::max(extent(problem, 1, 2), extent(problem, 1, 3)), .steps = kFunctionRoundings + 3, .weight = 1};
  }
  if (op == "AveragePool" || op == "GlobalAveragePool" || op.starts_with("Reduce")) {
    const std::int64_t outputs = std::max<std::int64_t>(1, problem.outputs[0].shape.elements());
    std::int64_t length = (problem.inputs[0].shape.elements() + outputs - 1) / outputs;
    if (op == "AveragePool") {
      length = 1;
      for (const std::int64_t k : attributes.get_ints("kernel_shape")) length *= k;
    }
    return {.length = length, .steps = 3};  // a square or the quotient; a root
  }
  if (op == "Resize") {
    const std::string mode = attributes.get_string("mode", "nearest");
    if (mode == "nearest") return {.exact = true};
    const int axes = problem.inputs[0].shape.rank() - 2;
    return {.length = static_cast<std::int64_t>(std::pow(mode == "cubic" ? 4 : 2, std::max(1, axes))), .steps = 2.0 * std::max(1, axes)};  // a weight and a product an axis
  }
  if (op.starts_with("Scatter")) {
    const std::string reduction = attributes.get_string("reduction", "none");
    if (reduction != "add" && reduction != "mul") return {.exact = true};
    return {.length = problem.inputs.size() > 2 ? problem.inputs[2].shape.elements() + 1 : 1};
  }
  if (op == "GridSample" || op == "DeformConv" || op.starts_with("custom_op::") || op.ends_with("DeformableAttention") || op.ends_with("RoiAlign")) return sampling_terms(problem);
  // Others: as many terms as input elements per output element, and a function around them.
  std::int64_t inputs = 0;
  for (const TensorDesc& input : problem.inputs) {
    if (input.type != DataType::undefined) inputs = std::max(inputs, input.shape.elements());
  }
  const std::int64_t outputs = std::max<std::int64_t>(1, problem.outputs.empty() ? 1 : problem.outputs[0].shape.elements());
  return {.length = std::max<std::int64_t>(1, (inputs + outputs - 1) / outputs), .steps = kFunctionRoundings + 2};
}

double relative_bound(const ErrorTerms& terms, DataType type, std::int64_t elements) {
  if (terms.exact) return 0;
  // 16-bit types are stored rounded but computed in f32.
  const double u = type == DataType::f64 ? 0x1p-53 : 0x1p-24, n = static_cast<double>(std::max<std::int64_t>(1, terms.length));
  const double worst = n * u < 1 ? n * u / (1 - n * u) : std::numeric_limits<double>::infinity();
  const double lambda = std::sqrt(2 * std::log(2 * n * static_cast<double>(std::max<std::int64_t>(1, elements)) / kFalseAlarm));
  return terms.weight * std::min(worst, std::expm1(lambda * std::sqrt(n) * u + n * u * u / (1 - u))) + terms.steps * u;
}

}  // namespace fovea::compiler
