// SPDX-License-Identifier: Apache-2.0
#include "runtime/work_estimate.h"

namespace fovea {

Work estimate_work(std::string_view op, const Attributes& attributes, std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) {
  Work work;
  for (const TensorDesc& desc : inputs) work.bytes += static_cast<double>(desc.shape.elements()) * static_cast<double>(size_of(desc.type));
  for (const TensorDesc& desc : outputs) work.bytes += static_cast<double>(desc.shape.elements()) * static_cast<double>(size_of(desc.type));
  if (inputs.size() < 2 || outputs.empty() || inputs[1].type == DataType::undefined) {
    if (!outputs.empty()) work.flops = static_cast<double>(outputs[0].shape.elements());
    return work;
  }
  const auto elements = [](const TensorDesc& desc) { return static_cast<double>(desc.shape.elements()); };
  const Shape& weights = inputs[1].shape;
  if (op == "Conv" || op == "fovea::conv" || op == "ConvInteger" || op == "QLinearConv" || op == "DeformConv") {
    // Each output element sums ic/g * kh * kw products: the weights per output channel.
    work.flops = weights.rank() > 0 && weights[0] > 0 ? 2 * elements(outputs[0]) * elements(inputs[1]) / static_cast<double>(weights[0]) : 0;
  } else if (op == "ConvTranspose") {
    // Each input element is spread over oc/g * kh * kw places.
    work.flops = weights.rank() > 0 && weights[0] > 0 ? 2 * elements(inputs[0]) * elements(inputs[1]) / static_cast<double>(weights[0]) : 0;
  } else if (op == "MatMul" || op == "Gemm" || op == "fovea::matmul") {
    const Shape& left = inputs[0].shape;
    const bool transposed = op == "Gemm" && attributes.get_int("transA", 0) != 0;
    if (left.rank() > 0) work.flops = 2 * elements(outputs[0]) * static_cast<double>(left[transposed ? 0 : left.rank() - 1]);
  } else {
    work.flops = elements(outputs[0]);
  }
  return work;
}

}  // namespace fovea
