// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_constants.h"

#include <algorithm>

#include "base/checked_math.h"
#include "ops/kernel_context.h"
#include "ops/schema.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr std::int64_t kAlwaysSmall = std::int64_t{16} << 20;

std::int64_t input_bytes(const Graph& graph, const Node& node) {
  std::int64_t bytes = 0;
  for (ValueId input : node.inputs) {
    if (input != kNone) bytes += static_cast<std::int64_t>(graph.value(input).constant.bytes());
  }
  return bytes;
}

// Unknown extents count as small only where the inputs are: NonZero, Unique and Compress never grow much.
bool results_are_small(const Graph& graph, const Node& node) {
  const std::int64_t given = input_bytes(graph, node);
  for (ValueId output : node.outputs) {
    if (output == kNone) continue;
    const auto shape = concrete_shape_of(graph, output);
    if (!shape) {
      if (given > (1 << 16)) return false;
      continue;
    }
    const auto elements = checked_elements(shape->dims());
    std::int64_t bytes = 0;
    if (!elements.ok() || !checked_mul(*elements, 16, bytes)) return false;
    if (*elements * static_cast<std::int64_t>(std::max<std::size_t>(size_of(type_of(graph, output)), 1)) > std::max(kAlwaysSmall, 4 * given)) return false;
  }
  return true;
}

bool can_fold(const Graph& graph, const Node& node) {
  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  if (!schema || !ops::find_reference(node.op)) return false;
  if ((schema->traits & (ops::kNonDeterministic | ops::kHasBodies)) || !node.bodies.empty()) return false;
  // Without known output shapes a tiny input can ask for any amount of memory.
  const bool grows = node.op == "ConstantOfShape" || node.op == "Expand" || node.op == "Tile" || node.op == "Range" || node.op == "Pad" ||
                     node.op == "Resize" || node.op == "OneHot" || node.op == "Reshape";
  for (ValueId output : node.outputs) {
    if (output == kNone) continue;
    if (graph.value(output).type.kind != ValueType::Kind::Tensor) return false;
    if (grows && !concrete_shape_of(graph, output)) return false;
  }
  const auto is_given = [&](ValueId v) { return v == kNone || graph.value(v).is_constant(); };
  return std::all_of(node.inputs.begin(), node.inputs.end(), is_given) && results_are_small(graph, node);
}

// Values of a failed or sequence-valued run stay as they are: the node then reports at run time.
bool fold(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<Datum> inputs, outputs(node.outputs.size());
  for (ValueId input : node.inputs) inputs.push_back(input == kNone ? Datum() : Datum(graph.value(input).constant));
  ops::KernelContext context(node.op, node.attributes, inputs, outputs);
  if (!ops::find_reference(node.op)(context).ok()) return false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] != kNone && outputs[i].kind != Datum::Kind::Tensor) return false;
  }
  const std::vector<ValueId> results = node.outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] != kNone) graph.make_constant(results[i], outputs[i].tensor);
  }
  graph.remove_node(id);
  return true;
}

}  // namespace

Result<bool> fold_constants(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (can_fold(graph, graph.node(id))) changed = fold(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
