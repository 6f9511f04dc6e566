// SPDX-License-Identifier: Apache-2.0
#include "passes/strided_view.h"

#include <algorithm>

#include "passes/permutation.h"

namespace fovea::passes {

namespace {

bool is_one(const Dim& dim) { return dim == Dim(1); }

/// Appends a factor, merged with the last one where they count on.
void append(ViewAxis& axis, ViewFactor factor) {
  if (is_one(factor.extent)) return;
  if (!axis.empty() && axis.back().stride == factor.extent * factor.stride) {
    axis.back() = {axis.back().extent * factor.extent, factor.stride};
  } else {
    axis.push_back(std::move(factor));
  }
}

ViewAxis simplified(const ViewAxis& axis) {
  ViewAxis result;
  for (const ViewFactor& factor : axis) append(result, factor);
  return result;
}

bool are_equal(const ViewAxis& a, const ViewAxis& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const ViewFactor& x, const ViewFactor& y) { return x.extent == y.extent && x.stride == y.stride; });
}

std::int64_t axis_of(const Node& node, std::int64_t fallback, int rank) {
  const std::int64_t axis = node.attributes.get_int("axis", fallback);
  return axis < 0 ? axis + rank : axis;
}

/// The part of Split's input that becomes `output`.
bool follow_split(const Graph& graph, const Node& node, ValueId output, StridedView& view) {
  const int rank = rank_of(graph, node.inputs[0]);
  const std::int64_t axis = axis_of(node, 0, rank);
  if (rank < 1 || axis < 0 || axis >= rank) return false;
  Dim start(0);
  for (const ValueId part : node.outputs) {
    const SymbolicShape* shape = part == kNone ? nullptr : shape_of(graph, part);
    if (!shape || static_cast<int>(shape->size()) != rank) return false;
    const Dim& count = (*shape)[static_cast<std::size_t>(axis)];
    if (part == output) return view.slice(static_cast<int>(axis), start, count);
    start = start + count;
  }
  return false;
}

/// Slices with steps of 1 and constant bounds.
bool follow_slice(const Graph& graph, const Node& node, const SymbolicShape& to, StridedView& view) {
  const auto starts = integers_of(graph, node.inputs[1]);
  if (!starts) return false;
  std::vector<std::int64_t> axes(starts->size()), steps(starts->size(), 1);
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
  if (node.has_input(3)) {
    const auto given = integers_of(graph, node.inputs[3]);
    if (!given || given->size() != axes.size()) return false;
    axes = *given;
  }
  if (node.has_input(4)) {
    const auto given = integers_of(graph, node.inputs[4]);
    if (!given || given->size() != axes.size()) return false;
    steps = *given;
  }
  const SymbolicShape* from = shape_of(graph, node.inputs[0]);
  if (!from || from->size() != to.size()) return false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(to.size()) : axes[i];
    if (steps[i] != 1 || axis < 0 || axis >= static_cast<std::int64_t>(to.size())) return false;
    const Dim &extent = (*from)[static_cast<std::size_t>(axis)], &count = to[static_cast<std::size_t>(axis)];
    if (count == extent) continue;
    std::int64_t start = (*starts)[i];
    if (!extent.is_constant()) return false;  // where the slice starts depends on the extent
    if (start < 0) start += extent.constant();
    if (!view.slice(static_cast<int>(axis), Dim(std::clamp<std::int64_t>(start, 0, extent.constant())), count)) return false;
  }
  return true;
}

/// Gather of constant indices that are neighbours; a scalar index drops the axis.
bool follow_gather(const Graph& graph, const Node& node, const SymbolicShape& to, StridedView& view) {
  const int rank = rank_of(graph, node.inputs[0]);
  const std::int64_t axis = axis_of(node, 0, rank);
  const auto indices = integers_of(graph, node.inputs[1]);
  if (!indices || indices->empty() || axis < 0 || axis >= rank) return false;
  const Dim& extent = (*shape_of(graph, node.inputs[0]))[static_cast<std::size_t>(axis)];
  if (!extent.is_constant()) return false;
  const std::int64_t first = (*indices)[0] < 0 ? (*indices)[0] + extent.constant() : (*indices)[0];
  for (std::size_t i = 0; i < indices->size(); ++i) {
    const std::int64_t index = (*indices)[i] < 0 ? (*indices)[i] + extent.constant() : (*indices)[i];
    if (index != first + static_cast<std::int64_t>(i) || index >= extent.constant()) return false;
  }
  return view.slice(static_cast<int>(axis), Dim(first), Dim(static_cast<std::int64_t>(indices->size()))) && view.reshape(to);
}

}  // namespace

