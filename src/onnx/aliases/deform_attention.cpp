// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention as mmcv, mmdeploy, TensorRT and DCNv4 export it.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

using ops::AttributeSpec;

constexpr std::string_view kOperator = "mmdeploy::MMCVMultiScaleDeformableAttention";
constexpr AttributeSpec kStep = {.name = "im2col_step", .default_text = "no effect on the result"};

Status drop_step(Upgrade& u) {
  u.take_int("im2col_step");
  return {};
}

Alias mmcv_form(std::string_view name) {
  return {.form = {.name = name, .min_inputs = 5, .max_inputs = 5, .types = ops::kFloatTypes, .attributes = {kStep}}, .op = kOperator, .translate = drop_step};
}

// The same with the heads kept apart: [N,Q,M,D] instead of [N,Q,M*D].
Status keep_heads_apart(Upgrade& u) {
  Attributes heads, join;
  heads.set("start", std::int64_t{2});
  heads.set("end", std::int64_t{4});
  FOVEA_ASSIGN(const ir::ValueId head, u.add("Shape", "head", {u.node.inputs[0]}, heads));
  join.set("axis", std::int64_t{0});
  FOVEA_ASSIGN(const ir::ValueId shape, u.add("Concat", "shape", {u.ints("kept", {0, 0}), head}, join));
  const ir::ValueId apart = u.detach_output(0);
  u.add_after("Reshape", {u.node.outputs[0], shape}, apart);
  return drop_step(u);
}

Alias flash_form(std::string_view name) {
  return {.form = {.name = name, .min_inputs = 4, .max_inputs = 4, .types = ops::kFloatTypes,
                   .attributes = {{.name = "points", .required = true}, {.name = "softmax", .default_text = "1"}, kStep}},
          .op = "custom_op::FlashDeformAttn", .translate = drop_step};
}

}  // namespace

Alias mmcv_deform_attention() { return mmcv_form("MMCVMultiScaleDeformableAttention"); }

Alias mmcv_deform_attention_module() { return mmcv_form("MultiScaleDeformableAttention"); }

Alias mmcv_ms_deform_attn() { return mmcv_form("ms_deform_attn"); }

Alias tensorrt_deform_attention() {
  Alias alias = mmcv_form("MultiscaleDeformableAttnPlugin_TRT");
  alias.translate = keep_heads_apart;
  return alias;
}

Alias flash_deform_attention() { return flash_form("FlashDeformAttn"); }

Alias flash_deform_attention_plugin() { return flash_form("FlashDeformAttn_Plugin"); }

}  // namespace fovea::onnx::aliases
