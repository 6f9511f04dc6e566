// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan_views.h"

#include <algorithm>

#include "device/kernel_registry.h"
#include "engine/plan.h"

namespace fovea::compiler {

namespace {

bool is_reshape(std::string_view op) {
  return op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" || op == "Identity";
}

/// Axes as they follow in memory, outermost first, without those of extent 1; nothing for blocks.
std::optional<std::vector<int>> memory_order(Layout layout, const SymbolicShape& shape) {
  if (block_of(layout) != 1) return std::nullopt;
  std::vector<int> order;
  const auto rank = static_cast<int>(shape.size());
  const auto add = [&](int axis) {
    if (!(shape[index_of(axis)] == Dim(1))) order.push_back(axis);
  };
  const bool is_last = layout == Layout::nhwc;
  for (int axis = 0; axis < rank; ++axis) {
    if (!is_last || axis != 1) add(axis);
  }
  if (is_last) add(1);
  return order;
}

class ViewPlanner {
 public:
  ViewPlanner(const ir::Graph& graph, const Instance& instance, std::string_view device, int threads, Decisions& decisions)
      : graph_(graph), instance_(instance), device_(device), threads_(threads), decisions_(decisions) {
    plan_index_.assign(static_cast<std::size_t>(graph.num_values()), -1);
    const Plan& plan = instance.plan();
    std::map<std::string_view, int> by_name;
    for (std::size_t v = 0; v < plan.values.size(); ++v) by_name.emplace(plan.values[v].name, static_cast<int>(v));
    for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
      if (const auto it = by_name.find(graph.value(id).name); it != by_name.end()) plan_index_[index_of(id)] = it->second;
    }
  }

  Status run() {
    const std::vector<ir::NodeId> order = graph_.topological_order();
    // Concatenations first, outermost last: a part can be placed only once, and its own parts must be dense.
    for (ir::NodeId id : order) {
      if (graph_.node(id).op == "Concat") place_concat_parts(id);
    }
    for (ir::NodeId id : order) {
      const ir::Node& node = graph_.node(id);
      if (node.op == "Split" || node.op == "Slice") read_parts_in_place(id);
      if (keeps_bytes(node)) reshape_in_place(id);
    }
    return {};
  }

 private:
  /// Shape known from the inputs alone, numeric, and present in the plan.
  bool known(ir::ValueId id) const {
    return id != ir::kNone && plan_index_[index_of(id)] >= 0 && instance_.is_static(plan_index_[index_of(id)]);
  }
  bool is_view(ir::ValueId id) const { return decisions_.views.contains(id); }
  bool is_base(ir::ValueId id) const {
    return std::any_of(decisions_.views.begin(), decisions_.views.end(), [&](const auto& view) { return view.second.base == id; });
  }
  TensorDesc desc(ir::ValueId id) const {
    const auto changed = strided_.find(id);
    return changed != strided_.end() ? changed->second : instance_.desc(plan_index_[index_of(id)]);
  }

  /// Whether the kernel chosen for a node still runs with the descriptors as they stand now.
  bool still_runs(ir::NodeId id) const {
    const ir::Node& node = graph_.node(id);
    if (decisions_.elided.contains(id)) return true;
    const auto chosen = decisions_.kernels.find(id);
    if (chosen == decisions_.kernels.end()) return false;  // reference kernels would copy to and fro
    const Kernel* kernel = find_kernel(device_, node.op, chosen->second);
    if (!kernel) return false;
    std::vector<TensorDesc> inputs, outputs;
    std::vector<Tensor> constants;
    for (ir::ValueId v : node.inputs) {
      if (v != ir::kNone && !known(v)) return false;
      inputs.push_back(v == ir::kNone ? TensorDesc() : desc(v));
      constants.push_back(v == ir::kNone ? Tensor() : graph_.value(v).constant);
    }
    for (ir::ValueId v : node.outputs) {
      if (v != ir::kNone && !known(v)) return false;
      outputs.push_back(v == ir::kNone ? TensorDesc() : desc(v));
    }
    return kernel->can_run({node.op, node.attributes, inputs, outputs, constants, threads_}).ok();
  }

