// SPDX-License-Identifier: Apache-2.0
// Squeeze, Unsqueeze and the reductions: the attribute `axes` became the second input.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status axes_to_input(Upgrade& u) {
  if (const auto axes = u.take_ints("axes"); axes && !axes->empty()) u.set_input(1, u.ints("axes", *axes));
  return {};
}

}  // namespace fovea::onnx::rules
