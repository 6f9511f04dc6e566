// SPDX-License-Identifier: Apache-2.0
// A region starts at convolutions and grows along the data: a node joins when one of its operands comes from the
// region and one of its kernels works channels-last.
#include "compiler/assign_layouts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "device/kernel_registry.h"

namespace fovea::compiler {

namespace {

using ir::kNone;
using ir::NodeId;
using ir::ValueId;

bool is_convolution(std::string_view op) { return op == "Conv" || op == "fovea::conv" || op == "ConvTranspose"; }

class LayoutAssignment {
 public:
  LayoutAssignment(ir::Graph& graph, std::string_view device, int threads, const Bindings& typical)
      : graph_(graph), device_(device), threads_(threads), typical_(typical) {}

  void run() {
    for (NodeId id : graph_.topological_order()) {
      const ir::Node& node = graph_.node(id);
      if ((is_convolution(node.op) || follows_region(node)) && works_channels_last(node)) members_.insert(id);
    }
    for (NodeId id : members_) {
      for (ValueId v : graph_.node(id).outputs) {
        if (v != kNone && has_layout(v)) graph_.value(v).layout = Layout::nhwc;
      }
    }
    // Borders. Nodes added here are not visited: ids of the old ones are.
    const std::set<NodeId> members = members_;
    const int count = graph_.num_node_slots();
    for (NodeId id = 0; id < count; ++id) {
      if (!graph_.alive(id)) continue;
      const Layout wanted = members.contains(id) ? Layout::nhwc : Layout::plain;
      for (int i = 0; i < static_cast<int>(graph_.node(id).inputs.size()); ++i) {
        const ValueId v = graph_.node(id).inputs[static_cast<std::size_t>(i)];
        if (v == kNone || !has_layout(v) || graph_.value(v).is_constant() || graph_.value(v).layout == wanted) continue;
        // A broadcast operand of lower rank is small: not worth a copy of its own.
        if (wanted == Layout::nhwc && !same_rank_as_output(graph_.node(id), v)) continue;
        graph_.set_input(id, i, reordered(v, wanted));
      }
    }
    for (ValueId& output : graph_.outputs) {
      if (graph_.value(output).layout != Layout::plain) keep_output_plain(output);
    }
  }

 private:
  bool has_layout(ValueId v) const {
    const ir::Value& value = graph_.value(v);
    return value.type.kind == ValueType::Kind::Tensor && value.shape && value.shape->size() >= 3 && value.type.element != DataType::string;
  }

  bool follows_region(const ir::Node& node) const {
    return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId v) {
      return v != kNone && has_layout(v) && graph_.value(v).producer != kNone && members_.contains(graph_.value(v).producer);
    });
  }

  std::optional<TensorDesc> desc(ValueId v) const {
    if (v == kNone) return TensorDesc();
    const ir::Value& value = graph_.value(v);
    if (value.type.kind != ValueType::Kind::Tensor || !value.shape) return std::nullopt;
    const auto shape = evaluate(*value.shape, typical_);
    if (!shape.ok()) return std::nullopt;
    const bool follows = has_layout(v) && !value.is_constant();
    return TensorDesc::dense(value.type.element, *shape, follows ? Layout::nhwc : Layout::plain);
  }

  bool works_channels_last(const ir::Node& node) const {
    if (!node.bodies.empty() || node.outputs.empty() || node.outputs[0] == kNone || !has_layout(node.outputs[0])) return false;
    std::vector<TensorDesc> inputs, outputs;
    std::vector<Tensor> constants;
    for (ValueId v : node.inputs) {
      const auto d = desc(v);
      if (!d) return false;
      inputs.push_back(*d);
      constants.push_back(v == kNone ? Tensor() : graph_.value(v).constant);
    }
    for (ValueId v : node.outputs) {
      const auto d = desc(v);
      if (!d) return false;
      outputs.push_back(*d);
    }
    const Problem problem{node.op, node.attributes, inputs, outputs, constants, threads_};
    const auto candidates = kernels_of(device_, node.op);
    return std::any_of(candidates.begin(), candidates.end(), [&](const Kernel* kernel) {
      const auto layouts = kernel->layouts();
      return std::find(layouts.begin(), layouts.end(), Layout::nhwc) != layouts.end() && kernel->can_run(problem).ok();
    });
  }

  bool same_rank_as_output(const ir::Node& node, ValueId v) const {
    return graph_.value(v).shape->size() == graph_.value(node.outputs[0]).shape->size();
  }

  ValueId reordered(ValueId v, Layout layout) {
    const auto key = std::pair(v, layout);
    if (const auto it = reorders_.find(key); it != reorders_.end()) return it->second;
    const std::string name = graph_.value(v).name + (layout == Layout::nhwc ? "/nhwc" : "/plain");
    const ValueId result = graph_.add_node("fovea::reorder", name, {v});
    graph_.value(result).type = graph_.value(v).type;
    graph_.value(result).shape = graph_.value(v).shape;
    graph_.value(result).layout = layout;
    reorders_[key] = result;
    return result;
  }

  /// The output keeps its name and becomes the plain copy; the region's value behind it gets a new one.
  void keep_output_plain(ValueId& output) {
    const ValueId inside = output;
    const std::string name = graph_.value(inside).name;
    const ValueId plain = reordered(inside, Layout::plain);
    graph_.rename_value(inside, name + "/region");
    graph_.rename_value(plain, name);
    output = plain;
  }

  ir::Graph& graph_;
  std::string_view device_;
  int threads_;
  const Bindings& typical_;
  std::set<NodeId> members_;
  std::map<std::pair<ValueId, Layout>, ValueId> reorders_;
};

}  // namespace

Status assign_layouts(ir::Graph& graph, std::string_view device, int threads, const Bindings& typical) {
  LayoutAssignment(graph, device, threads, typical).run();
  return {};
}

}  // namespace fovea::compiler
