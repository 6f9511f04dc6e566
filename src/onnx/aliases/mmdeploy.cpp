// SPDX-License-Identifier: Apache-2.0
// Plugins of mmdeploy that stand for a few ordinary operators.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

using ops::AttributeType;

Attributes one(std::string_view name, AttributeValue value) {
  Attributes attributes;
  attributes.set(std::string(name), std::move(value));
  return attributes;
}

// data [A.., G, C..], indices [A.., K] -> [A.., K, C..]: the leading axes A belong together.
Status translate_gather_topk(Upgrade& u) {
  const auto rank = u.rank(1);
  if (!rank || *rank < 1) return unsupported("GatherTopk: the rank of the indices must be known and above 0");
  FOVEA_ASSIGN(const ir::ValueId wide, u.add("Cast", "indices", {u.node.inputs[1]}, one("to", std::int64_t{7})));
  FOVEA_ASSIGN(const ir::ValueId tuples, u.add("Unsqueeze", "tuples", {wide, u.ints("axis", {-1})}));
  u.set_input(1, tuples);
  u.node.attributes.set("batch_dims", std::int64_t{*rank - 1});
  return {};
}

/// 0, 1, .. below the first extent of input `i`, in the type of the anchors, shaped [n,1,1,1] or [1,n,1,1].
Result<ir::ValueId> positions(Upgrade& u, int i, const std::string& role, const std::vector<std::int64_t>& axes) {
  Attributes first = one("start", std::int64_t{0});
  first.set("end", std::int64_t{1});
  FOVEA_ASSIGN(const ir::ValueId extent,
               u.add("Shape", role + "_extent", {u.node.inputs[static_cast<std::size_t>(i)]}, std::move(first)));
  FOVEA_ASSIGN(const ir::ValueId count, u.add("Squeeze", role + "_count", {extent, u.ints(role + "_axis", {0})}));
  FOVEA_ASSIGN(
      const ir::ValueId range,
      u.add("Range", role + "_range", {u.scalar_int(role + "_from", 0), count, u.scalar_int(role + "_step", 1)}));
  FOVEA_ASSIGN(const ir::ValueId like, u.add("CastLike", role, {range, u.node.inputs[0]}));
  return u.add("Unsqueeze", role + "_grid", {like, u.ints(role + "_axes", axes)});
}

// base_anchors [A,4] moved to every cell of a grid whose extents are those of two other inputs: [h * w * A, 4]
Status translate_grid_priors(Upgrade& u) {
  const auto stride_h = u.take_int("stride_h"), stride_w = u.take_int("stride_w");
  FOVEA_ASSIGN(const ir::ValueId rows, positions(u, 1, "rows", {1, 2, 3}));
  FOVEA_ASSIGN(const ir::ValueId columns, positions(u, 2, "columns", {0, 2, 3}));
  const auto step = [&](const char* role, double x, double y) { return u.floats(role, {x, y, x, y}); };
  FOVEA_ASSIGN(const ir::ValueId down,
               u.add("Mul", "down", {rows, step("stride_y", 0, static_cast<double>(*stride_h))}));
  FOVEA_ASSIGN(const ir::ValueId across,
               u.add("Mul", "across", {columns, step("stride_x", static_cast<double>(*stride_w), 0)}));
  FOVEA_ASSIGN(const ir::ValueId moved, u.add("Add", "moves", {down, across}));
  FOVEA_ASSIGN(const ir::ValueId anchors, u.add("Add", "anchors", {moved, u.node.inputs[0]}));
  u.node.inputs = {anchors, u.ints("shape", {-1, 4})};
  return {};
}

// q, k, v, mask -> softmax(q k^T + mask) v, and the weights; q comes scaled
Status translate_attention(Upgrade& u) {
  FOVEA_ASSIGN(const ir::ValueId turned,
               u.add("Transpose", "keys", {u.node.inputs[1]}, one("perm", std::vector<std::int64_t>{0, 2, 1})));
  FOVEA_ASSIGN(ir::ValueId scores, u.add("MatMul", "scores", {u.node.inputs[0], turned}));
  if (u.has(3)) {
    FOVEA_ASSIGN(scores, u.add("Add", "masked", {scores, u.node.inputs[3]}));
  }
  FOVEA_ASSIGN(const ir::ValueId weights, u.add("Softmax", "weights", {scores}, one("axis", std::int64_t{-1})));
  u.node.inputs = {weights, u.node.inputs[2]};
  if (u.node.outputs.size() > 1) {
    if (u.node.outputs[1] != ir::kNone) u.add_after("Identity", {weights}, u.node.outputs[1]);
    u.node.outputs.resize(1);
  }
  return {};
}

Status translate_bicubic(Upgrade& u) {
  auto scale = u.take_floats("scale_factor").value_or(std::vector<double>());
  if (scale.size() == 1) scale.push_back(scale[0]);
  if (scale.size() != 2 || !(scale[0] > 0 && scale[1] > 0))
    return invalid_model("scale_factor: expected 1 or 2 numbers above 0 (height, width), found ", scale.size());
  const bool corners = u.take_int("align_corners").value_or(0) != 0;
  u.node.inputs.resize(1);
  u.set_input(2, u.floats("scales", {1, 1, scale[0], scale[1]}));
  u.node.attributes.set("mode", std::string("cubic"));
  u.node.attributes.set("cubic_coeff_a", -0.75);
  u.node.attributes.set("coordinate_transformation_mode", std::string(corners ? "align_corners" : "half_pixel"));
  return {};
}

}  // namespace

Alias mmdeploy_attention() {
  return {.form = {.name = "ScaledDotProductAttentionTRT",
                   .min_inputs = 3,
                   .max_inputs = 4,
                   .max_outputs = 2,
                   .types = ops::kFloatTypes},
          .op = "MatMul",
          .translate = translate_attention};
}

Alias mmdeploy_bicubic() {
  return {.form = {.name = "TRTBicubicInterpolate",
                   .max_inputs = 2,
                   .types = ops::kFloatTypes,
                   .attributes = {{.name = "scale_factor", .type = AttributeType::Floats, .required = true},
                                  {.name = "align_corners", .default_text = "0"}}},
          .op = "Resize",
          .translate = translate_bicubic};
}

Alias mmdeploy_gather_topk() {
  return {.form = {.name = "GatherTopk", .min_inputs = 2, .max_inputs = 2},
          .op = "GatherND",
          .translate = translate_gather_topk};
}

Alias mmdeploy_grid_priors() {
  return {.form = {.name = "GridPriorsTRT",
                   .min_inputs = 3,
                   .max_inputs = 3,
                   .types = ops::types(DataType::f32),
                   .attributes = {{.name = "stride_h", .required = true}, {.name = "stride_w", .required = true}}},
          .op = "Reshape",
          .translate = translate_grid_priors};
}

}  // namespace fovea::onnx::aliases
