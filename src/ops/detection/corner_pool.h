// SPDX-License-Identifier: Apache-2.0
// The modes of MMCVCornerPool, named by the side where the largest maximum ends up.
#pragma once

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

enum class CornerPoolMode {
  Top,     ///< from the bottom row upward
  Bottom,  ///< from the top row downward
  Left,    ///< from the right column leftward
  Right,   ///< from the left column rightward
};

Result<CornerPoolMode> corner_pool_mode(const Attributes& attributes);
inline bool along_rows(CornerPoolMode mode) { return mode == CornerPoolMode::Left || mode == CornerPoolMode::Right; }
inline bool backward(CornerPoolMode mode) { return mode == CornerPoolMode::Top || mode == CornerPoolMode::Left; }

/// NaN wins, as in PyTorch.
template <class T>
T larger(T a, T b) {
  return a > b || a != a ? a : b;
}

}  // namespace fovea::ops
