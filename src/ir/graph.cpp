// SPDX-License-Identifier: Apache-2.0
#include "ir/graph.h"

#include <algorithm>
#include <queue>

#include "base/check.h"
#include "base/unique_name.h"

namespace fovea::ir {

namespace {

void erase_one(std::vector<NodeId>& list, NodeId id) {
  const auto it = std::find(list.begin(), list.end(), id);
  FOVEA_CHECK(it != list.end());
  *it = list.back();
  list.pop_back();
}

}  // namespace

std::string Graph::unique_value_name(std::string_view hint) {
  return unique_name(std::string(hint.empty() ? "v" : hint), [&](const std::string& name_tried) { return value_names_.contains(name_tried); });
}

ValueId Graph::add_value(std::string_view hint, ValueType type, std::optional<SymbolicShape> shape) {
  const auto id = static_cast<ValueId>(values_.size());
  Value value;
  value.name = unique_value_name(hint);
  value.type = type;
  value.shape = std::move(shape);
  value_names_.emplace(value.name, id);
  values_.push_back(std::move(value));
  users_.emplace_back();
  return id;
}

ValueId Graph::add_constant(std::string_view hint, Tensor tensor) {
  const ValueId id = add_value(hint, {ValueType::Kind::Tensor, tensor.type()}, to_symbolic(tensor.shape()));
  value(id).constant = std::move(tensor);
  return id;
}

NodeId Graph::add_node(Node node) {
  const auto id = static_cast<NodeId>(nodes_.size());
  if (node.name.empty()) node.name = node.op;
  if (const auto taken = node_names_.find(node.name); taken != node_names_.end()) {
    const std::string base = node.name;
    do {
      node.name = base + "_" + std::to_string(taken->second++);
    } while (node_names_.contains(node.name));
  }
  node_names_.emplace(node.name, 1);
  for (ValueId input : node.inputs) {
    if (input != kNone) users_[static_cast<std::size_t>(input)].push_back(id);
  }
  for (ValueId output : node.outputs) {
    if (output != kNone) value(output).producer = id;
  }
  nodes_.push_back(std::move(node));
  alive_.push_back(1);
  return id;
}

ValueId Graph::add_node(std::string_view op, std::string_view hint, std::vector<ValueId> inputs, Attributes attributes) {
  Node node;
  node.name = std::string(hint);  // before the value is added: the hint may be the name of another value, which moves
  const ValueId output = add_value(node.name);
  node.op = std::string(op);
  node.attributes = std::move(attributes);
  node.inputs = std::move(inputs);
  node.outputs = {output};
  add_node(std::move(node));
  return output;
}

int Graph::num_nodes() const { return static_cast<int>(std::count(alive_.begin(), alive_.end(), 1)); }

ValueId Graph::find_value(std::string_view name) const {
  const auto it = value_names_.find(name);
  return it == value_names_.end() ? kNone : it->second;
}

bool Graph::is_graph_input(ValueId id) const { return std::find(inputs.begin(), inputs.end(), id) != inputs.end(); }
bool Graph::is_graph_output(ValueId id) const { return std::find(outputs.begin(), outputs.end(), id) != outputs.end(); }

std::optional<std::vector<NodeId>> Graph::try_topological_order() const {
  std::vector<int> missing(nodes_.size(), 0);
  std::priority_queue<NodeId, std::vector<NodeId>, std::greater<>> ready;
  int live = 0;
  for (NodeId id = 0; id < num_node_slots(); ++id) {
    if (!alive(id)) continue;
    ++live;
    for (ValueId input : node(id).inputs) {
      if (input != kNone && value(input).producer != kNone) ++missing[static_cast<std::size_t>(id)];
    }
    if (missing[static_cast<std::size_t>(id)] == 0) ready.push(id);
  }
  std::vector<NodeId> order;
  while (!ready.empty()) {
    const NodeId id = ready.top();
    ready.pop();
    order.push_back(id);
    for (ValueId output : node(id).outputs) {
      if (output == kNone) continue;
      for (NodeId user : users(output)) {
        if (--missing[static_cast<std::size_t>(user)] == 0) ready.push(user);
      }
    }
  }
  if (static_cast<int>(order.size()) != live) return std::nullopt;
  return order;
}

std::vector<NodeId> Graph::topological_order() const {
  auto order = try_topological_order();
  FOVEA_CHECK(order.has_value());
  return *std::move(order);
}

void Graph::set_input(NodeId id, int index, ValueId to) {
  ValueId& slot = node(id).inputs[static_cast<std::size_t>(index)];
  if (slot == to) return;
  if (slot != kNone) erase_one(users_[static_cast<std::size_t>(slot)], id);
  slot = to;
  if (to != kNone) users_[static_cast<std::size_t>(to)].push_back(id);
}

void Graph::replace_uses(ValueId from, ValueId to) {
  if (from == to) return;
  const std::vector<NodeId> readers = users(from);
  for (NodeId reader : readers) {
    const auto count = static_cast<int>(node(reader).inputs.size());
    for (int i = 0; i < count; ++i) {
      if (node(reader).inputs[static_cast<std::size_t>(i)] == from) set_input(reader, i, to);
    }
  }
  std::replace(outputs.begin(), outputs.end(), from, to);
}

void Graph::remove_node(NodeId id) {
  FOVEA_CHECK(alive(id));
  Node& dead = node(id);
  for (ValueId input : dead.inputs) {
    if (input != kNone) erase_one(users_[static_cast<std::size_t>(input)], id);
  }
  for (ValueId output : dead.outputs) {
    if (output != kNone && value(output).producer == id) value(output).producer = kNone;
  }
  node_names_.erase(dead.name);
  dead = Node();
  alive_[static_cast<std::size_t>(id)] = 0;
}

void Graph::set_output(NodeId id, int index, ValueId to) {
  Node& changed = node(id);
  if (index >= static_cast<int>(changed.outputs.size())) changed.outputs.resize(static_cast<std::size_t>(index) + 1, kNone);
  ValueId& slot = changed.outputs[static_cast<std::size_t>(index)];
  if (slot != kNone && value(slot).producer == id) value(slot).producer = kNone;
  slot = to;
  if (to != kNone) value(to).producer = id;
}

void Graph::make_constant(ValueId id, Tensor tensor) {
  Value& changed = value(id);
  if (changed.producer != kNone) {
    for (ValueId& output : node(changed.producer).outputs) {
      if (output == id) output = kNone;
    }
    changed.producer = kNone;
  }
  changed.type = {ValueType::Kind::Tensor, tensor.type()};
  changed.shape = to_symbolic(tensor.shape());
  changed.constant = std::move(tensor);
}

bool Graph::rename_value(ValueId id, std::string new_name) {
  if (value(id).name == new_name) return true;
  if (new_name.empty() || value_names_.contains(new_name)) return false;
  value_names_.erase(value(id).name);
  value_names_.emplace(new_name, id);
  value(id).name = std::move(new_name);
  return true;
}

void Graph::compact() {
  const std::vector<NodeId> order = topological_order();
  std::vector<char> used(values_.size(), 0);
  const auto mark = [&](ValueId id) {
    if (id != kNone) used[static_cast<std::size_t>(id)] = 1;
  };
  for (ValueId id : inputs) mark(id);
  for (ValueId id : outputs) mark(id);
  for (NodeId id : order) {
    for (ValueId v : node(id).inputs) mark(v);
    for (ValueId v : node(id).outputs) mark(v);
  }
  Graph fresh;
  fresh.name = name;
  fresh.metadata = metadata;
  std::vector<ValueId> renumbered(values_.size(), kNone);
  for (ValueId id = 0; id < num_values(); ++id) {
    if (!used[static_cast<std::size_t>(id)]) continue;
    Value& old = value(id);
    const ValueId now = fresh.add_value(old.name, old.type, std::move(old.shape));
    fresh.value(now).constant = std::move(old.constant);
    fresh.value(now).layout = old.layout;
    renumbered[static_cast<std::size_t>(id)] = now;
  }
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      if (id != kNone) id = renumbered[static_cast<std::size_t>(id)];
    }
  };
  fresh.inputs = inputs;
  fresh.outputs = outputs;
  renumber(fresh.inputs);
  renumber(fresh.outputs);
  for (NodeId id : order) {
    Node moved = std::move(node(id));
    renumber(moved.inputs);
    renumber(moved.outputs);
    for (Graph& body : moved.bodies) body.compact();
    fresh.add_node(std::move(moved));
  }
  *this = std::move(fresh);
}

}  // namespace fovea::ir
