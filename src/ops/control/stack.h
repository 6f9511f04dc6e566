// SPDX-License-Identifier: Apache-2.0
// Slices of Scan's inputs and stacks of its and Loop's outputs.
#pragma once

#include <string_view>
#include <vector>

#include "base/datum.h"
#include "base/check.h"

namespace fovea::ops {

/// -rank..rank-1 to 0..rank-1; the error names the operator.
Result<int> scan_axis(std::string_view op, std::int64_t axis, int rank);
/// Copy of x[..., index, ...] along `axis`, the axis dropped.
Result<Tensor> take_slice(const Tensor& x, int axis, std::int64_t index);
/// The items, all of one type and shape, along a new axis; `reverse` puts the last one first. No items: shape [0].
Result<Datum> stack(std::string_view op, const std::vector<Datum>& items, DataType type, std::int64_t axis, bool reverse);

}  // namespace fovea::ops
