// SPDX-License-Identifier: Apache-2.0
// Operators that ONNX had as experiments before opset 10 and that old converters (Core ML, Caffe2) wrote: each is
// a short composition of today's operators.
#include "onnx/upgrade.h"

#include <algorithm>

namespace fovea::onnx::rules {

namespace {

constexpr std::int64_t kMaxBorder = 1 << 30;

Result<ir::ValueId> times(Upgrade& u, std::string_view role, ir::ValueId x, double factor) {
  FOVEA_ASSIGN(const ir::ValueId constant, u.scalar_like(str_cat(role, "_factor"), factor, 0));
  return u.add("Mul", role, {x, constant});
}

Status expect_one_input(Upgrade& u) { return u.has(0) && u.node.inputs.size() == 1 ? Status() : invalid_model("expected one input"); }

}  // namespace

// alpha * x + beta
Status affine(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_one_input(u));
  const double alpha = u.take_float("alpha").value_or(1), beta = u.take_float("beta").value_or(0);
  FOVEA_ASSIGN(const ir::ValueId scaled, times(u, "scaled", u.node.inputs[0], alpha));
  FOVEA_ASSIGN(const ir::ValueId offset, u.scalar_like("beta", beta, 0));
  return u.become("Add", {scaled, offset});
}

// scale * x + bias, one bias per channel
Status image_scaler(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_one_input(u));
  const double scale = u.take_float("scale").value_or(1);
  const auto bias = u.take_floats("bias").value_or(std::vector<double>{0});
  FOVEA_ASSIGN(const ir::ValueId scaled, times(u, "scaled", u.node.inputs[0], scale));
  FOVEA_ASSIGN(const ir::ValueId per_channel, u.add("Unsqueeze", "bias", {u.floats("bias", bias), u.ints("axes", {1, 2})}));
  FOVEA_ASSIGN(const ir::ValueId typed, u.add("CastLike", "typed_bias", {per_channel, u.node.inputs[0]}));
  return u.become("Add", {scaled, typed});
}

Status scale(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_one_input(u));
  FOVEA_ASSIGN(const ir::ValueId factor, u.scalar_like("scale", u.take_float("scale").value_or(1), 0));
  return u.become("Mul", {u.node.inputs[0], factor});
}

// alpha * log(1 + exp(beta * x))
Status parametric_softplus(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_one_input(u));
  const double alpha = u.take_float("alpha").value_or(1), beta = u.take_float("beta").value_or(1);
  FOVEA_ASSIGN(const ir::ValueId inner, times(u, "inner", u.node.inputs[0], beta));
  FOVEA_ASSIGN(const ir::ValueId softplus, u.add("Softplus", "softplus", {inner}));
  FOVEA_ASSIGN(const ir::ValueId factor, u.scalar_like("alpha", alpha, 0));
  return u.become("Mul", {softplus, factor});
}

// alpha * tanh(beta * x)
Status scaled_tanh(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_one_input(u));
  const double alpha = u.take_float("alpha").value_or(1), beta = u.take_float("beta").value_or(1);
  FOVEA_ASSIGN(const ir::ValueId inner, times(u, "inner", u.node.inputs[0], beta));
  FOVEA_ASSIGN(const ir::ValueId tanh, u.add("Tanh", "tanh", {inner}));
  FOVEA_ASSIGN(const ir::ValueId factor, u.scalar_like("alpha", alpha, 0));
  return u.become("Mul", {tanh, factor});
}

// A tensor of one value. The shape is an attribute, the input's own shape, or (input_as_shape) the input's content.
Status constant_fill(Upgrade& u) {
  const double value = u.take_float("value").value_or(0);
  const auto shape = u.take_ints("shape"), extra = u.take_ints("extra_shape");
  const bool as_shape = u.take_int("input_as_shape").value_or(0) != 0;
  if (u.take_int("dtype").value_or(1) != 1) return unsupported("ConstantFill of another type than float");
  if (extra && !extra->empty()) return unsupported("ConstantFill with extra_shape");
  if (!u.has(0) && !shape) return invalid_model("expected an input or the attribute 'shape'");
  ir::ValueId target = u.has(0) ? u.node.inputs[0] : u.ints("shape", *shape);
  if (u.has(0) && !as_shape) {
    FOVEA_ASSIGN(target, u.add("Shape", "shape", {target}));
  }
  const float narrow = static_cast<float>(value);
  FOVEA_RETURN_IF_ERROR(u.become("ConstantOfShape", {target}));
  u.node.attributes.set("value", Tensor::from<float>(DataType::f32, {1}, std::span(&narrow, 1)));
  return {};
}

// DynamicSlice was Slice with inputs before Slice had them.
Status dynamic_slice(Upgrade& u) {
  u.node.op = "Slice";
  return {};
}

// Cuts border = [left, top, right, bottom] off a picture, or to scale = [height, width] from the left top border.
Status crop(Upgrade& u) {
  FOVEA_RETURN_IF_ERROR(expect_one_input(u));
  const auto border = u.take_ints("border"), size = u.take_ints("scale");
  const auto sane = [](const std::vector<std::int64_t>& v) { return std::all_of(v.begin(), v.end(), [](auto x) { return x >= 0 && x < kMaxBorder; }); };
  if (!border || border->size() != 4 || !sane(*border) || (size && !size->empty() && (size->size() != 2 || !sane(*size)))) {
    return invalid_model("Crop: expected border = [left, top, right, bottom], and scale = [height, width] or none");
  }
  const auto& b = *border;
  const bool sized = size && !size->empty();
  const auto end = [&](std::size_t start, std::size_t stop, std::size_t i) { return sized ? b[start] + (*size)[i] : b[stop] == 0 ? INT64_MAX : -b[stop]; };
  return u.become("Slice", {u.node.inputs[0], u.ints("starts", {b[1], b[0]}), u.ints("ends", {end(1, 3, 0), end(0, 2, 1)}), u.ints("axes", {2, 3})});
}

}  // namespace fovea::onnx::rules
