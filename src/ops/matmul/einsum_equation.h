// SPDX-License-Identifier: Apache-2.0
// The equation of Einsum, parsed: labels per operand and of the output.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace fovea::ops {

/// Labels are letters; axes of an ellipsis get the labels '0', '1', ... counted from its last axis.
struct EinsumEquation {
  std::vector<std::string> operands;
  std::string output;
};

/// `ranks` of the operands resolve ellipses. Without "->" the output is the ellipsis and the labels that occur once, in
/// alphabetical order.
Result<EinsumEquation> parse_einsum(std::string_view equation, const std::vector<int>& ranks);

}  // namespace fovea::ops
