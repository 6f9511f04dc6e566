// SPDX-License-Identifier: Apache-2.0
// Small edits of the public API: names, shapes, outputs.
#include <algorithm>

#include "compiler/input_shapes.h"
#include "fovea/surgery.h"
#include "passes/eliminate_dead_code.h"
#include "passes/infer_shapes.h"
#include "surgery/subgraph.h"

namespace fovea {

namespace {

}  // namespace

Result<Model> rename_tensors(const Model& model, const std::map<std::string, std::string>& names) {
  ir::Graph graph = model.graph();
  for (const auto& [old_name, new_name] : names) {
    FOVEA_ASSIGN(const ir::ValueId id, surgery::find_tensor(graph, old_name));
    if (new_name.empty()) return invalid_argument("tensor '", old_name, "': the new name is empty");
    if (!graph.rename_value(id, new_name)) return invalid_argument("tensor '", old_name, "': the name '", new_name, "' is taken");
  }
  return Model(std::move(graph));
}

Result<Model> fix_shapes(const Model& model, const std::map<std::string, Shape>& shapes) {
  ir::Graph graph = model.graph();
  std::map<std::string, ShapeRange> ranges;
  for (const auto& [name, shape] : shapes) ranges[name] = {shape, shape, shape};
  FOVEA_RETURN_IF_ERROR(compiler::apply_shape_ranges(graph, ranges).status());
  FOVEA_RETURN_IF_ERROR(passes::infer_shapes(graph));
  return Model(std::move(graph));
}

Result<Model> remove_outputs(const Model& model, const std::vector<std::string>& outputs) {
  ir::Graph graph = model.graph();
  for (const std::string& name : outputs) {
    const auto found = std::find_if(graph.outputs.begin(), graph.outputs.end(), [&](ir::ValueId id) { return graph.value(id).name == name; });
    if (found == graph.outputs.end()) {
      std::string known;
      for (const ir::ValueId id : graph.outputs) known += str_cat(known.empty() ? "" : ", ", "'", graph.value(id).name, "'");
      return invalid_argument("no output is named '", name, "'").with_hint("outputs: " + known);
    }
    graph.outputs.erase(found);
  }
  if (graph.outputs.empty()) return invalid_argument("a network needs at least one output");
  FOVEA_RETURN_IF_ERROR(passes::eliminate_dead_code(graph).status());
  return Model(std::move(graph));
}

}  // namespace fovea
