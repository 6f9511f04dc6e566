// SPDX-License-Identifier: Apache-2.0
// The quantised operators of the domain com.microsoft, which ONNX Runtime's quantisation tool writes: each is
// DequantizeLinear on its inputs, the plain operator, QuantizeLinear on its result. Passes may join the three again.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

namespace {

// Scales are often stored as [1], which is meant per tensor.
ir::ValueId scalar(Upgrade& u, ir::ValueId id) {
  if (id == ir::kNone) return id;
  const ir::Value& value = u.graph().value(id);
  if (!value.is_constant() || value.constant.rank() != 1 || value.constant.elements() != 1) return id;
  const Tensor flat = value.constant.reshaped(Shape());
  return u.graph().add_constant(value.name, flat);
}

// Inputs first, first + 1 and first + 2 are quantised values, their scale and zero point.
Result<ir::ValueId> real(Upgrade& u, std::string_view role, std::size_t first, std::int64_t axis = 1) {
  if (u.input(first) == ir::kNone || u.input(first + 1) == ir::kNone) return invalid_model("input ", first, " or its scale is missing");
  std::vector<ir::ValueId> inputs = {u.input(first), scalar(u, u.input(first + 1))};
  if (u.input(first + 2) != ir::kNone) inputs.push_back(scalar(u, u.input(first + 2)));
  Attributes attributes;
  attributes.set("axis", axis);
  return u.add("DequantizeLinear", role, std::move(inputs), std::move(attributes));
}

// Makes the node itself the last step: `value` quantised by the inputs `scale` and scale + 1.
Status quantized(Upgrade& u, ir::ValueId value, std::size_t scale) {
  if (u.input(scale) == ir::kNone) return invalid_model("the scale of the output (input ", scale, ") is missing");
  const ir::ValueId zero_point = scalar(u, u.input(scale + 1));
  u.node.inputs = {value, scalar(u, u.input(scale))};
  if (zero_point != ir::kNone) u.node.inputs.push_back(zero_point);
  u.node.op = "QuantizeLinear";
  u.node.attributes = Attributes();
  return {};
}

std::string plain_name(const Upgrade& u) { return u.node.op.substr(u.node.op.rfind(':') + 1 + std::string_view("QLinear").size()); }

Status expect_channels_first(Upgrade& u) {
  return u.take_int("channels_last").value_or(0) == 0 ? Status() : unsupported("channels_last = 1");
}

}  // namespace

// QLinearAdd, QLinearMul: A, scale, zero point, B, scale, zero point, C's scale and zero point
Status qlinear_binary(Upgrade& u) {
  FOVEA_ASSIGN(const ir::ValueId a, real(u, "a", 0));
  FOVEA_ASSIGN(const ir::ValueId b, real(u, "b", 3));
  FOVEA_ASSIGN(const ir::ValueId result, u.add(plain_name(u), "real", {a, b}));
  return quantized(u, result, 6);
}

// QLinearSigmoid, LeakyRelu, AveragePool, GlobalAveragePool: X, scale, zero point, Y's scale and zero point
Status qlinear_unary(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_channels_first(u));
  FOVEA_ASSIGN(const ir::ValueId x, real(u, "x", 0));
  FOVEA_ASSIGN(const ir::ValueId result, u.add(plain_name(u), "real", {x}, u.node.attributes));
  return quantized(u, result, 3);
}

Status qlinear_reduce_mean(Upgrade& u) {
  FOVEA_ASSIGN(const ir::ValueId x, real(u, "x", 0));
  std::vector<ir::ValueId> inputs = {x};
  if (const auto axes = u.take_ints("axes"); axes && !axes->empty()) inputs.push_back(u.ints("axes", *axes));
  FOVEA_ASSIGN(const ir::ValueId result, u.add("ReduceMean", "real", std::move(inputs), u.node.attributes));
  return quantized(u, result, 3);
}

Status qlinear_softmax(Upgrade& u) {
  const std::int64_t opset = u.take_int("opset").value_or(13), axis = u.take_int("axis").value_or(-1);
  const auto rank = u.rank(0);
  if (opset < 13 && axis != -1 && (!rank || axis != *rank - 1)) return unsupported("axes flattened before the softmax (opset ", opset, ")");
  FOVEA_ASSIGN(const ir::ValueId x, real(u, "x", 0));
  Attributes attributes;
  attributes.set("axis", axis);
  FOVEA_ASSIGN(const ir::ValueId result, u.add("Softmax", "real", {x}, std::move(attributes)));
  return quantized(u, result, 3);
}

// Y's scale and zero point, then value, scale, zero point of each part
Status qlinear_concat(Upgrade& u) {
  if (u.node.inputs.size() < 5 || (u.node.inputs.size() - 2) % 3 != 0) return invalid_model("expected 2 + 3 * n inputs, found ", u.node.inputs.size());
  std::vector<ir::ValueId> parts;
  for (std::size_t i = 2; i < u.node.inputs.size(); i += 3) {
    FOVEA_ASSIGN(const ir::ValueId part, real(u, str_cat("part_", parts.size()), i));
    parts.push_back(part);
  }
  FOVEA_ASSIGN(const ir::ValueId result, u.add("Concat", "real", std::move(parts), u.node.attributes));
  return quantized(u, result, 0);
}

// condition, X and its scale and zero point, Y's, Z's scale and zero point
Status qlinear_where(Upgrade& u) {
  FOVEA_ASSIGN(const ir::ValueId x, real(u, "x", 1));
  FOVEA_ASSIGN(const ir::ValueId y, real(u, "y", 4));
  FOVEA_ASSIGN(const ir::ValueId result, u.add("Where", "real", {u.input(0), x, y}));
  return quantized(u, result, 7);
}

// A and B with scale and zero point, C (i32, in units of a_scale * b_scale), and Y's scale and zero point or none: then
// Y stays real. B may have a scale per column.
Status qgemm(Upgrade& u) {
  const bool transposed = u.node.attributes.get_int("transB") != 0;
  FOVEA_ASSIGN(const ir::ValueId a, real(u, "a", 0));
  FOVEA_ASSIGN(const ir::ValueId b, real(u, "b", 3, transposed ? 0 : 1));
  std::vector<ir::ValueId> inputs = {a, b};
  if (u.input(6) != ir::kNone) {
    FOVEA_ASSIGN(const ir::ValueId unit, u.add("Mul", "c_unit", {scalar(u, u.input(1)), scalar(u, u.input(4))}));
    FOVEA_ASSIGN(const ir::ValueId whole, u.add("CastLike", "c_real", {u.input(6), unit}));
    FOVEA_ASSIGN(const ir::ValueId c, u.add("Mul", "c", {whole, unit}));
    inputs.push_back(c);
  }
  Attributes attributes = u.node.attributes;
  attributes.set("beta", attributes.get_float("alpha", 1));  // alpha scales C's unit too
  if (u.input(7) == ir::kNone) {
    u.node.op = "Gemm";
    u.node.inputs = std::move(inputs);
    u.node.attributes = std::move(attributes);
    return {};
  }
  FOVEA_ASSIGN(const ir::ValueId result, u.add("Gemm", "real", std::move(inputs), std::move(attributes)));
  return quantized(u, result, 7);
}

Status microsoft_qlinear_conv(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_channels_first(u));
  u.node.op = "QLinearConv";
  return {};
}

}  // namespace fovea::onnx::rules
