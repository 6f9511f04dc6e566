// SPDX-License-Identifier: Apache-2.0
#include "compiler/error_limit.h"

#include <algorithm>

namespace fovea::compiler {

std::int64_t reduction_length(const Problem& problem) {
  const std::string_view op = problem.op;
  const auto extent = [&](int input, int axis) { return problem.inputs[static_cast<std::size_t>(input)].shape[axis]; };
  if ((op == "Conv" || op == "fovea::conv" || op == "ConvInteger" || op == "DeformConv") && problem.has_input(1)) {
    const Shape& weights = problem.inputs[1].shape;
    std::int64_t terms = 1;
    for (int axis = 1; axis < weights.rank(); ++axis) terms *= weights[axis];
    return terms;
  }
  if (op == "ConvTranspose" && problem.has_input(1)) {
    const Shape& weights = problem.inputs[1].shape;
    std::int64_t terms = weights[0] / std::max<std::int64_t>(1, problem.attributes.get_int("group", 1));
    for (int axis = 2; axis < weights.rank(); ++axis) terms *= weights[axis];
    return terms;
  }
  if ((op == "MatMul" || op == "Gemm" || op == "fovea::matmul") && problem.inputs[0].shape.rank() > 0) {
    const bool transposed = op == "Gemm" && problem.attributes.get_int("transA", 0) != 0;
    return extent(0, transposed ? 0 : problem.inputs[0].shape.rank() - 1);
  }
  if (op == "mmdeploy::MMCVMultiScaleDeformableAttention") return 4 * extent(3, 3) * extent(3, 4);
  if (op == "custom_op::FlashDeformAttn") return 4 * extent(3, 3) / 3;
  if (op == "custom_op::DCNv4_Plugin" || op == "custom_op::DCNv4FuseOffset_Plugin") {
    return 4 * problem.attributes.get_int("kh", 3) * problem.attributes.get_int("kw", 3);  // four corners of each point
  }
  if (problem.outputs.empty() || !problem.has_input(0)) return 1;
  std::int64_t inputs = 0;
  for (const TensorDesc& input : problem.inputs) {
    if (input.type != DataType::undefined) inputs = std::max(inputs, input.shape.elements());
  }
  const std::int64_t outputs = std::max<std::int64_t>(1, problem.outputs[0].shape.elements());
  // Norms and softmax keep the shape but add up along rows: count the longest axis.
  std::int64_t longest = 1;
  if (op == "Softmax" || op == "LogSoftmax" || op.ends_with("Normalization") || op == "Attention" || op == "fovea::attention") {
    for (const std::int64_t e : problem.inputs[0].shape) longest = std::max(longest, e);
  }
  return std::max({std::int64_t{1}, longest, (inputs + outputs - 1) / outputs});
}

double error_limit(DataType type, std::int64_t reduction) {
  double roundoff = 0x1p-24;
  if (type == DataType::f64) roundoff = 0x1p-53;
  if (type == DataType::f16) roundoff = 0x1p-11;
  if (type == DataType::bf16) roundoff = 0x1p-8;
  // 16-bit types are stored rounded but added up in f32.
  const double sum = type == DataType::f64 ? 0x1p-53 : 0x1p-24;
  // Relative to the outputs' range; sums whose terms cancel have terms larger than their result.
  return 32 * roundoff + static_cast<double>(reduction) * sum;
}

}  // namespace fovea::compiler
