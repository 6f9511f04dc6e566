// SPDX-License-Identifier: Apache-2.0
// InstanceNormalization as mmcv and mmdeploy rename it for TensorRT, and LayerNorm, the plugin that normalises over the
// last axis and leaves scale and bias to the nodes behind it (or takes them as inputs).
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

using ops::AttributeType;

Alias instance_norm(std::string_view name) {
  return {.form = {.name = name, .min_inputs = 3, .max_inputs = 3, .types = ops::kFloatTypes,
                   .attributes = {{.name = "epsilon", .type = AttributeType::Float, .default_text = "1e-5"}}},
          .op = "InstanceNormalization"};
}

// One number as scale; fuse_norm_affine puts the factors of the node behind it in its place.
Status translate_layer_norm(Upgrade& u) {
  if (u.has(1)) return {};
  if (u.has(2)) return invalid_model("LayerNorm: a bias without a scale");
  FOVEA_ASSIGN(const ir::ValueId one, u.scalar_like("scale", 1, 0));
  u.set_input(1, one);
  return {};
}

}  // namespace

Alias mmcv_instance_normalization() { return instance_norm("MMCVInstanceNormalization"); }
Alias trt_instance_normalization() { return instance_norm("TRTInstanceNormalization"); }

Alias layer_norm_plugin() {
  return {.form = {.name = "LayerNorm", .min_inputs = 1, .max_inputs = 3, .types = ops::kFloatTypes,
                   .attributes = {{.name = "epsilon", .type = AttributeType::Float, .default_text = "1e-5"}}},
          .op = "LayerNormalization", .translate = translate_layer_norm};
}

}  // namespace fovea::onnx::aliases
