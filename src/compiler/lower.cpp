// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower.h"

namespace fovea::compiler {

namespace {

class Lowering {
 public:
  Lowering(const ir::Graph& graph, const Decisions& decisions) : graph_(graph), decisions_(decisions) {
    index_.assign(static_cast<std::size_t>(graph.num_values()), -1);
  }

  Result<Plan> run() {
    plan_.name = graph_.name;
    plan_.metadata = graph_.metadata;
    for (ir::ValueId id : graph_.inputs) plan_.inputs.push_back(value(id));
    const auto order = decisions_.order.empty() ? graph_.try_topological_order() : decisions_.order;
    if (!order) return invalid_model("graph '", graph_.name, "' has a cycle");
    for (ir::NodeId id : *order) {
      if (!decisions_.elided.contains(id)) FOVEA_RETURN_IF_ERROR(lower_node(id));
    }
    for (ir::ValueId id : graph_.outputs) plan_.outputs.push_back(value(id));
    plan_.strips = decisions_.strips;
    return std::move(plan_);
  }

 private:
  int value(ir::ValueId id) {
    if (id == ir::kNone) return -1;
    int& slot = index_[static_cast<std::size_t>(id)];
    if (slot >= 0) return slot;
    const ir::Value& source = graph_.value(id);
    PlanValue lowered;
    lowered.name = source.name;
    lowered.type = source.type;
    lowered.shape = source.shape;
    lowered.layout = source.layout;
    if (source.is_constant()) {
      lowered.constant = static_cast<int>(plan_.constants.size());
      plan_.constants.push_back(source.constant);
    }
    slot = static_cast<int>(plan_.values.size());
    plan_.values.push_back(std::move(lowered));
    if (const auto view = decisions_.views.find(id); view != decisions_.views.end()) {
      const int base = value(view->second.base);
      plan_.values[static_cast<std::size_t>(index_[static_cast<std::size_t>(id)])].view =
          PlanView{base, view->second.kind, view->second.axis, view->second.offset};
    }
    return index_[static_cast<std::size_t>(id)];
  }

  Status lower_node(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    PlanStep step;
    step.name = node.name;
    step.op = node.op;
    step.attributes = node.attributes;
    step.sources = node.sources;
    if (const auto it = decisions_.kernels.find(id); it != decisions_.kernels.end()) step.kernel = it->second;
    for (ir::ValueId v : node.inputs) step.inputs.push_back(value(v));
    for (ir::ValueId v : node.outputs) step.outputs.push_back(value(v));
    for (const ir::Graph& body : node.bodies) {
      FOVEA_ASSIGN(Plan lowered, lower(body));
      step.bodies.push_back(static_cast<int>(plan_.bodies.size()));
      plan_.bodies.push_back(std::move(lowered));
    }
    plan_.steps.push_back(std::move(step));
    return {};
  }

  const ir::Graph& graph_;
  const Decisions& decisions_;
  std::vector<int> index_;
  Plan plan_;
};

}  // namespace

Result<Plan> lower(const ir::Graph& graph, const Decisions& decisions) {
  return Lowering(graph, decisions).run();
}

}  // namespace fovea::compiler