  /// Everybody who touches the value can live with its present descriptor.
  bool all_run(ir::ValueId id, ir::NodeId except) const {
    const ir::NodeId producer = graph_.value(id).producer;
    if (producer != ir::kNone && producer != except && !still_runs(producer)) return false;
    return std::all_of(graph_.users(id).begin(), graph_.users(id).end(), [&](ir::NodeId user) { return user == except || still_runs(user); });
  }

  void place_concat_parts(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    const ir::ValueId whole = node.outputs[0];
    if (!known(whole) || is_view(whole)) return;
    const TensorDesc target = desc(whole);
    auto axis = static_cast<int>(node.attributes.get_int("axis"));
    if (axis < 0) axis += target.shape.rank();
    std::vector<std::pair<ir::ValueId, ViewDecision>> placed;
    Dim offset = 0;
    bool fits = true;
    for (ir::ValueId part : node.inputs) {
      const ir::Value& value = graph_.value(part);
      const int block = axis == 1 ? block_of(target.layout) : 1;
      fits = fits && known(part) && value.producer != ir::kNone && !graph_.is_graph_output(part) && !is_view(part) && !is_base(part) &&
             value.shape && value.layout == target.layout && desc(part).shape[axis] % block == 0 &&
             std::count(node.inputs.begin(), node.inputs.end(), part) == 1 && !strided_.contains(part);
      if (!fits) break;
      TensorDesc inside = desc(part);
      inside.strides = target.strides;
      strided_[part] = inside;
      placed.push_back({part, {whole, PlanView::Kind::Slice, axis, offset}});
      offset = offset + (*value.shape)[index_of(axis)];
    }
    for (const auto& [part, view] : placed) fits = fits && all_run(part, id);
    if (!fits) {
      for (const auto& [part, view] : placed) strided_.erase(part);
      return;
    }
    for (auto& [part, view] : placed) decisions_.views.emplace(part, std::move(view));
    decisions_.elided.insert(id);
  }

  void read_parts_in_place(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    const ir::ValueId source = node.inputs[0];
    if (!known(source) || graph_.value(source).is_constant()) return;
    const TensorDesc from = desc(source);
    std::vector<std::pair<ir::ValueId, ViewDecision>> parts;
    if (!find_parts(node, from, parts)) return;
    for (const auto& [part, view] : parts) {
      const int block = view.axis == 1 ? block_of(from.layout) : 1;
      const bool fits = known(part) && !is_view(part) && !is_base(part) && !graph_.is_graph_output(part) && graph_.value(part).layout == from.layout &&
                        view.offset.is_constant() && view.offset.constant() % block == 0;
      if (!fits) return;
    }
    for (const auto& [part, view] : parts) {
      TensorDesc inside = desc(part);
      inside.strides = from.strides;
      strided_[part] = inside;
    }
    const bool fits = std::all_of(parts.begin(), parts.end(), [&](const auto& part) { return all_run(part.first, id); });
    if (!fits) {
      for (const auto& [part, view] : parts) strided_.erase(part);
      return;
    }
    for (auto& [part, view] : parts) decisions_.views.emplace(part, std::move(view));
    decisions_.elided.insert(id);
  }

