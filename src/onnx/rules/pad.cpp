// SPDX-License-Identifier: Apache-2.0
// Pad before opset 11: pads (before opset 2 called paddings) and value were attributes.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status pad_inputs(Upgrade& u) {
  const auto paddings = u.take_ints("paddings");
  const auto pads = paddings ? paddings : u.take_ints("pads");
  if (!pads || !u.has(0)) return invalid_model("attribute 'pads' or input 0 is missing");
  u.set_input(1, u.ints("pads", *pads));
  if (const auto value = u.take_float("value"); value && *value != 0) {
    FOVEA_ASSIGN(const ir::ValueId fill, u.scalar_like("value", *value, 0));
    u.set_input(2, fill);
  }
  return {};
}

}  // namespace fovea::onnx::rules
