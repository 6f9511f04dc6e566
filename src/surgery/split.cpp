// SPDX-License-Identifier: Apache-2.0
// extract() and split() of the public API.
#include <algorithm>
#include <numeric>

#include "fovea/surgery.h"
#include "passes/infer_shapes.h"
#include "surgery/subgraph.h"

namespace fovea {

namespace {

using surgery::Cone;

/// Types and shapes of inner tensors, which become inputs.
Result<ir::Graph> inferred(const Model& model) {
  ir::Graph graph = model.graph();
  FOVEA_RETURN_IF_ERROR(passes::infer_shapes(graph));
  return graph;
}

Status check_needed(const ir::Graph& graph, const std::vector<ir::ValueId>& inputs, const Cone& cone) {
  for (const ir::ValueId id : inputs) {
    if (!cone.stops.count(id)) return invalid_argument("input '", graph.value(id).name, "' is not needed for these outputs");
  }
  return {};
}

/// Outputs that share a node behind the cut, which is not made of constants alone, get the same number.
std::vector<std::size_t> group_by_shared_work(const ir::Graph& graph, const std::vector<Cone>& cones) {
  std::vector<std::size_t> group(cones.size());
  std::iota(group.begin(), group.end(), std::size_t{0});
  const auto constant_work = [&](ir::NodeId id) {
    const Cone above = surgery::cone_of(graph, graph.node(id).outputs, {});
    return above.inputs.empty();
  };
  for (std::size_t i = 0; i < cones.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (group[i] == group[j]) continue;
      const bool shared = std::any_of(cones[i].nodes.begin(), cones[i].nodes.end(),
                                      [&](ir::NodeId id) { return cones[j].nodes.count(id) && !constant_work(id); });
      if (shared) std::replace(group.begin(), group.end(), std::max(group[i], group[j]), std::min(group[i], group[j]));
    }
  }
  return group;
}

}  // namespace

Result<Model> extract(const Model& model, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs) {
  FOVEA_ASSIGN(const ir::Graph graph, inferred(model));
  FOVEA_ASSIGN(std::vector<ir::ValueId> from, surgery::find_tensors(graph, inputs));
  FOVEA_ASSIGN(const std::vector<ir::ValueId> to, surgery::find_tensors(graph, outputs));
  if (to.empty()) return invalid_argument("a network needs at least one output");
  if (inputs.empty()) from = graph.inputs;
  const Cone cone = surgery::cone_of(graph, to, {from.begin(), from.end()});
  if (inputs.empty()) {
    std::erase_if(from, [&](ir::ValueId id) { return !cone.stops.count(id); });
  } else {
    FOVEA_RETURN_IF_ERROR(check_needed(graph, from, cone));
  }
  FOVEA_ASSIGN(ir::Graph part, surgery::subgraph(graph, from, to));
  return Model(std::move(part));
}

Result<std::vector<Part>> split(const Model& model, const std::vector<std::string>& at, const std::vector<std::string>& outputs) {
  FOVEA_ASSIGN(ir::Graph graph, inferred(model));
  FOVEA_ASSIGN(const std::vector<ir::ValueId> cut, surgery::find_tensors(graph, at));
  if (cut.empty()) return invalid_argument("name at least one tensor to cut at");
  if (!outputs.empty()) {
    FOVEA_ASSIGN(graph.outputs, surgery::find_tensors(graph, outputs));
  }
  const std::set<ir::ValueId> stops(cut.begin(), cut.end());

  // 1. What needs none of the cut tensors stays in front; an output that is one of them needs no part.
  std::vector<ir::ValueId> front = cut, behind;
  std::vector<Cone> cones;
  for (const ir::ValueId id : graph.outputs) {
    Cone cone = surgery::cone_of(graph, {id}, stops);
    if (stops.count(id)) continue;
    if (cone.stops.empty()) {
      front.push_back(id);
      continue;
    }
    behind.push_back(id);
    cones.push_back(std::move(cone));
  }
  if (behind.empty()) return invalid_argument("no output lies behind the cut");
  for (const ir::ValueId id : cut) {
    const bool read = std::any_of(cones.begin(), cones.end(), [&](const Cone& cone) { return cone.stops.count(id) > 0; });
    if (!read) return invalid_argument("nothing behind the cut reads '", graph.value(id).name, "'").with_hint("leave it out of the cut");
  }

  // 2. The front part, from the model's own inputs.
  std::vector<Part> parts;
  const Cone above = surgery::cone_of(graph, front, {graph.inputs.begin(), graph.inputs.end()});
  std::vector<ir::ValueId> inputs = graph.inputs;
  std::erase_if(inputs, [&](ir::ValueId id) { return !above.stops.count(id); });
  FOVEA_ASSIGN(ir::Graph first, surgery::subgraph(graph, inputs, front));
  parts.push_back({"front", Model(std::move(first))});

  // 3. One part for each group behind it, in the order of the outputs.
  const std::vector<std::size_t> group = group_by_shared_work(graph, cones);
  for (std::size_t g = 0; g < cones.size(); ++g) {
    std::vector<ir::ValueId> results, reads;
    std::set<ir::ValueId> needed;
    for (std::size_t i = 0; i < cones.size(); ++i) {
      if (group[i] != g) continue;
      results.push_back(behind[i]);
      needed.insert(cones[i].stops.begin(), cones[i].stops.end());
    }
    if (results.empty()) continue;
    std::copy_if(cut.begin(), cut.end(), std::back_inserter(reads), [&](ir::ValueId id) { return needed.count(id) > 0; });
    FOVEA_ASSIGN(ir::Graph part, surgery::subgraph(graph, reads, results));
    parts.push_back({graph.value(results[0]).name, Model(std::move(part))});
  }
  return parts;
}

}  // namespace fovea
