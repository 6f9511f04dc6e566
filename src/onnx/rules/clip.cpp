// SPDX-License-Identifier: Apache-2.0
// Clip before opset 11: bounds were attributes.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status clip_bounds(Upgrade& u) {
  const auto low = u.take_float("min"), high = u.take_float("max");
  if (!u.has(0)) return invalid_model("input 0 is missing");
  if (low) {
    FOVEA_ASSIGN(const ir::ValueId value, u.scalar_like("min", *low, 0));
    u.set_input(1, value);
  }
  if (high) {
    FOVEA_ASSIGN(const ir::ValueId value, u.scalar_like("max", *high, 0));
    u.set_input(2, value);
  }
  return {};
}

}  // namespace fovea::onnx::rules