std::optional<Dim> exact_quotient(const Dim& a, const Dim& b) {
  if (a == b) return Dim(1);
  if (b == Dim(0)) return std::nullopt;
  if (a.is_constant() && b.is_constant()) return a.constant() % b.constant() == 0 ? std::optional<Dim>(a.constant() / b.constant()) : std::nullopt;
  const Dim quotient = floor_div(a, b);
  return quotient * b == a ? std::optional<Dim>(quotient) : std::nullopt;
}

StridedView StridedView::dense(const SymbolicShape& shape) {
  std::vector<ViewAxis> axes(shape.size());
  Dim stride(1);
  for (std::size_t i = shape.size(); i-- > 0;) {
    axes[i] = {{shape[i], stride}};
    stride = stride * shape[i];
  }
  return StridedView(std::move(axes));
}

ViewAxis StridedView::simple_axis(int axis) const { return simplified(axes_[static_cast<std::size_t>(axis)]); }

bool StridedView::operator==(const StridedView& other) const {
  if (axes_.size() != other.axes_.size() || !(offset_ == other.offset_)) return false;
  for (std::size_t i = 0; i < axes_.size(); ++i) {
    if (!are_equal(simplified(axes_[i]), simplified(other.axes_[i]))) return false;
  }
  return true;
}

bool StridedView::is_dense() const {
  ViewAxis all;
  for (const ViewAxis& axis : axes_) {
    for (const ViewFactor& factor : axis) append(all, factor);
  }
  return offset_ == Dim(0) && (all.empty() || (all.size() == 1 && is_one(all[0].stride)));
}

bool StridedView::reshape(const SymbolicShape& shape) {
  // From the right, each extent takes whole factors, and a piece of the next one.
  ViewAxis factors;
  for (const ViewAxis& axis : axes_) {
    for (const ViewFactor& factor : axis) {
      if (!is_one(factor.extent)) factors.push_back(factor);
    }
  }
  std::vector<ViewAxis> axes(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    Dim wanted = shape[i];
    while (!is_one(wanted)) {
      if (factors.empty()) return false;
      ViewFactor& last = factors.back();
      if (const auto rest = exact_quotient(wanted, last.extent)) {
        axes[i].insert(axes[i].begin(), last);
        factors.pop_back();
        wanted = *rest;
      } else if (const auto kept = exact_quotient(last.extent, wanted)) {
        axes[i].insert(axes[i].begin(), {wanted, last.stride});
        last = {*kept, last.stride * wanted};
        wanted = Dim(1);
      } else {
        return false;
      }
    }
  }
  axes_ = std::move(axes);
  return factors.empty();
}

bool StridedView::transpose(const std::vector<std::int64_t>& perm) {
  if (perm.size() != axes_.size()) return false;
  std::vector<ViewAxis> axes;
  for (const std::int64_t from : perm) axes.push_back(axes_[static_cast<std::size_t>(from)]);
  axes_ = std::move(axes);
  return true;
}

bool StridedView::slice(int axis, const Dim& start, const Dim& count) {
  ViewAxis& sliced = axes_[static_cast<std::size_t>(axis)];
  const ViewAxis simple = simplified(sliced);
  if (simple.empty()) return start == Dim(0) && is_one(count);
  if (simple.size() != 1) return false;
  offset_ = offset_ + start * simple[0].stride;
  sliced = {{count, simple[0].stride}};
  return true;
}

ValueId moved_from(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(value);
  if (!node) return kNone;
  for (const std::string_view op : {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Transpose", "Split", "Slice", "Gather"}) {
    if (node->op == op) return node->inputs[0];
  }
  return kNone;
}

bool follow_move(const Graph& graph, ValueId value, StridedView& view) {
  const NodeId id = graph.value(value).producer;
  const Node& node = graph.node(id);
  const SymbolicShape* to = shape_of(graph, value);
  if (!to) return false;
  if (node.op == "Identity") return true;
  if (node.op == "Transpose") {
    const auto perm = permutation_of(graph, id);
    return perm && view.transpose(*perm);
  }
  if (node.op == "Split") return follow_split(graph, node, value, view);
  if (node.op == "Slice") return follow_slice(graph, node, *to, view);
  if (node.op == "Gather") return follow_gather(graph, node, *to, view);
  return view.reshape(*to);
}

}  // namespace fovea::passes
