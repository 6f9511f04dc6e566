// SPDX-License-Identifier: Apache-2.0
#include "passes/canonicalize_operators.h"

#include <algorithm>
#include <cmath>

#include "base/onnx_data_type.h"
#include "passes/reshape_target.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

bool is_real(DataType type) {
  return type == DataType::f32 || type == DataType::f64 || type == DataType::f16 || type == DataType::bf16;
}

bool split_sum(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (node.op != "Sum" || node.inputs.size() < 2) return false;
  ValueId sum = node.inputs[0];
  for (std::size_t i = 1; i + 1 < node.inputs.size(); ++i) {
    sum = graph.add_node("Add", node.name, {sum, node.inputs[i]});
    graph.value(sum).type = graph.value(node.outputs[0]).type;
  }
  replace_node(graph, id, "Add", {sum, node.inputs.back()});
  return true;
}

bool constant_to_the_right(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if ((node.op != "Add" && node.op != "Mul") || node.inputs.size() != 2) return false;
  const ValueId left = node.inputs[0], right = node.inputs[1];
  if (!constant_of(graph, left) || constant_of(graph, right)) return false;
  graph.set_input(id, 0, right);
  graph.set_input(id, 1, left);
  return true;
}

// A constant as f(each element), or kNone if f refuses one.
template <class F>
ValueId mapped_constant(Graph& graph, ValueId value, F f) {
  const Tensor tensor = *constant_of(graph, value);
  std::vector<double> values = to_doubles(tensor);
  for (double& v : values) {
    const auto mapped = f(v);
    if (!mapped) return kNone;
    v = *mapped;
  }
  return graph.add_constant(graph.value(value).name, from_doubles(tensor.type(), tensor.shape(), values));
}

bool subtraction_to_addition(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Sub" || !constant_of(graph, node.inputs[1]) || constant_of(graph, node.inputs[0])) return false;
  if (!is_real(type_of(graph, node.inputs[1]))) return false;
  const ValueId x = node.inputs[0];
  const ValueId negated = mapped_constant(graph, node.inputs[1], [](double v) { return std::optional(-v); });
  replace_node(graph, id, "Add", {x, negated});
  return true;
}

bool division_to_product(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Div" || !constant_of(graph, node.inputs[1]) || constant_of(graph, node.inputs[0])) return false;
  if (!is_real(type_of(graph, node.inputs[1]))) return false;
  const ValueId x = node.inputs[0];
  const ValueId inverse = mapped_constant(graph, node.inputs[1], [](double v) -> std::optional<double> {
    int exponent = 0;
    const bool exact = std::abs(std::frexp(v, &exponent)) == 0.5 && std::abs(exponent) < 13;  // also exact in f16
    return exact ? std::optional(1 / v) : std::nullopt;
  });
  if (inverse == kNone) return false;
  replace_node(graph, id, "Mul", {x, inverse});
  return true;
}

// op(x, scalar constant), either way round: x and the constant.
struct WithScalar {
  ValueId x = kNone, constant = kNone;
  double number = 0;
};

std::optional<WithScalar> with_scalar(const Graph& graph, const Node& node, std::string_view op) {
  if (node.op != op || node.inputs.size() != 2 || !is_real(type_of(graph, node.outputs[0]))) return std::nullopt;
  for (std::size_t i : {1u, 0u}) {
    const auto number = scalar_of(graph, node.inputs[i]);
    if (number && graph.value(node.inputs[i]).constant.rank() == 0 && !std::isnan(*number)) {
      return WithScalar{node.inputs[1 - i], node.inputs[i], *number};
    }
  }
  return std::nullopt;
}

bool bounds_to_clip(Graph& graph, NodeId id) {
  const auto outer_min = with_scalar(graph, graph.node(id), "Min"),
             outer_max = with_scalar(graph, graph.node(id), "Max");
  if (!outer_min && !outer_max) return false;
  const WithScalar outer = outer_min ? *outer_min : *outer_max;
  const NodeId first = graph.value(outer.x).producer;
  const auto inner = first == kNone ? std::nullopt : with_scalar(graph, graph.node(first), outer_min ? "Max" : "Min");
  if (!inner || !is_used_once(graph, outer.x)) return false;
  const WithScalar& low = outer_min ? *inner : outer;
  const WithScalar& high = outer_min ? outer : *inner;
  if (low.number > high.number) return false;
  replace_node(graph, id, "Clip", {inner->x, low.constant, high.constant}, {}, {first});
  return true;
}

