// SPDX-License-Identifier: Apache-2.0
#include "ir/verify.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "ops/schema.h"

namespace fovea::ir {

namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph) {}

  Status run() {
    FOVEA_RETURN_IF_ERROR(check_ids());
    FOVEA_RETURN_IF_ERROR(check_values());
    FOVEA_RETURN_IF_ERROR(check_users());
    if (!graph_.try_topological_order()) return invalid_model("the nodes form a cycle");
    return check_nodes();
  }

 private:
  bool in_range(ValueId id) const { return id >= 0 && id < graph_.num_values(); }

  template <class F>
  Status for_each_node(F f) const {
    for (NodeId id = 0; id < graph_.num_node_slots(); ++id) {
      if (!graph_.alive(id)) continue;
      const Node& node = graph_.node(id);
      FOVEA_RETURN_IF_ERROR(f(id, node).with_context(str_cat("node '", node.name, "' (", node.op, ")")));
    }
    return {};
  }

  Status check_ids() const {
    for (ValueId id : graph_.inputs) {
      if (!in_range(id)) return invalid_model("graph input refers to value ", id, " of ", graph_.num_values());
    }
    for (ValueId id : graph_.outputs) {
      if (!in_range(id)) return invalid_model("graph output refers to value ", id, " of ", graph_.num_values());
    }
    if (std::set<ValueId>(graph_.inputs.begin(), graph_.inputs.end()).size() != graph_.inputs.size()) {
      return invalid_model("a value is a graph input twice");
    }
    return for_each_node([&](NodeId, const Node& node) -> Status {
      for (ValueId id : node.inputs) {
        if (id != kNone && !in_range(id))
          return invalid_model("input refers to value ", id, " of ", graph_.num_values());
      }
      for (ValueId id : node.outputs) {
        if (id != kNone && !in_range(id))
          return invalid_model("output refers to value ", id, " of ", graph_.num_values());
      }
      return {};
    });
  }

  Status check_values() const {
    std::set<std::string_view> names;
    const std::set<ValueId> inputs(graph_.inputs.begin(), graph_.inputs.end());
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      const Value& value = graph_.value(id);
      if (value.name.empty()) return invalid_model("value ", id, " has no name");
      if (!names.insert(value.name).second) return invalid_model("two values are named '", value.name, "'");
      if (value.producer != kNone) {
        if (value.producer < 0 || value.producer >= graph_.num_node_slots() || !graph_.alive(value.producer)) {
          return invalid_model("value '", value.name, "' is produced by a node that does not exist");
        }
        const auto& outputs = graph_.node(value.producer).outputs;
        if (std::count(outputs.begin(), outputs.end(), id) != 1) {
          return invalid_model("value '", value.name, "' is not exactly one output of its producer '",
                               graph_.node(value.producer).name, "'");
        }
        if (value.is_constant()) return invalid_model("value '", value.name, "' is a constant and has a producer");
        if (inputs.contains(id)) return invalid_model("value '", value.name, "' is a graph input and has a producer");
      }
      if (value.is_constant()) {
        if (value.type.kind != ValueType::Kind::Tensor || value.type.element != value.constant.type()) {
          return invalid_model("constant '", value.name, "': type differs from its tensor's, ",
                               name(value.constant.type()));
        }
        if (value.shape && !(*value.shape == to_symbolic(value.constant.shape()))) {
          return invalid_model("constant '", value.name, "': shape ", to_string(*value.shape),
                               " differs from its tensor's, ", value.constant.shape().to_string());
        }
      }
      const bool used = !graph_.users(id).empty() || graph_.is_graph_output(id);
      if (used && value.producer == kNone && !value.is_constant() && !inputs.contains(id)) {
        return invalid_model("value '", value.name, "' is used but nothing produces it");
      }
    }
    return {};
  }

  Status check_users() const {
    std::vector<std::vector<NodeId>> expected(static_cast<std::size_t>(graph_.num_values()));
    FOVEA_RETURN_IF_ERROR(for_each_node([&](NodeId id, const Node& node) -> Status {
      for (ValueId input : node.inputs) {
        if (input != kNone) expected[static_cast<std::size_t>(input)].push_back(id);
      }
      for (ValueId output : node.outputs) {
        if (output != kNone && graph_.value(output).producer != id) {
          return invalid_model("output '", graph_.value(output).name, "' names another producer");
        }
      }
      return {};
    }));
    for (ValueId id = 0; id < graph_.num_values(); ++id) {
      std::vector<NodeId> users = graph_.users(id);
      std::sort(users.begin(), users.end());
      if (users != expected[static_cast<std::size_t>(id)]) {
        return invalid_model("value '", graph_.value(id).name, "': its list of users does not match the nodes' inputs");
      }
    }
    return {};
  }

  Status check_nodes() const {
    std::set<std::string_view> names;
    return for_each_node([&](NodeId, const Node& node) -> Status {
      if (node.name.empty() || node.op.empty()) return invalid_model("a node needs a name and an operator");
      if (!names.insert(node.name).second) return invalid_model("another node has the same name");
      FOVEA_RETURN_IF_ERROR(check_against(node));
      for (const Graph& body : node.bodies) {
        FOVEA_RETURN_IF_ERROR(verify(body).with_context(str_cat("body '", body.name, "'")));
        FOVEA_RETURN_IF_ERROR(check_body(node, body).with_context(str_cat("body '", body.name, "'")));
      }
      return {};
    });
  }

  static Status check_against(const Node& node) {
    const ops::OperatorSchema* schema = ops::find_schema(node.op);
    if (!schema) return {};
    const auto inputs = static_cast<std::int64_t>(node.inputs.size());
    const std::int64_t captures = (schema->traits & ops::kHasBodies) ? node.attributes.get_int("captures") : 0;
    const int required = node.op == "Loop" ? 0 : std::min(schema->min_inputs, static_cast<int>(inputs));
    for (int i = 0; i < required; ++i) {
      if (!node.has_input(i)) return invalid_model("input ", i, " is required and missing");
    }
    if (captures < 0 || captures > inputs) return invalid_model("captures is ", captures, " of ", inputs, " inputs");
    return ops::check_against_schema(*schema, node.attributes, static_cast<int>(inputs - captures),
                                     static_cast<int>(node.outputs.size()), static_cast<int>(node.bodies.size()));
  }

  // If takes its condition itself and hands only the captures on; Loop bodies also give the next condition.
  static Status check_body(const Node& node, const Graph& body) {
    const std::size_t inputs = node.inputs.size() - (node.op == "If" && !node.inputs.empty() ? 1 : 0);
    if (body.inputs.size() != inputs) return invalid_model("expected ", inputs, " inputs, found ", body.inputs.size());
    const std::size_t outputs = node.outputs.size() + (node.op == "Loop" ? 1 : 0);
    if (body.outputs.size() < outputs)
      return invalid_model("expected ", outputs, " outputs, found ", body.outputs.size());
    return {};
  }

  const Graph& graph_;
};

}  // namespace

Status verify(const Graph& graph) { return Verifier(graph).run().with_context(str_cat("graph '", graph.name, "'")); }

}  // namespace fovea::ir
