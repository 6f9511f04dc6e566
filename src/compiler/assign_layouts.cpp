// SPDX-License-Identifier: Apache-2.0
#include "compiler/assign_layouts.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "ops/fused/lower_elementwise.h"

namespace fovea::compiler {

namespace {

/// How a node looks at layouts.
enum class Attitude : std::uint8_t {
  Plain,     ///< everything plain
  Prefers,   ///< data in and out channels-last
  Follows,   ///< in and out share a layout, either one is as good
  Converts,  ///< reads and writes any layout, each side its own (Transpose)
};

bool among(std::string_view op, std::initializer_list<std::string_view> list) { return std::find(list.begin(), list.end(), op) != list.end(); }

class LayoutAssigner {
 public:
  explicit LayoutAssigner(ir::Graph& graph) : graph_(graph) {}

  Status run() {
    const std::vector<ir::NodeId> order = graph_.topological_order();
    attitude_.assign(static_cast<std::size_t>(graph_.num_node_slots()), Attitude::Plain);
    channels_last_.assign(attitude_.size(), 0);
    for (ir::NodeId id : order) at(attitude_, id) = attitude_of(graph_.node(id));
    // 1. Forwards: what reads a channels-last value follows.
    for (ir::NodeId id : order) {
      if (at(attitude_, id) == Attitude::Prefers) at(channels_last_, id) = 1;
      if (at(attitude_, id) == Attitude::Follows) at(channels_last_, id) = reads_channels_last(id);
    }
    // 2. Backwards: what feeds only channels-last nodes joins them, which moves the reorder to its (smaller) input.
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      if (at(channels_last_, *it)) continue;
      const Attitude attitude = at(attitude_, *it);
      if (attitude == Attitude::Follows && feeds_only_channels_last(*it) && shaped_inputs(*it) == 1) at(channels_last_, *it) = 1;
      if (attitude == Attitude::Converts && feeds_only_channels_last(*it)) at(channels_last_, *it) = 1;
    }
    // 3. Layouts of values, then reorders where a user needs another.
    for (ir::NodeId id : order) {
      if (!at(channels_last_, id)) continue;
      for (ir::ValueId output : graph_.node(id).outputs) {
        if (shaped(output)) graph_.value(output).layout = Layout::nhwc;
      }
    }
    for (ir::NodeId id : order) {
      for (int i = 0; i < static_cast<int>(graph_.node(id).inputs.size()); ++i) fit_input(id, i);
    }
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) fit_output(i);
    return {};
  }

 private:
  template <class T>
  static T& at(std::vector<T>& list, ir::NodeId id) { return list[static_cast<std::size_t>(id)]; }

  int rank(ir::ValueId id) const {
    if (id == ir::kNone || graph_.value(id).type.kind != ValueType::Kind::Tensor || !graph_.value(id).shape) return -1;
    return static_cast<int>(graph_.value(id).shape->size());
  }
  /// Has a channel axis that a layout could move, and is made by a node.
  bool shaped(ir::ValueId id) const { return rank(id) >= 3; }
  bool is_constant(const ir::Node& node, int i) const { return !node.has_input(i) || graph_.value(node.inputs[static_cast<std::size_t>(i)]).is_constant(); }
  bool is_f32(ir::ValueId id) const { return graph_.value(id).type.element == DataType::f32; }
  /// All elements beside batch and channels are 1: both layouts are the same memory order.
  bool is_vector(ir::ValueId id) const {
    const SymbolicShape& shape = *graph_.value(id).shape;
    return std::all_of(shape.begin() + 2, shape.end(), [](const Dim& d) { return d == Dim(1); });
  }

