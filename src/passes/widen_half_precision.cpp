// SPDX-License-Identifier: Apache-2.0
#include "passes/widen_half_precision.h"

#include <algorithm>

#include "base/onnx_data_type.h"
#include "ops/user_operators.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_half(DataType type) { return type == DataType::f16 || type == DataType::bf16; }
bool is_half(const ir::Value& value) { return is_half(value.type.element); }

Tensor widened(const Tensor& tensor) { return from_doubles(DataType::f32, tensor.shape(), to_doubles(tensor)); }

// Names of attributes that hold an element type.
constexpr std::string_view kTypeAttributes[] = {"to", "dtype", "output_dtype"};

bool can_widen(const Graph& graph) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (is_half(graph.value(id)) && graph.value(id).type.kind != ValueType::Kind::Tensor) return false;
  }
  for (NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    const Node& node = graph.node(id);
    if (!node.bodies.empty() || node.op == "BitCast" || ops::find_user_operator(node.op)) return false;
    // A type that is not known yet may be a half.
    for (ValueId output : node.outputs) {
      if (output != kNone && graph.value(output).type.element == DataType::undefined) return false;
    }
  }
  return true;
}

// Work in f16 or bf16, other than conversions to and from it.
bool computes_in_half(const Graph& graph) {
  for (NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id) || graph.node(id).op == "Cast") continue;
    for (ValueId output : graph.node(id).outputs) {
      if (output != kNone && is_half(graph.value(output))) return true;
    }
  }
  return false;
}

void widen_attributes(Node& node) {
  for (std::string_view name : kTypeAttributes) {
    const DataType type = data_type_from_onnx(node.attributes.get_int(name));
    if (is_half(type)) node.attributes.set(std::string(name), onnx_number(DataType::f32));
  }
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const auto& [name, value] : node.attributes) {
    const Tensor* tensor = std::get_if<Tensor>(&value);
    if (tensor && is_half(tensor->type())) tensors.emplace_back(name, widened(*tensor));
  }
  for (auto& [name, tensor] : tensors) node.attributes.set(name, std::move(tensor));
}

ValueId add_cast(Graph& graph, ValueId value, DataType to, ValueId target) {
  Node cast;
  cast.op = "Cast";
  cast.name = graph.value(value).name + ".cast";
  cast.attributes.set("to", onnx_number(to));
  cast.inputs = {value};
  cast.outputs = {target};
  graph.add_node(std::move(cast));
  return target;
}

// The input keeps its type; what read it reads an f32 copy.
void widen_input(Graph& graph, ValueId input) {
  const ir::Value outside = graph.value(input);
  const ValueId inside =
      graph.add_value(outside.name + ".f32", {ValueType::Kind::Tensor, DataType::f32}, outside.shape);
  const std::vector<ValueId> outputs = graph.outputs;
  graph.replace_uses(input, inside);
  graph.outputs = outputs;
  add_cast(graph, input, DataType::f32, inside);
}

// The output keeps its name and type; the node that made it makes an f32 value instead.
void widen_output(Graph& graph, ValueId output) {
  const ir::Value outside = graph.value(output);
  const NodeId producer = outside.producer;
  const auto& outputs = graph.node(producer).outputs;
  const auto index = static_cast<int>(std::find(outputs.begin(), outputs.end(), output) - outputs.begin());
  const ValueId inside =
      graph.add_value(outside.name + ".f32", {ValueType::Kind::Tensor, DataType::f32}, outside.shape);
  graph.set_output(producer, index, inside);
  const std::vector<ValueId> graph_outputs = graph.outputs;
  graph.replace_uses(output, inside);
  graph.outputs = graph_outputs;
  add_cast(graph, inside, outside.type.element, output);
}

}  // namespace

Result<bool> widen_half_precision(Graph& graph) {
  if (!computes_in_half(graph) || !can_widen(graph)) return false;
  for (NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (graph.alive(id)) widen_attributes(graph.node(id));
  }
  for (ValueId id = 0, count = graph.num_values(); id < count; ++id) {
    if (!is_half(graph.value(id)) || !is_used(graph, id)) continue;
    const bool is_output = graph.is_graph_output(id);
    if (graph.is_graph_input(id)) {
      if (!graph.users(id).empty()) widen_input(graph, id);
    } else if (graph.value(id).is_constant()) {
      const Tensor wide = widened(graph.value(id).constant);
      if (is_output) {
        const std::vector<ValueId> outputs = graph.outputs;
        graph.replace_uses(id, graph.add_constant(graph.value(id).name, wide));
        graph.outputs = outputs;
        continue;
      }
      graph.value(id).type.element = DataType::f32;
      graph.value(id).constant = wide;
    } else if (is_output) {
      widen_output(graph, id);
    } else {
      graph.value(id).type.element = DataType::f32;
    }
  }
  return true;
}

}  // namespace fovea::passes