  bool find_parts(const ir::Node& node, const TensorDesc& from, std::vector<std::pair<ir::ValueId, ViewDecision>>& parts) const {
    if (node.op == "Split") {
      auto axis = static_cast<int>(node.attributes.get_int("axis", 0));
      if (axis < 0) axis += from.shape.rank();
      Dim offset = 0;
      for (ir::ValueId part : node.outputs) {
        if (part == ir::kNone || !graph_.value(part).shape) return false;
        parts.push_back({part, {node.inputs[0], PlanView::Kind::Slice, axis, offset}});
        offset = offset + (*graph_.value(part).shape)[index_of(axis)];
      }
      return true;
    }
    // Slice along one axis, step 1, constant non-negative start.
    const auto ints = [&](int i) -> std::optional<std::vector<std::int64_t>> {
      if (!node.has_input(i)) return std::vector<std::int64_t>();
      const Tensor& tensor = graph_.value(node.inputs[index_of(i)]).constant;
      if (!tensor.defined()) return std::nullopt;
      std::vector<std::int64_t> list;
      for (std::int64_t k = 0; k < tensor.elements(); ++k) list.push_back(tensor.type() == DataType::i64 ? tensor.data<std::int64_t>()[k] : tensor.data<std::int32_t>()[k]);
      return list;
    };
    const auto starts = ints(1), axes = ints(3), steps = ints(4);
    if (!starts || starts->size() != 1 || !axes || axes->size() > 1 || !steps || (!steps->empty() && (*steps)[0] != 1) || (*starts)[0] < 0) return false;
    auto axis = static_cast<int>(axes->empty() ? 0 : (*axes)[0]);
    if (axis < 0) axis += from.shape.rank();
    if ((*starts)[0] + desc(node.outputs[0]).shape[axis] > from.shape[axis]) return false;
    parts.push_back({node.outputs[0], {node.inputs[0], PlanView::Kind::Slice, axis, Dim((*starts)[0])}});
    return true;
  }

  /// What the node writes is what it reads, for all extents: a reshape, or a transpose to or from channels-last that only
  /// gives the axes other names.
  bool keeps_bytes(const ir::Node& node) const {
    if (is_reshape(node.op)) return graph_.value(node.inputs[0]).layout == Layout::plain && graph_.value(node.outputs[0]).layout == Layout::plain;
    if (node.op != "Transpose" || node.outputs[0] == ir::kNone) return false;
    const ir::Value &x = graph_.value(node.inputs[0]), &y = graph_.value(node.outputs[0]);
    if (!x.shape || !y.shape || x.shape->size() != y.shape->size()) return false;
    std::vector<std::int64_t> perm;
    for (auto axis = static_cast<std::int64_t>(x.shape->size()) - 1; axis >= 0; --axis) perm.push_back(axis);
    perm = node.attributes.get_ints("perm", perm);
    const auto from = memory_order(x.layout, *x.shape);
    auto to = memory_order(y.layout, *y.shape);
    if (!from || !to || perm.size() != x.shape->size()) return false;
    for (int& axis : *to) axis = static_cast<int>(perm[index_of(axis)]);
    return *from == *to;
  }

  void reshape_in_place(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    const ir::ValueId from = node.inputs[0], to = node.outputs[0];
    if (!known(from) || !known(to) || is_view(to) || is_base(to) || graph_.value(from).is_constant()) return;
    const bool same_type = graph_.value(from).type == graph_.value(to).type;
    if (!same_type || !desc(from).is_dense() || !desc(to).is_dense()) return;
    // An output of the network must not share memory with an input or another output.
    if (graph_.is_graph_output(to) && (graph_.is_graph_output(from) || graph_.value(from).producer == ir::kNone || is_view(from))) return;
    decisions_.views.emplace(to, ViewDecision{from, PlanView::Kind::Reshape, 0, Dim(0)});
    decisions_.elided.insert(id);
  }

  const ir::Graph& graph_;
  const Instance& instance_;
  std::string_view device_;
  int threads_;
  Decisions& decisions_;
  std::vector<int> plan_index_;
  std::map<ir::ValueId, TensorDesc> strided_;  // descriptors changed by the views so far
};

}  // namespace

Status plan_views(const ir::Graph& graph, const Instance& instance, std::string_view device, int threads, Decisions& decisions) {
  return ViewPlanner(graph, instance, device, threads, decisions).run();
}

}  // namespace fovea::compiler
