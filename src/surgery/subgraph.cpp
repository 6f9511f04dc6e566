// SPDX-License-Identifier: Apache-2.0
#include "surgery/subgraph.h"

#include <algorithm>
#include <deque>
#include <map>

namespace fovea::surgery {

namespace {

/// Names that contain `name` or are contained in it: what a person may have meant.
std::string similar_names(const ir::Graph& graph, std::string_view name) {
  std::string list;
  int listed = 0;
  for (ir::ValueId id = 0; id < graph.num_values() && listed < 3; ++id) {
    const ir::Value& value = graph.value(id);
    if (value.is_constant() || (value.producer == ir::kNone && !graph.is_graph_input(id))) continue;
    if (value.name.find(name) == std::string::npos && name.find(value.name) == std::string_view::npos) continue;
    list += str_cat(listed++ ? ", " : "", "'", value.name, "'");
  }
  return list;
}

}  // namespace

Result<ir::ValueId> find_tensor(const ir::Graph& graph, std::string_view name) {
  const ir::ValueId id = graph.find_value(name);
  if (id != ir::kNone) return id;
  const std::string similar = similar_names(graph, name);
  return invalid_argument("no tensor is named '", name, "'")
      .with_hint(similar.empty() ? "`fovea inspect` lists the layers; tensors inside functions carry the call's name in front" : "similar names: " + similar);
}

Result<std::vector<ir::ValueId>> find_tensors(const ir::Graph& graph, const std::vector<std::string>& names) {
  std::vector<ir::ValueId> ids;
  for (const std::string& name : names) {
    FOVEA_ASSIGN(const ir::ValueId id, find_tensor(graph, name));
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) return invalid_argument("tensor '", name, "' is named twice");
    ids.push_back(id);
  }
  return ids;
}

Cone cone_of(const ir::Graph& graph, const std::vector<ir::ValueId>& outputs, const std::set<ir::ValueId>& stops) {
  Cone cone;
  std::vector<ir::ValueId> open(outputs.begin(), outputs.end());
  std::set<ir::ValueId> seen(outputs.begin(), outputs.end());
  while (!open.empty()) {
    const ir::ValueId id = open.back();
    open.pop_back();
    const ir::Value& value = graph.value(id);
    if (value.is_constant()) continue;
    if (stops.count(id)) {
      cone.stops.insert(id);
      continue;
    }
    if (value.producer == ir::kNone) {
      cone.inputs.insert(id);
      continue;
    }
    if (!cone.nodes.insert(value.producer).second) continue;
    for (const ir::ValueId input : graph.node(value.producer).inputs) {
      if (input != ir::kNone && seen.insert(input).second) open.push_back(input);
    }
  }
  return cone;
}

std::string path_between(const ir::Graph& graph, ir::ValueId output, ir::ValueId input, const std::set<ir::ValueId>& stops) {
  std::map<ir::ValueId, ir::ValueId> reader;  // the value through whose producer a value was reached
  std::deque<ir::ValueId> open{output};
  reader[output] = ir::kNone;
  while (!open.empty() && !reader.count(input)) {
    const ir::ValueId id = open.front();
    open.pop_front();
    const ir::Node* producer = graph.producer(id);
    if (!producer || stops.count(id)) continue;
    for (const ir::ValueId next : producer->inputs) {
      if (next != ir::kNone && reader.emplace(next, id).second) open.push_back(next);
    }
  }
  std::vector<std::string> steps;
  for (ir::ValueId id = reader.count(input) ? input : ir::kNone; id != ir::kNone; id = reader[id]) {
    const ir::Node* producer = graph.producer(id);
    steps.push_back(producer ? str_cat("'", graph.value(id).name, "' (", producer->op, ")") : str_cat("input '", graph.value(id).name, "'"));
  }
  constexpr std::size_t kEnds = 4;
  std::string text;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps.size() > 2 * kEnds + 1 && i == kEnds) {
      text += str_cat(" -> ... ", steps.size() - 2 * kEnds, " more ...");
      i = steps.size() - kEnds;
    }
    text += str_cat(text.empty() ? "" : " -> ", steps[i]);
  }
  return text;
}

Result<ir::Graph> subgraph(const ir::Graph& graph, const std::vector<ir::ValueId>& inputs, const std::vector<ir::ValueId>& outputs) {
  const std::set<ir::ValueId> given(inputs.begin(), inputs.end());
  const Cone cone = cone_of(graph, outputs, given);
  if (!cone.inputs.empty()) {
    const ir::ValueId missing = *cone.inputs.begin();
    for (const ir::ValueId output : outputs) {
      const std::string path = path_between(graph, output, missing, given);
      if (!path.empty()) {
        return invalid_argument("'", graph.value(output).name, "' still depends on input '", graph.value(missing).name, "' past the cut: ", path)
            .with_hint("name a tensor of this path too");
      }
    }
  }
  ir::Graph part;
  part.name = graph.name;
  part.metadata = graph.metadata;
  std::map<ir::ValueId, ir::ValueId> own;
  const auto copy = [&](ir::ValueId id) {
    if (id == ir::kNone) return ir::kNone;
    const auto [found, fresh] = own.emplace(id, ir::kNone);
    if (fresh) {
      const ir::Value& value = graph.value(id);
      found->second = value.is_constant() ? part.add_constant(value.name, value.constant) : part.add_value(value.name, value.type, value.shape);
    }
    return found->second;
  };
  for (const ir::ValueId id : inputs) {
    if (graph.value(id).is_constant()) return invalid_argument("'", graph.value(id).name, "' is a constant: it cannot be an input");
    part.inputs.push_back(copy(id));
  }
  for (const ir::NodeId id : graph.topological_order()) {
    if (!cone.nodes.count(id)) continue;
    ir::Node node = graph.node(id);
    for (ir::ValueId& input : node.inputs) input = copy(input);
    // A given value that one of the nodes makes too, beside others that are needed, keeps its name for the input.
    for (ir::ValueId& output : node.outputs) output = given.count(output) ? ir::kNone : copy(output);
    part.add_node(std::move(node));
  }
  for (const ir::ValueId id : outputs) part.outputs.push_back(copy(id));
  return part;
}

}  // namespace fovea::surgery
