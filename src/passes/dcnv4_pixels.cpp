// SPDX-License-Identifier: Apache-2.0
#include "passes/dcnv4_pixels.h"

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// The target shape of `reshape` with another number of channels.
ValueId target_with(Graph& graph, NodeId reshape, std::int64_t channels) {
  const ValueId target = graph.node(reshape).inputs[1];
  if (auto list = integers_of(graph, target)) {
    if (list->back() == -1) return target;
    list->back() = channels;
    return graph.add_constant("both_shape", from_integers(*list));
  }
  const std::vector<ValueId> range = {target, graph.add_constant("first", from_integers({0})), graph.add_constant("last", from_integers({3})),
                                      graph.add_constant("axis", from_integers({0}))};
  const ValueId pixels = add_typed_node(graph, "Slice", "pixels_shape", range, {}, DataType::i64, SymbolicShape{Dim(3)});
  Attributes axis;
  axis.set("axis", std::int64_t{0});
  return add_typed_node(graph, "Concat", "both_shape", {pixels, graph.add_constant("channels", from_integers({channels}))}, std::move(axis), DataType::i64,
                        SymbolicShape{Dim(4)});
}

}  // namespace

std::optional<ops::Dcnv4Params> size_keeping_dcnv4(const Graph& graph, NodeId node) {
  if (graph.node(node).op != "custom_op::DCNv4_Plugin") return std::nullopt;
  auto params = ops::Dcnv4Params::parse(graph.node(node).attributes);
  if (!params.ok()) return std::nullopt;
  for (const ops::Dcnv4Axis* axis : {&params->y, &params->x}) {
    if (axis->stride != 1 || 2 * axis->pad != axis->span() - 1) return std::nullopt;
  }
  return *std::move(params);
}

std::optional<PixelRows> pixel_rows(const Graph& graph, ValueId value) {
  const auto channels = extent_of(graph, value, -1);
  if (!channels || rank_of(graph, value) != 4) return std::nullopt;
  const NodeId reshape = producer_of(graph, value, "Reshape");
  if (reshape == kNone || extent_of(graph, graph.node(reshape).inputs[0], -1) != channels) return PixelRows{value, kNone, *channels};
  return PixelRows{graph.node(reshape).inputs[0], reshape, *channels};
}

void read_both_from(Graph& graph, NodeId dcnv4, ValueId both, NodeId like, const std::vector<NodeId>& replaced) {
  const std::int64_t channels = *extent_of(graph, both, -1);
  if (like != kNone) {
    SymbolicShape shape = *shape_of(graph, graph.node(like).outputs[0]);
    shape.back() = Dim(channels);
    const ValueId target = target_with(graph, like, channels);
    both = add_typed_node(graph, "Reshape", "value_and_offset", {both, target}, graph.node(like).attributes, type_of(graph, both), std::move(shape));
  }
  replace_node(graph, dcnv4, "custom_op::DCNv4FuseOffset_Plugin", {both}, graph.node(dcnv4).attributes, replaced);
}

}  // namespace fovea::passes
