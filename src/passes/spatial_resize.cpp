// SPDX-License-Identifier: Apache-2.0
#include "passes/spatial_resize.h"

#include <algorithm>
#include <numeric>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr int kRoi = 1, kScales = 2, kSizes = 3;

// In the order of scales and sizes; empty where an axis is not one of the input's.
std::vector<std::int64_t> resized_axes(const Node& resize, int rank) {
  std::vector<std::int64_t> axes = resize.attributes.get_ints("axes");
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (std::int64_t& axis : axes) {
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank) return {};
  }
  return axes;
}

bool is_given(const Graph& graph, const Node& resize, int input) {
  if (!resize.has_input(input)) return false;
  const Tensor* constant = constant_of(graph, resize.inputs[static_cast<std::size_t>(input)]);
  return !constant || constant->elements() > 0;
}

// The elements of scales or sizes that belong to spatial axes. Computed ones are cut, where all axes are listed in
// order.
ValueId spatial_part(Graph& graph, ValueId list, const std::vector<std::int64_t>& axes) {
  const Tensor* constant = constant_of(graph, list);
  if (!constant) {
    const auto rank = static_cast<std::int64_t>(axes.size());
    return add_typed_node(
        graph, "Slice", graph.value(list).name,
        {list, graph.add_constant("start", from_integers({2})), graph.add_constant("end", from_integers({rank}))}, {},
        type_of(graph, list), SymbolicShape{Dim(rank - 2)});
  }
  const std::vector<double> all = to_doubles(*constant);
  std::vector<double> spatial;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] > 1) spatial.push_back(all[i]);
  }
  return graph.add_constant(graph.value(list).name,
                            from_doubles(constant->type(), {static_cast<std::int64_t>(spatial.size())}, spatial));
}

bool is_channel_axis(std::int64_t axis) { return axis < 2; }

bool names_channels(const std::vector<std::int64_t>& axes) {
  return std::any_of(axes.begin(), axes.end(), is_channel_axis);
}

}  // namespace

bool is_spatial_average(const Graph& graph, NodeId id) {
  if (id == kNone || graph.node(id).op != "Resize") return false;
  const Node& node = graph.node(id);
  if (node.attributes.get_string("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize") return false;
  if (node.attributes.get_string("keep_aspect_ratio_policy", "stretch") != "stretch") return false;
  const SymbolicShape *x = shape_of(graph, node.inputs[0]), *y = shape_of(graph, node.outputs[0]);
  if (!x || !y || x->size() < 3 || x->size() != y->size() || !((*x)[0] == (*y)[0]) || !((*x)[1] == (*y)[1]))
    return false;
  const std::vector<std::int64_t> axes = resized_axes(node, static_cast<int>(x->size()));
  if (std::all_of(axes.begin(), axes.end(), is_channel_axis) ||
      is_given(graph, node, kScales) == is_given(graph, node, kSizes))
    return false;
  const bool by_scales = is_given(graph, node, kScales);
  const Tensor* list = constant_of(graph, node.inputs[static_cast<std::size_t>(by_scales ? kScales : kSizes)]);
  if (list && list->elements() != static_cast<std::int64_t>(axes.size())) return false;
  if (!names_channels(axes)) return true;
  if (!list) return !by_scales && std::is_sorted(axes.begin(), axes.end()) && axes.size() == x->size();
  // A scale near 1 may leave the extent as it is and still move the elements. Sizes that are equal give the scale 1.
  const std::vector<double> numbers = to_doubles(*list);
  for (std::size_t i = 0; by_scales && i < axes.size(); ++i) {
    if (axes[i] < 2 && numbers[i] != 1) return false;
  }
  return true;
}

Node without_channel_axes(Graph& graph, NodeId id) {
  Node node = graph.node(id);
  const std::vector<std::int64_t> axes = resized_axes(node, rank_of(graph, node.inputs[0]));
  if (!names_channels(axes)) return node;
  std::vector<std::int64_t> spatial;
  std::copy_if(axes.begin(), axes.end(), std::back_inserter(spatial), [](std::int64_t axis) { return axis > 1; });
  for (const int input : {kScales, kSizes}) {
    if (!is_given(graph, node, input)) continue;
    ValueId& list = node.inputs[static_cast<std::size_t>(input)];
    list = spatial_part(graph, list, axes);
  }
  if (node.has_input(kRoi)) node.inputs[kRoi] = kNone;  // only of use to tf_crop_and_resize
  node.attributes.set("axes", std::move(spatial));
  return node;
}

}  // namespace fovea::passes
