// SPDX-License-Identifier: Apache-2.0
#include "support/graph_interpreter.h"

#include "ops/kernel_context.h"

namespace fovea::testing {

namespace {

class Bodies : public ops::BodyRunner {
 public:
  explicit Bodies(const ir::Node& node) : node_(node) {}
  int num_inputs(int body) const override { return static_cast<int>(at(body).inputs.size()); }
  int num_outputs(int body) const override { return static_cast<int>(at(body).outputs.size()); }
  Result<std::vector<Datum>> run(int body, std::vector<Datum> inputs) override { return interpret(at(body), inputs); }

 private:
  const ir::Graph& at(int body) const { return node_.bodies[static_cast<std::size_t>(body)]; }
  const ir::Node& node_;
};

Status run_node(const ir::Node& node, std::vector<Datum>& values) {
  const ops::ReferenceKernel kernel = ops::find_reference(node.op);
  if (!kernel) return unsupported("no reference kernel for ", node.op);
  std::vector<Datum> inputs, outputs(node.outputs.size());
  for (ir::ValueId v : node.inputs) inputs.push_back(v == ir::kNone ? Datum() : values[static_cast<std::size_t>(v)]);
  Bodies bodies(node);
  ops::KernelContext context(node.op, node.attributes, inputs, outputs, node.bodies.empty() ? nullptr : &bodies);
  FOVEA_RETURN_IF_ERROR(kernel(context).with_context(str_cat("node '", node.name, "' (", node.op, ")")));
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] != ir::kNone) values[static_cast<std::size_t>(node.outputs[i])] = std::move(outputs[i]);
  }
  return {};
}

}  // namespace

Result<std::vector<Datum>> interpret(const ir::Graph& graph, const std::vector<Datum>& inputs) {
  if (inputs.size() != graph.inputs.size())
    return invalid_argument("expected ", graph.inputs.size(), " inputs, found ", inputs.size());
  std::vector<Datum> values(static_cast<std::size_t>(graph.num_values()));
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.value(id).is_constant()) values[static_cast<std::size_t>(id)] = Datum(graph.value(id).constant);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) values[static_cast<std::size_t>(graph.inputs[i])] = inputs[i];
  for (ir::NodeId id : graph.topological_order()) FOVEA_RETURN_IF_ERROR(run_node(graph.node(id), values));
  std::vector<Datum> outputs;
  for (ir::ValueId id : graph.outputs) outputs.push_back(values[static_cast<std::size_t>(id)]);
  return outputs;
}

}  // namespace fovea::testing
