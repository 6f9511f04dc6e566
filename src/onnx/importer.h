// SPDX-License-Identifier: Apache-2.0
// Importer: one ModelProto -> Graph. Walks graphs, bodies and functions (expanded where they are called), resolves
// names, upgrades every node to its newest form and checks it against its schema.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "onnx/attributes.h"
#include "onnx/function_table.h"
#include "onnx/node_order.h"
#include "onnx/scope.h"
#include "onnx/types.h"
#include "onnx/upgrade.h"

namespace fovea::onnx {

class Importer final : private NodeSink {
 public:
  explicit Importer(TensorReader& tensors) : tensors_(tensors) {}

  /// Frees the bytes of initializers in `model` as it goes, so that weights are not held twice.
  Result<ir::Graph> import_model(proto::ModelProto& model);

 private:
  // Where a node list comes from: the graph or one call of a function.
  struct Frame {
    const Opsets* opsets = nullptr;
    const std::map<std::string, const proto::AttributeProto*>* bindings = nullptr;  // a function's attributes
    std::string prefix;                                                             // of names: "call/"
    int depth = 0;                                                                  // functions and bodies around it
    std::vector<const Function*> calls;                                             // active functions, outermost first
  };
  struct Body {
    ir::Graph graph;
    std::vector<Scope::Capture> captures;
  };
  struct Given {
    std::string_view name;               // as the node calls it
    const proto::AttributeProto* value;  // its own, or the function's attribute it refers to
  };
  struct Unknown {
    std::string first_node;
    int count = 0;
  };

  Status import_main(proto::GraphProto& message, ir::Graph& graph, const Frame& frame);
  Result<Body> import_body(const proto::GraphProto& message, Scope& outer, const Frame& frame);
  Status add_initializers(const proto::GraphProto& message, Scope& scope, const Frame& frame);
  Status add_input(const proto::ValueInfoProto& message, Scope& scope, const Frame& frame, bool with_shape);
  // `bound`: outputs of a function that stand for values of the caller already.
  Status declare_outputs(const NodeList& nodes, const google::protobuf::RepeatedPtrField<proto::ValueInfoProto>& infos, Scope& scope, const Frame& frame,
                         std::set<std::string> bound = {});
  Status import_nodes(const NodeList& nodes, Scope& scope, const Frame& frame);
  Status import_node(const proto::NodeProto& message, Scope& scope, const Frame& frame);
  Status import_constant(const proto::NodeProto& message, Scope& scope, const Frame& frame);
  Status call_function(const Function& function, const proto::NodeProto& call, Scope& scope, const Frame& frame);
  Status add_bodies(const std::vector<Given>& graphs, ir::Node& node, Scope& scope, const Frame& frame);

  Status emit(ir::Node node, Scope& scope) override;
  Result<std::vector<ir::ValueId>> find_inputs(const proto::NodeProto& message, Scope& scope);
  Result<std::vector<Given>> find_attributes(const proto::NodeProto& message, const Frame& frame);
  Status spend(std::int64_t work, const Frame& frame);
  Status unknown_operators() const;

  TensorReader& tensors_;
  FunctionTable functions_;
  Symbols symbols_;
  std::map<std::string, Unknown> unknown_;
  std::int64_t work_left_ = 0;
};

}  // namespace fovea::onnx
