// SPDX-License-Identifier: Apache-2.0
// Grows each group from its last node backwards: a producer joins when all its users are inside already, so a group
// can never come to depend on itself.
#include "passes/form_pointwise_programs.h"

#include <algorithm>
#include <map>
#include <set>

#include "ops/fused/lower_elementwise.h"
#include "passes/lower_quantization.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// Longer programs would spill registers and inputs without saving memory traffic.
constexpr std::size_t kMaxNodes = 48, kMaxInputs = 12;

bool has_types(const Graph& graph, const Node& node) {
  const auto is_known = [&](ValueId v) { return v == kNone || is_pointwise_type(type_of(graph, v)); };
  return std::all_of(node.inputs.begin(), node.inputs.end(), is_known) && is_known(node.outputs[0]);
}

// Whether the operator alone can be a program, tried with its own types.
bool is_expressible(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.outputs.size() != 1 || node.outputs[0] == kNone || node.inputs.empty() || !shape_of(graph, node.outputs[0]))
    return false;
  if (is_plain_quantization(graph, node)) return true;
  if (!is_lowerable(node.op) || !has_types(graph, node)) return false;
  std::vector<DataType> types;
  for (ValueId input : node.inputs) types.push_back(input == kNone ? DataType::undefined : type_of(graph, input));
  return program_of(node.op, node.attributes, types).ok();
}

// Shape arithmetic is small and better left in sight of the shape rules.
bool is_worth_it(const Graph& graph, NodeId id) {
  const ValueId result = graph.node(id).outputs[0];
  return rank_of(graph, result) >= 2 || is_floating(type_of(graph, result));
}

class Group {
 public:
  Group(const Graph& graph, NodeId root) : graph_(graph), root_(root), members_{root} { grow(); }

  const std::set<NodeId>& members() const { return members_; }

 private:
  void grow() {
    const ValueId result = graph_.node(root_).outputs[0];
    std::vector<NodeId> frontier = {root_};
    while (!frontier.empty()) {
      const NodeId id = frontier.back();
      frontier.pop_back();
      for (ValueId input : graph_.node(id).inputs) {
        if (input == kNone || graph_.value(input).is_constant()) continue;
        const NodeId producer = graph_.value(input).producer;
        if (producer == kNone || members_.contains(producer) || members_.size() >= kMaxNodes) continue;
        if (graph_.is_graph_output(input) || !have_same_shape(graph_, input, result)) continue;
        const auto& users = graph_.users(input);
        if (!std::all_of(users.begin(), users.end(), [&](NodeId user) { return members_.contains(user); })) continue;
        if (!is_expressible(graph_, producer)) continue;
        members_.insert(producer);
        if (count_inputs() > kMaxInputs) {
          members_.erase(producer);
          continue;
        }
        // A diamond closes only when its last user has joined: look at everything again.
        frontier.assign(members_.begin(), members_.end());
        break;
      }
    }
  }

  std::size_t count_inputs() const {
    std::set<ValueId> inputs;
    for (NodeId id : members_) {
      for (ValueId v : graph_.node(id).inputs) {
        if (v != kNone && !scalar_of(graph_, v) && !members_.contains(graph_.value(v).producer)) inputs.insert(v);
      }
    }
    return inputs.size();
  }

  const Graph& graph_;
  NodeId root_;
  std::set<NodeId> members_;
};

// Writes the group's program; the node's inputs come out in order of first use.
class Writer {
 public:
  Writer(Graph& graph, const std::set<NodeId>& members) : graph_(graph), members_(members) {}

  Result<Node> write(NodeId root) {
    FOVEA_ASSIGN(const int result, value(graph_.node(root).outputs[0]));
    program_.outputs = {result};
    program_.remove_unused();
    FOVEA_RETURN_IF_ERROR(program_.verify());
    Node node;
    node.op = "fovea::pointwise";
    node.inputs = inputs_;
    node.attributes.set("program", program_.to_string());
    return node;
  }

 private:
  Result<int> value(ValueId id) {
    if (const auto known = known_.find(id); known != known_.end()) return known->second;
    const NodeId producer = graph_.value(id).producer;
    if (producer == kNone || !members_.contains(producer)) return known_[id] = leaf(id);
    const Node& node = graph_.node(producer);
    if (is_plain_quantization(graph_, node)) {
      FOVEA_ASSIGN(const int x, value(node.inputs[0]));
      FOVEA_ASSIGN(known_[id], lower_quantization(graph_, node, x, program_));
      return known_[id];
    }
    std::vector<int> operands;
    for (ValueId input : node.inputs) {
      if (input == kNone) {
        operands.push_back(-1);
        continue;
      }
      FOVEA_ASSIGN(const int operand, value(input));
      operands.push_back(operand);
    }
    FOVEA_ASSIGN(const int result, lower_elementwise(node.op, node.attributes, operands, program_));
    return known_[id] = result;
  }

  int leaf(ValueId id) {
    const DataType type = type_of(graph_, id);
    if (const auto number = scalar_of(graph_, id)) {
      if (type == DataType::i64)
        return program_.add_constant_int(type, graph_.value(id).constant.values<std::int64_t>()[0]);
      return is_floating(type) ? program_.add_constant(type, *number)
                               : program_.add_constant_int(type, static_cast<std::int64_t>(*number));
    }
    inputs_.push_back(id);
    return program_.add_input(type, static_cast<int>(inputs_.size()) - 1);
  }

  Graph& graph_;
  const std::set<NodeId>& members_;
  PointwiseProgram program_;
  std::vector<ValueId> inputs_;
  std::map<ValueId, int> known_;
};

// A constant scalar of rank 4 makes a [1] tensor rank 4: then the constant must stay an input.
bool keeps_rank(const Graph& graph, const std::set<NodeId>& members, ValueId result) {
  const int rank = rank_of(graph, result);
  bool full = false;
  for (NodeId id : members) {
    for (ValueId v : graph.node(id).inputs) {
      if (v == kNone || members.contains(graph.value(v).producer) || scalar_of(graph, v)) continue;
      full = full || rank_of(graph, v) == rank;
    }
  }
  return full;
}

}  // namespace

Result<bool> form_pointwise_programs(Graph& graph) {
  bool changed = false;
  const std::vector<NodeId> order = graph.topological_order();
  for (auto root = order.rbegin(); root != order.rend(); ++root) {
    if (!graph.alive(*root) || !is_expressible(graph, *root) || !is_worth_it(graph, *root)) continue;
    const Group group(graph, *root);
    // Quantisation has no kernel of its own: alone it becomes a program too.
    const bool enough = group.members().size() >= 2 || is_plain_quantization(graph, graph.node(*root));
    if (!enough || !keeps_rank(graph, group.members(), graph.node(*root).outputs[0])) continue;
    auto node = Writer(graph, group.members()).write(*root);
    if (!node.ok() || node->inputs.empty()) continue;
    replace_node(graph, *root, *std::move(node), {group.members().begin(), group.members().end()});
    changed = true;
  }
  return changed;
}

}  // namespace fovea::passes
