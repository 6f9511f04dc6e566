// SPDX-License-Identifier: Apache-2.0
#include "compiler/cut_into_strips.h"

#include <algorithm>

#include "ops/rows.h"
#include "runtime/strips.h"

namespace fovea::compiler {

namespace {

constexpr std::size_t kReach = 64;  // nodes looked at behind the last one found; exporters put arithmetic on shapes between

class Gatherer {
 public:
  Gatherer(const ir::Graph& graph, const BytesOf& bytes) : graph_(graph), bytes_(bytes) {}

  /// The nodes that run with order[first], and those between that go before and stay behind them.
  struct Group {
    std::vector<ir::NodeId> ahead, members, behind;
    std::size_t end = 0;  // in the order
    int axis = -1;
  };

  /// Nothing worth it: no members.
  Group gather(const std::vector<ir::NodeId>& order, std::size_t first) {
    Group group;
    group.axis = row_axis(order[first]);
    if (group.axis < 0) return group;
    const SymbolicShape& shape = *graph_.value(graph_.node(order[first]).outputs[0]).shape;
    rank_ = static_cast<int>(shape.size());
    leading_.assign(shape.begin(), shape.begin() + group.axis + 1);
    made_.clear();
    later_.clear();
    add(order[first], group);
    group.end = first + 1;
    std::vector<ir::NodeId> ahead, behind;  // since the last member
    for (std::size_t at = first + 1; at < order.size() && at < group.end + kReach; ++at) {
      const ir::NodeId id = order[at];
      if (reads(id, later_)) {
        push_behind(id, behind);
      } else if (!reads(id, made_)) {
        if (!is_small(id)) break;  // it would be held longer
        ahead.push_back(id);
      } else if (fits(id, group.axis)) {
        add(id, group);
        group.end = at + 1;
        group.ahead.insert(group.ahead.end(), ahead.begin(), ahead.end());
        group.behind.insert(group.behind.end(), behind.begin(), behind.end());
        ahead.clear();
        behind.clear();
      } else {
        push_behind(id, behind);
      }
    }
    if (!saves_much(group)) group.members.clear();
    return group;
  }

 private:
  using Values = std::set<ir::ValueId>;

  /// The axis at which the node's only output may be cut; -1: it may not.
  int row_axis(ir::NodeId id) const {
    const ir::Node& node = graph_.node(id);
    if (!node.bodies.empty() || std::count_if(node.outputs.begin(), node.outputs.end(), [](ir::ValueId v) { return v != ir::kNone; }) != 1 || node.outputs[0] == ir::kNone) return -1;
    const ir::Value& output = graph_.value(node.outputs[0]);
    if (output.type.kind != ValueType::Kind::Tensor || !output.shape || output.layout != Layout::plain) return -1;
    for (ir::ValueId v : node.inputs) {
      if (v == ir::kNone) continue;
      const ir::Value& input = graph_.value(v);
      if (input.type.kind != ValueType::Kind::Tensor || !input.shape || input.layout != Layout::plain) return -1;
      if (node.op == "MatMul" && input.shape->size() < 2) return -1;
    }
    return ops::last_row_axis(node.op, node.attributes, static_cast<int>(output.shape->size()));
  }

  /// The same rows as the group's, and of what the group made only these.
  bool fits(ir::NodeId id, int axis) const {
    if (row_axis(id) < axis) return false;
    const ir::Node& node = graph_.node(id);
    if (!has_rows(node.outputs[0])) return false;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ir::ValueId v = node.inputs[i];
      if (v == ir::kNone || !made_.contains(v)) continue;
      if (!has_rows(v) || ops::last_cut_axis(node.op, static_cast<int>(i), rank_, axis) != axis) return false;
    }
    return true;
  }

  bool has_rows(ir::ValueId v) const {
    const SymbolicShape& shape = *graph_.value(v).shape;
    return static_cast<int>(shape.size()) == rank_ && std::equal(leading_.begin(), leading_.end(), shape.begin());
  }

  bool reads(ir::NodeId id, const Values& values) const {
    const auto& inputs = graph_.node(id).inputs;
    return std::any_of(inputs.begin(), inputs.end(), [&](ir::ValueId v) { return values.contains(v); });
  }

  bool is_small(ir::NodeId id) const {
    const auto& outputs = graph_.node(id).outputs;
    return std::all_of(outputs.begin(), outputs.end(), [&](ir::ValueId v) { return v == ir::kNone || bytes_(v) <= kStripBytes; });
  }

  void add(ir::NodeId id, Group& group) {
    group.members.push_back(id);
    made_.insert(graph_.node(id).outputs[0]);
  }

  void push_behind(ir::NodeId id, std::vector<ir::NodeId>& behind) {
    behind.push_back(id);
    for (ir::ValueId v : graph_.node(id).outputs) later_.insert(v);
  }

  /// A value that only members use, too large for one strip.
  bool saves_much(const Group& group) const {
    const auto is_member = [&](ir::NodeId id) { return std::find(group.members.begin(), group.members.end(), id) != group.members.end(); };
    return std::any_of(made_.begin(), made_.end(), [&](ir::ValueId v) {
      const auto& users = graph_.users(v);
      return bytes_(v) > kStripBytes && !users.empty() && !graph_.is_graph_output(v) && std::all_of(users.begin(), users.end(), is_member);
    });
  }

  const ir::Graph& graph_;
  const BytesOf& bytes_;
  int rank_ = 0;
  SymbolicShape leading_;
  Values made_, later_;  // by members; by nodes that wait for them
};

}  // namespace

void cut_into_strips(const ir::Graph& graph, const BytesOf& bytes, Decisions& decisions) {
  Gatherer gatherer(graph, bytes);
  std::vector<ir::NodeId>& order = decisions.order;
  for (std::size_t at = 0; at < order.size(); ++at) {
    const auto group = gatherer.gather(order, at);
    if (group.members.empty()) continue;
    auto place = std::copy(group.ahead.begin(), group.ahead.end(), order.begin() + static_cast<std::ptrdiff_t>(at));
    const auto first = static_cast<int>(place - order.begin());
    place = std::copy(group.members.begin(), group.members.end(), place);
    decisions.strips.push_back({first, static_cast<int>(place - order.begin()) - 1, group.axis});
    std::copy(group.behind.begin(), group.behind.end(), place);
    at = static_cast<std::size_t>(decisions.strips.back().last);
  }
}

}  // namespace fovea::compiler