bool clip_to_relu(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (const auto max = with_scalar(graph, node, "Max"); max && max->number == 0) {
    if (rank_of(graph, max->x) < 0) return false;
    replace_node(graph, id, "Relu", {max->x});
    return true;
  }
  if (node.op != "Clip" || !node.has_input(1) || !is_real(type_of(graph, node.inputs[0]))) return false;
  const auto low = scalar_of(graph, node.inputs[1]);
  const auto high = node.has_input(2) ? scalar_of(graph, node.inputs[2]) : std::optional<double>(INFINITY);
  if (!low || *low != 0 || !high || !std::isinf(*high) || *high < 0) return false;
  replace_node(graph, id, "Relu", {node.inputs[0]});
  return true;
}

bool prelu_to_leaky_relu(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "PRelu" || !is_real(type_of(graph, node.inputs[0]))) return false;
  const auto slope = uniform_of(graph, node.inputs[1]);
  const bool keeps_shape = have_same_shape(graph, node.inputs[0], node.outputs[0]);
  if (!slope || !keeps_shape) return false;
  Attributes attributes;
  attributes.set("alpha", *slope);
  replace_node(graph, id, "LeakyRelu", {node.inputs[0]}, std::move(attributes));
  return true;
}

bool mean_to_pool(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "ReduceMean" || !node.has_input(1) || node.attributes.get_int("keepdims", 1) == 0) return false;
  if (rank_of(graph, node.inputs[0]) != 4 || !is_real(type_of(graph, node.inputs[0]))) return false;
  auto axes = integers_of(graph, node.inputs[1]);
  if (!axes) return false;
  for (std::int64_t& axis : *axes) axis += axis < 0 ? 4 : 0;
  std::sort(axes->begin(), axes->end());
  if (*axes != std::vector<std::int64_t>{2, 3}) return false;
  replace_node(graph, id, "GlobalAveragePool", {node.inputs[0]});
  return true;
}

bool cast_like_to_cast(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "CastLike") return false;
  const DataType to = type_of(graph, node.inputs[1]);
  if (to == DataType::undefined) return false;
  Attributes attributes = node.attributes;
  attributes.set("to", onnx_number(to));
  replace_node(graph, id, "Cast", {node.inputs[0]}, std::move(attributes));
  return true;
}

// One slice of the outermost axis lies in one piece: as a Slice it needs no copy.
bool gather_to_slice(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Gather" || !is_real(type_of(graph, node.inputs[0]))) return false;
  const Tensor* indices = constant_of(graph, node.inputs[1]);
  const auto index = indices && indices->rank() == 0 ? integers_of(graph, node.inputs[1]) : std::nullopt;
  const SymbolicShape* shape = shape_of(graph, node.inputs[0]);
  if (!index || !shape || shape->empty() || node.attributes.get_int("axis") != 0 || !(*shape)[0].is_constant())
    return false;
  const std::int64_t extent = (*shape)[0].constant(), at = (*index)[0] + ((*index)[0] < 0 ? extent : 0);
  if (at < 0 || at >= extent) return false;
  SymbolicShape sliced = *shape;
  sliced[0] = Dim(1);
  const ValueId x = node.inputs[0], output = node.outputs[0];
  const DataType type = type_of(graph, x);
  const ValueId piece = add_typed_node(
      graph, "Slice", node.name,
      {x, graph.add_constant("start", from_integers({at})), graph.add_constant("end", from_integers({at + 1})),
       graph.add_constant("axis", from_integers({0}))},
      {}, type, std::move(sliced));
  const auto target = reshape_target(graph, piece, output);
  if (!target) {
    graph.remove_node(graph.value(piece).producer);
    return false;
  }
  replace_node(graph, id, "Reshape", {piece, graph.add_constant("shape", from_integers(*target))});
  return true;
}

bool to_reshape(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Flatten" && node.op != "Squeeze" && node.op != "Unsqueeze") return false;
  const auto target = reshape_target(graph, node.inputs[0], node.outputs[0]);
  if (!target) return false;
  const ValueId shape = graph.add_constant("shape", from_integers(*target));
  replace_node(graph, id, "Reshape", {node.inputs[0], shape});
  return true;
}

}  // namespace

Result<bool> canonicalize_operators(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    for (auto rewrite :
         {split_sum, constant_to_the_right, subtraction_to_addition, division_to_product, bounds_to_clip, clip_to_relu,
          prelu_to_leaky_relu, mean_to_pool, cast_like_to_cast, gather_to_slice, to_reshape}) {
      if (graph.alive(id)) changed = rewrite(graph, id) || changed;
    }
  }
  return changed;
}

}  // namespace fovea::passes
