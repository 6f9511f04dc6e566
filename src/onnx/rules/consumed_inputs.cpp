// SPDX-License-Identifier: Apache-2.0
// Opset 1-5: an in-place hint on many operators, without meaning for the result.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status drop_consumed_inputs(Upgrade& u) {
  if (u.node.op.find("::") == std::string::npos) u.node.attributes.erase("consumed_inputs");
  return {};
}

}  // namespace fovea::onnx::rules
