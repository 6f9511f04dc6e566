// SPDX-License-Identifier: Apache-2.0
// DFT before opset 20: axis was an attribute, 1 by default (now the last but one).
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status dft_axis(Upgrade& u) {
  u.set_input(2, u.scalar_int("axis", u.take_int("axis").value_or(1)));
  return {};
}

}  // namespace fovea::onnx::rules