  Attitude attitude_of(const ir::Node& node) const {
    if (!node.bodies.empty() || node.inputs.empty() || node.inputs[0] == ir::kNone || node.outputs.empty() || node.outputs[0] == ir::kNone) return Attitude::Plain;
    const ir::ValueId x = node.inputs[0], y = node.outputs[0];
    const auto constants_from = [&](int first) {
      for (int i = first; i < static_cast<int>(node.inputs.size()); ++i) {
        if (!is_constant(node, i)) return false;
      }
      return true;
    };
    if (among(node.op, {"fovea::conv", "Conv", "ConvTranspose", "QLinearConv"})) {
      const bool typed = node.op == "QLinearConv" || is_f32(x);
      return typed && rank(x) >= 3 && rank(x) <= 5 && rank(y) == rank(x) ? Attitude::Prefers : Attitude::Plain;
    }
    if (node.op == "DeformConv") {
      const bool sampled = node.has_input(2) && rank(node.inputs[2]) == 4 && (!node.has_input(4) || rank(node.inputs[4]) == 4);
      return is_f32(x) && rank(x) == 4 && rank(y) == 4 && sampled ? Attitude::Prefers : Attitude::Plain;
    }
    if (node.op == "Transpose") return rank(x) == rank(y) && rank(x) >= 0 ? Attitude::Converts : Attitude::Plain;
    if (node.op.starts_with("Reduce")) return reduces_in_any_layout(node) ? Attitude::Converts : Attitude::Plain;
    if (!shaped(y)) return Attitude::Plain;
    if (among(node.op, {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"})) {
      const bool indices = node.outputs.size() > 1 && node.outputs[1] != ir::kNone;
      return is_f32(x) && rank(x) == rank(y) && rank(x) <= 5 && !indices ? Attitude::Follows : Attitude::Plain;
    }
    if (node.op == "Resize") {
      const bool simple = node.attributes.get_string("mode", "nearest") != "cubic" && node.attributes.get_int("antialias", 0) == 0;
      return is_f32(x) && rank(x) == 4 && simple && constants_from(1) ? Attitude::Follows : Attitude::Plain;
    }
    if (node.op == "Concat") {
      const bool same_rank = std::all_of(node.inputs.begin(), node.inputs.end(), [&](ir::ValueId v) { return v != ir::kNone && rank(v) == rank(y); });
      return same_rank ? Attitude::Follows : Attitude::Plain;
    }
    if (node.op == "Gather") {
      return rank(x) == rank(y) && node.has_input(1) && rank(node.inputs[1]) == 1 && constants_from(1) ? Attitude::Follows : Attitude::Plain;
    }
    if (among(node.op, {"Slice", "Split", "Pad", "DepthToSpace", "SpaceToDepth"})) {
      return rank(x) == rank(y) && constants_from(1) ? Attitude::Follows : Attitude::Plain;
    }
    if (among(node.op, {"RoiAlign", "mmcv::MMCVRoiAlign"})) {
      // With a number of regions that depends on data the map would be brought back to plain at each run.
      const bool mean = node.attributes.get_string("mode", "avg") == "avg";
      return is_f32(x) && rank(x) == 4 && mean && (*graph_.value(y).shape)[0].is_constant() ? Attitude::Follows : Attitude::Plain;
    }
    if (node.op == "Softmax" || node.op == "LogSoftmax") return is_f32(x) ? Attitude::Follows : Attitude::Plain;
    if (node.op == "fovea::pointwise" || is_lowerable(node.op)) return Attitude::Follows;
    return Attitude::Plain;
  }

  /// Over all of space or over the channels: what is kept lies in the same order in either layout.
  bool reduces_in_any_layout(const ir::Node& node) const {
    const ir::ValueId x = node.inputs[0];
    if (!among(node.op, {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare"}) || !is_f32(x) || !shaped(x)) return false;
    if (!node.has_input(1) || !graph_.value(node.inputs[1]).is_constant()) return false;
    const Tensor& listed = graph_.value(node.inputs[1]).constant;
    std::vector<int> axes;
    for (std::int64_t i = 0; listed.type() == DataType::i64 && i < listed.elements(); ++i) {
      const std::int64_t axis = listed.data<std::int64_t>()[i];
      axes.push_back(static_cast<int>(axis < 0 ? axis + rank(x) : axis));
    }
    std::sort(axes.begin(), axes.end());
    std::vector<int> space;
    for (int axis = 2; axis < rank(x); ++axis) space.push_back(axis);
    return axes == space || axes == std::vector<int>{1};
  }

  /// Inputs that must share the layout of a node that follows or prefers.
  bool takes_layout(const ir::Node& node, int i) const {
    if (!node.has_input(i)) return false;
    const ir::ValueId v = node.inputs[static_cast<std::size_t>(i)];
    if (!shaped(v)) return false;
    if (among(node.op, {"fovea::conv", "Conv", "ConvTranspose"})) return i == 0 || i == 3;
    if (node.op == "QLinearConv") return i == 0;
    if (node.op == "DeformConv") return i == 0 || i == 2 || i == 4;
    if (graph_.value(v).is_constant()) return false;
    if (among(node.op, {"Slice", "Split", "Pad", "Resize", "Gather"})) return i == 0;
    return rank(v) == rank(node.outputs[0]);
  }

  int shaped_inputs(ir::NodeId id) const {
    const ir::Node& node = graph_.node(id);
    int count = 0;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) count += takes_layout(node, i);
    return count;
  }

  bool reads_channels_last(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    bool any = false;
    for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) {
      if (!takes_layout(node, i)) continue;
      const ir::ValueId v = node.inputs[static_cast<std::size_t>(i)];
      const ir::NodeId producer = graph_.value(v).producer;
      any = any || (producer != ir::kNone && at(channels_last_, producer) && !is_vector(v));
      // A vector is the same in both layouts, so alone it decides only when the output is one too.
      any = any || (producer != ir::kNone && at(channels_last_, producer) && is_vector(node.outputs[0]));
    }
    return any;
  }

  bool feeds_only_channels_last(ir::NodeId id) {
    bool any = false;
    for (ir::ValueId output : graph_.node(id).outputs) {
      if (output == ir::kNone) continue;
      if (graph_.is_graph_output(output) || !shaped(output)) return false;
      for (ir::NodeId user : graph_.users(output)) {
        if (!at(channels_last_, user) || at(attitude_, user) == Attitude::Converts) return false;
        any = true;
      }
    }
    return any;
  }

  /// `v` in `layout`, through a reorder that all who need it share.
  ir::ValueId in_layout(ir::ValueId v, Layout layout) {
    if (graph_.value(v).layout == layout) return v;
    const auto found = reordered_.find({v, layout});
    if (found != reordered_.end()) return found->second;
    const ir::Value original = graph_.value(v);
    const ir::ValueId made = graph_.add_node("fovea::reorder", original.name + "_" + std::string(name(layout)), {v});
    ir::Value& value = graph_.value(made);
    value.type = original.type;
    value.shape = original.shape;
    value.layout = layout;
    reordered_[{v, layout}] = made;
    return made;
  }

  void fit_input(ir::NodeId id, int i) {
    const ir::Node& node = graph_.node(id);
    if (!node.has_input(i)) return;
    const ir::ValueId v = node.inputs[static_cast<std::size_t>(i)];
    if (!shaped(v)) return;
    const Attitude attitude = at(attitude_, id);
    if (attitude == Attitude::Converts) return;
    const bool program = node.op == "fovea::pointwise" || is_lowerable(node.op);
    // Programs address every input by its own strides: small ones may keep their layout.
    if (attitude == Attitude::Follows && program && is_vector(v)) return;
    const bool wants = takes_layout(node, i) && at(channels_last_, id);
    const ir::ValueId fitting = in_layout(v, wants ? Layout::nhwc : Layout::plain);
    if (fitting != v) graph_.set_input(id, i, fitting);
  }

  void fit_output(std::size_t i) {
    const ir::ValueId v = graph_.outputs[i];
    if (graph_.value(v).layout == Layout::plain) return;
    // The output keeps its name: the channels-last value moves to a new one.
    const ir::NodeId producer = graph_.value(v).producer;
    const ir::Node& node = graph_.node(producer);
    const auto place = static_cast<int>(std::find(node.outputs.begin(), node.outputs.end(), v) - node.outputs.begin());
    const ir::Value original = graph_.value(v);
    const ir::ValueId inner = graph_.add_value(original.name + "_nhwc", original.type, original.shape);
    graph_.value(inner).layout = Layout::nhwc;
    const std::vector<ir::NodeId> users = graph_.users(v);
    graph_.set_output(producer, place, inner);
    for (ir::NodeId user : users) {
      for (int k = 0; k < static_cast<int>(graph_.node(user).inputs.size()); ++k) {
        if (graph_.node(user).inputs[static_cast<std::size_t>(k)] == v) graph_.set_input(user, k, inner);
      }
    }
    graph_.value(v).layout = Layout::plain;
    // Those who needed it plain already have a reorder: that one becomes the output.
    ir::Node reorder;
    reorder.op = "fovea::reorder";
    reorder.name = original.name + "_plain";
    reorder.inputs = {inner};
    reorder.outputs = {v};
    graph_.add_node(std::move(reorder));
    const auto shared = reordered_.find({v, Layout::plain});
    if (shared == reordered_.end()) return;
    const ir::NodeId spare = graph_.value(shared->second).producer;
    graph_.replace_uses(shared->second, v);
    graph_.remove_node(spare);
  }

  ir::Graph& graph_;
  std::vector<Attitude> attitude_;
  std::vector<char> channels_last_;
  std::map<std::pair<ir::ValueId, Layout>, ir::ValueId> reordered_;
};

}  // namespace

Status assign_layouts(ir::Graph& graph, std::string_view device) {
  if (device != "cpu") return {};
  return LayoutAssigner(graph).run();
}

}  // namespace fovea::compiler
