// SPDX-License-Identifier: Apache-2.0
// Upgrade: one node of an older opset on its way to the newest form. A rule (rules/rules.def) changes the node in
// place, may add constants and nodes before it, and may queue nodes after it; what it leaves is the newest form.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "onnx/scope.h"

namespace fovea::onnx {

/// Where finished nodes go: checked against their schema, then into the scope's graph.
class NodeSink {
 public:
  virtual ~NodeSink() = default;
  virtual Status emit(ir::Node node, Scope& scope) = 0;
};

class Upgrade {
 public:
  Upgrade(ir::Node& upgraded, std::int64_t opset, Scope& scope, NodeSink& sink)
      : node(upgraded), version(opset), scope_(scope), sink_(sink) {}

  ir::Node& node;
  const std::int64_t version;  ///< of the node's domain, as the model imports it

  // --- asking
  ir::Graph& graph() { return scope_.graph(); }
  bool has(int input) const { return node.has_input(input); }
  /// kNone where it is missing.
  ir::ValueId input(std::size_t i) const { return i < node.inputs.size() ? node.inputs[i] : ir::kNone; }
  /// undefined while unknown.
  DataType element(int input);
  /// Null while unknown.
  const SymbolicShape* shape(int input);
  std::optional<int> rank(int input);
  /// Null unless the input is a constant.
  const Tensor* constant(int input);

  // --- attributes, removed from the node as they are read
  std::optional<std::int64_t> take_int(std::string_view name);
  std::optional<double> take_float(std::string_view name);
  std::optional<std::string> take_string(std::string_view name);
  std::optional<std::vector<std::int64_t>> take_ints(std::string_view name);
  std::optional<std::vector<double>> take_floats(std::string_view name);

  // --- building
  /// The node in its newest form, its outputs kept.
  Status become(std::string_view op, std::vector<ir::ValueId> inputs, Attributes attributes = {});
  /// Grows the input list as needed.
  void set_input(int i, ir::ValueId value);
  ir::ValueId ints(std::string_view role, const std::vector<std::int64_t>& values);
  ir::ValueId scalar_int(std::string_view role, std::int64_t value);
  ir::ValueId floats(std::string_view role, const std::vector<double>& values);
  /// A scalar of the same element type as `input`; through CastLike when that type is not known yet.
  Result<ir::ValueId> scalar_like(std::string_view role, double value, int input);
  /// Input `i` seen with `count` trailing axes of extent 1: [C] -> [C, 1, 1].
  Status add_trailing_axes(int i, int count);
  /// A node before this one, in its newest form.
  Result<ir::ValueId> add(std::string_view op, std::string_view role, std::vector<ir::ValueId> inputs, Attributes attributes = {});
  /// Gives output `i` a new value and returns the old one, for a node after this one to produce.
  ir::ValueId detach_output(int i);
  /// A node after this one that produces `output`.
  void add_after(std::string_view op, std::vector<ir::ValueId> inputs, ir::ValueId output, Attributes attributes = {});

  std::vector<ir::Node>& after() { return after_; }

 private:
  std::string hint(std::string_view role) const;

  Scope& scope_;
  NodeSink& sink_;
  std::vector<ir::Node> after_;
};

/// Brings a node to its newest form and gives it, with what belongs to it, to the sink.
Status upgrade_and_emit(ir::Node node, std::int64_t version, Scope& scope, NodeSink& sink);

}  // namespace fovea::onnx
