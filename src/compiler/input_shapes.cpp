// SPDX-License-Identifier: Apache-2.0
#include "compiler/input_shapes.h"

namespace fovea::compiler {

namespace {

using Substitution = std::map<std::string, Dim, std::less<>>;

void substitute(ir::Graph& graph, const Substitution& constants) {
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
    auto& shape = graph.value(id).shape;
    if (!shape) continue;
    for (Dim& dim : *shape) {
      if (!dim.is_constant()) dim = dim.substitute(constants);
    }
  }
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    for (ir::Graph& body : graph.node(id).bodies) substitute(body, constants);
  }
}

Status check_range(const std::string& name, const SymbolicShape& declared, const ShapeRange& range) {
  const auto rank = static_cast<int>(declared.size());
  if (range.min.rank() != rank || range.opt.rank() != rank || range.max.rank() != rank) {
    return invalid_argument("shape of input '", name, "': expected ", rank, " extents (", to_string(declared), "), found ", range.opt.to_string());
  }
  for (int axis = 0; axis < rank; ++axis) {
    if (range.min[axis] < 1 || range.min[axis] > range.opt[axis] || range.opt[axis] > range.max[axis]) {
      return invalid_argument("shape of input '", name, "', axis ", axis, ": expected 1 <= min <= opt <= max, found ", range.min[axis], ", ",
                              range.opt[axis], ", ", range.max[axis]);
    }
    const Dim& dim = declared[static_cast<std::size_t>(axis)];
    if (dim.is_constant() && (range.min[axis] != dim.constant() || range.max[axis] != dim.constant())) {
      return invalid_argument("shape of input '", name, "', axis ", axis, ": the model fixes it at ", dim.constant(), ", found ", range.opt[axis])
          .with_hint("export the model with a dynamic axis to change it");
    }
  }
  return {};
}

}  // namespace

Result<InputShapes> apply_shape_ranges(ir::Graph& graph, const std::map<std::string, ShapeRange>& ranges) {
  for (const auto& [name, range] : ranges) {
    const ir::ValueId id = graph.find_value(name);
    if (id == ir::kNone || !graph.is_graph_input(id)) {
      std::string known;
      for (ir::ValueId input : graph.inputs) known += (known.empty() ? "'" : ", '") + graph.value(input).name + "'";
      return invalid_argument("shapes: no input named '", name, "'; there are: ", known);
    }
  }
  InputShapes result;
  Substitution constants;
  std::map<std::string, std::int64_t> typical;
  for (ir::ValueId id : graph.inputs) {
    const ir::Value& input = graph.value(id);
    if (!input.shape) continue;
    const auto given = ranges.find(input.name);
    if (given != ranges.end()) FOVEA_RETURN_IF_ERROR(check_range(input.name, *input.shape, given->second));
    for (int axis = 0; axis < static_cast<int>(input.shape->size()); ++axis) {
      const Dim& dim = (*input.shape)[static_cast<std::size_t>(axis)];
      if (!dim.is_symbol()) continue;
      const std::string& symbol = dim.symbol_name();
      SymbolRange range;
      range.opt = axis == 0 ? 1 : 320;
      if (given != ranges.end()) {
        range = {given->second.min[axis], given->second.opt[axis], given->second.max[axis]};
      } else if (typical.contains(symbol)) {
        continue;
      }
      const auto [at, fresh] = typical.emplace(symbol, range.opt);
      if (!fresh && given != ranges.end() && at->second != range.opt && constants.contains(symbol)) {
        return invalid_argument("shapes: extent '", symbol, "' is given as ", at->second, " and as ", range.opt);
      }
      at->second = range.opt;
      if (range.min == range.max) {
        constants.insert_or_assign(symbol, Dim(range.min));
        result.symbols.erase(symbol);
      } else {
        result.symbols.insert_or_assign(symbol, range);
      }
    }
  }
  if (!constants.empty()) substitute(graph, constants);
  result.bindings = Bindings(typical.begin(), typical.end());
  for (ir::ValueId id : graph.inputs) {
    Shape shape;
    if (graph.value(id).shape) {
      FOVEA_ASSIGN(shape, evaluate(*graph.value(id).shape, result.bindings));
    }
    result.typical.push_back(shape);
  }
  return result;
}

}  // namespace fovea::compiler
