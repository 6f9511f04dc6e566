// SPDX-License-Identifier: Apache-2.0
// Operators that work on rows: what they write at leading indices (i0 .. ia) needs their inputs at the same leading
// indices only. A strip of rows of their output can be computed from strips of their inputs.
#pragma once

#include <string_view>

#include "base/attributes.h"

namespace fovea::ops {

/// The largest such axis a for an output of this rank, its last axis always left whole; -1 where the operator is not one
/// of them. Elementwise operators, products of matrices, and norms and softmax over trailing axes.
int last_row_axis(std::string_view op, const Attributes& attributes, int rank);

/// The last axis, counted as the output's, at which input `input` is cut when the output is cut at axes 0 .. `axis`; beyond
/// it the operator reads the input whole. Where the input has extent 1 or no such axis it broadcasts and is not cut. -1: nowhere.
int last_cut_axis(std::string_view op, int input, int rank, int axis);

}  // namespace fovea::ops
