// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements, understood by where the elements lie: a value's elements as a strided view of the
// dense tensor they come from. Two chains of Reshape, Transpose, Split ... do the same exactly if their views are equal, in
// whatever order and spelling an exporter wrote them. Extents may be symbolic.
#pragma once

#include <optional>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

/// A factor of an axis: `extent` steps of `stride` elements of the source.
struct ViewFactor {
  Dim extent, stride;
};
using ViewAxis = std::vector<ViewFactor>;  ///< the last factor counts fastest

class StridedView {
 public:
  explicit StridedView(std::vector<ViewAxis> axes, Dim offset = Dim(0)) : axes_(std::move(axes)), offset_(std::move(offset)) {}
  /// The whole of a dense tensor.
  static StridedView dense(const SymbolicShape& shape);

  const std::vector<ViewAxis>& axes() const { return axes_; }
  /// Elements of the source before the first of the view.
  const Dim& offset() const { return offset_; }
  /// Axis by axis the same places, however the factors are written.
  bool operator==(const StridedView& other) const;
  /// The places are 0, 1, 2 ...
  bool is_dense() const;
  /// `axis` in its shortest form: no extents of 1, neighbours merged.
  ViewAxis simple_axis(int axis) const;

  // Each returns false, and leaves the view in an unspecified state, where the result is no view or not known to be one.
  bool reshape(const SymbolicShape& shape);
  bool transpose(const std::vector<std::int64_t>& perm);
  bool slice(int axis, const Dim& start, const Dim& count);

 private:
  std::vector<ViewAxis> axes_;
  Dim offset_;
};

/// The value that `value`'s elements are moved from by one operator (Reshape, Squeeze, Unsqueeze, Flatten, Identity,
/// Transpose, Split, Slice, Gather of neighbours); kNone if its producer is no such operator.
ValueId moved_from(const Graph& graph, ValueId value);
/// Turns a view of moved_from(value) into one of `value`. False as above.
bool follow_move(const Graph& graph, ValueId value, StridedView& view);

/// a / b where that is exact; nothing where it is not known to be.
std::optional<Dim> exact_quotient(const Dim& a, const Dim& b);

}  // namespace fovea::passes
