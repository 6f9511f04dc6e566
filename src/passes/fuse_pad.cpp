// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_pad.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// Spatial pads (begins, then ends) of a Pad with zeros.
std::optional<std::vector<std::int64_t>> spatial_pads(const Graph& graph, const Node& pad) {
  const int rank = rank_of(graph, pad.inputs[0]);
  const auto pads = integers_of(graph, pad.inputs[1]);
  if (rank < 3 || !pads || pad.attributes.get_string("mode", "constant") != "constant") return std::nullopt;
  if (pad.has_input(2)) {
    const auto value = scalar_of(graph, pad.inputs[2]);
    if (!value || *value != 0) return std::nullopt;
  }
  std::vector<std::int64_t> all(2 * static_cast<std::size_t>(rank), 0);
  if (pad.has_input(3)) {
    const auto axes = integers_of(graph, pad.inputs[3]);
    if (!axes || pads->size() != 2 * axes->size()) return std::nullopt;
    for (std::size_t i = 0; i < axes->size(); ++i) {
      const std::int64_t axis = (*axes)[i] + ((*axes)[i] < 0 ? rank : 0);
      if (axis < 0 || axis >= rank) return std::nullopt;
      all[static_cast<std::size_t>(axis)] = (*pads)[i];
      all[static_cast<std::size_t>(axis + rank)] = (*pads)[i + axes->size()];
    }
  } else {
    if (pads->size() != all.size()) return std::nullopt;
    all = *pads;
  }
  const auto at = [&](int i) { return all.begin() + i; };
  const bool outer = *at(0) || *at(1) || *at(rank) || *at(rank + 1);
  if (outer || std::any_of(all.begin(), all.end(), [](std::int64_t p) { return p < 0; })) return std::nullopt;
  std::vector<std::int64_t> spatial(at(2), at(rank));
  spatial.insert(spatial.end(), at(rank + 2), all.end());
  return spatial;
}

bool fuse_pad_at(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const bool pool = node.op == "AveragePool";
  if (node.op != "Conv" && !pool) return false;
  const NodeId pad = producer_of(graph, node.inputs[0], "Pad");
  if (pad == kNone || node.attributes.get_string("auto_pad", "NOTSET") != "NOTSET") return false;
  auto pads = spatial_pads(graph, graph.node(pad));
  if (!pads) return false;
  const auto own = node.attributes.get_ints("pads", std::vector<std::int64_t>(pads->size(), 0));
  if (own.size() != pads->size()) return false;
  const bool pads_already = std::any_of(own.begin(), own.end(), [](std::int64_t p) { return p != 0; });
  if (pool) {
    // A window that lies wholly in the padding would be refused, and ceil_mode counts differently.
    if (pads_already || node.attributes.get_int("ceil_mode") != 0) return false;
    const auto kernel = node.attributes.get_ints("kernel_shape");
    if (kernel.empty()) return false;
    for (std::size_t i = 0; i < pads->size(); ++i) {
      if ((*pads)[i] >= kernel[i % kernel.size()]) return false;
    }
  }
  for (std::size_t i = 0; i < own.size(); ++i) (*pads)[i] += own[i];
  Attributes& attributes = graph.node(id).attributes;
  attributes.set("pads", *std::move(pads));
  if (pool) attributes.set("count_include_pad", std::int64_t{1});
  change_input(graph, id, 0, graph.node(pad).inputs[0]);
  return true;
}

}  // namespace

Result<bool> fuse_pad(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (graph.alive(id)) changed = fuse_pad_at(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
