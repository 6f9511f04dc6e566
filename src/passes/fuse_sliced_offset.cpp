// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_sliced_offset.h"

#include "ops/shape/slice_range.h"
#include "passes/dcnv4_pixels.h"

namespace fovea::passes {

namespace {

// A run of the channels (last axis) of a value.
struct Part {
  ValueId whole = kNone;
  std::int64_t begin = 0;
  NodeId node = kNone;
};

std::optional<std::int64_t> only_number(const Graph& graph, ValueId value) {
  const auto list = integers_of(graph, value);
  if (!list || list->size() != 1) return std::nullopt;
  return list->front();
}

std::optional<Part> match_slice(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const std::int64_t rank = rank_of(graph, node.inputs[0]);
  const auto channels = extent_of(graph, node.inputs[0], -1);
  if (!channels || !node.has_input(3) || (node.has_input(4) && only_number(graph, node.inputs[4]) != 1)) return std::nullopt;
  const auto axis = only_number(graph, node.inputs[3]), start = only_number(graph, node.inputs[1]), end = only_number(graph, node.inputs[2]);
  if (!axis || !start || !end || (*axis != rank - 1 && *axis != -1)) return std::nullopt;
  return Part{node.inputs[0], ops::slice_range(*start, *end, 1, *channels).start, id};
}

std::optional<Part> match_split(const Graph& graph, NodeId id, ValueId output) {
  const Node& node = graph.node(id);
  const std::int64_t rank = rank_of(graph, node.inputs[0]), axis = node.attributes.get_int("axis");
  if (rank < 1 || (axis != rank - 1 && axis != -1)) return std::nullopt;
  Part part{node.inputs[0], 0, id};
  for (ValueId piece : node.outputs) {
    if (piece == output) return part;
    const auto channels = extent_of(graph, piece, -1);
    if (!channels) return std::nullopt;
    part.begin += *channels;
  }
  return std::nullopt;
}

std::optional<Part> match_part(const Graph& graph, ValueId value) {
  if (const NodeId slice = producer_of(graph, value, "Slice"); slice != kNone) return match_slice(graph, slice);
  if (const NodeId split = producer_of(graph, value, "Split"); split != kNone) return match_split(graph, split, value);
  return std::nullopt;
}

bool fuse_sliced_offset_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (!size_keeping_dcnv4(graph, id)) return false;
  const auto value = pixel_rows(graph, node.inputs[0]), offset = pixel_rows(graph, node.inputs[1]);
  if (!value || !offset || (value->reshape == kNone) != (offset->reshape == kNone)) return false;
  const auto value_part = match_part(graph, value->rows), offset_part = match_part(graph, offset->rows);
  if (!value_part || !offset_part || value_part->whole != offset_part->whole || !extent_of(graph, value_part->whole, -1)) return false;
  if (value_part->begin != 0 || offset_part->begin != value->channels) return false;
  std::vector<NodeId> replaced = {value_part->node, offset_part->node};
  if (value->reshape != kNone) replaced.insert(replaced.end(), {value->reshape, offset->reshape});
  read_both_from(graph, id, value_part->whole, value->reshape, replaced);
  return true;
}

}  // namespace

Result<bool> fuse_sliced_offset(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id) && fuse_sliced_offset_at(graph, id)) changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
