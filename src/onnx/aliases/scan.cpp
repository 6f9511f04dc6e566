// SPDX-License-Identifier: Apache-2.0
// cummax and cummin as mmcv exports them, in whatever domain.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

Alias running_extreme(std::string_view name, std::string_view op) {
  return {.form = {.name = name, .max_outputs = 2, .types = ops::kNumericTypes, .attributes = {{.name = "dim", .default_text = "0"}}}, .op = op};
}

}  // namespace

Alias cum_max() { return running_extreme("cummax", "mmcv::cummax"); }
Alias cum_min() { return running_extreme("cummin", "mmcv::cummin"); }

}  // namespace fovea::onnx::aliases
