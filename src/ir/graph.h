// SPDX-License-Identifier: Apache-2.0
// Graph, Node, Value: the network while it is compiled. Value semantics: copying a Graph copies it whole
// (constants share their bytes). Ids stay valid until compact(); a removed node leaves a hole.
//
// Bodies of If/Loop/Scan take the outer values they use as explicit trailing inputs: a node's inputs are
// its declared inputs followed by `captures` (an int attribute) captured values, and each body's inputs
// are its formal inputs followed by the same captures. So every use of a value is an input of some node.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/datum.h"
#include "base/dim.h"
#include "base/tensor_desc.h"
#include "ir/spelling.h"

namespace fovea::ir {

using ValueId = std::int32_t;
using NodeId = std::int32_t;
inline constexpr std::int32_t kNone = -1;

struct Value {
  std::string name;                     ///< unique in its graph, not empty
  ValueType type;
  std::optional<SymbolicShape> shape;   ///< absent while the rank is unknown
  Tensor constant;                      ///< defined for initializers and folded values
  Layout layout = Layout::plain;        ///< set by layout assignment
  NodeId producer = kNone;              ///< kNone for graph inputs and constants

  bool is_constant() const { return constant.defined(); }
};

class Graph;

struct Node {
  std::string name;                 ///< for messages; unique, not empty
  std::string op;                   ///< "Conv", "fovea::conv", "mmcv::MMCVRoiAlign"
  Attributes attributes;
  std::vector<ValueId> inputs;      ///< kNone for a missing optional input
  std::vector<ValueId> outputs;     ///< kNone for an output nobody wants
  std::vector<Graph> bodies;        ///< in schema order: then_branch, else_branch; body
  std::vector<std::string> sources; ///< names of the model's nodes this one stands for; empty = just `name`
  Spelling spelling;                ///< as in the model's file, for messages

  bool has_input(int i) const { return i < static_cast<int>(inputs.size()) && inputs[static_cast<std::size_t>(i)] != kNone; }
};

class Graph {
 public:
  std::string name;
  std::vector<ValueId> inputs, outputs;
  std::map<std::string, std::string> metadata;  ///< of the model; empty in bodies

  // --- building
  /// `hint` is made unique. Type and shape can be set later through value().
  ValueId add_value(std::string_view hint, ValueType type = {}, std::optional<SymbolicShape> shape = {});
  ValueId add_constant(std::string_view hint, Tensor tensor);
  /// Takes ownership; its outputs' producer is set. Name is made unique (op is used when empty).
  NodeId add_node(Node node);
  /// Convenience: one output with a fresh value named after `hint`.
  ValueId add_node(std::string_view op, std::string_view hint, std::vector<ValueId> inputs, Attributes attributes = {});

  // --- reading
  const Value& value(ValueId id) const { return values_[static_cast<std::size_t>(id)]; }
  Value& value(ValueId id) { return values_[static_cast<std::size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<std::size_t>(id)]; }
  /// Attributes, name, bodies, sources may be changed freely; inputs and outputs only through set_input and friends.
  Node& node(NodeId id) { return nodes_[static_cast<std::size_t>(id)]; }
  bool alive(NodeId id) const { return alive_[static_cast<std::size_t>(id)]; }
  int num_values() const { return static_cast<int>(values_.size()); }
  int num_node_slots() const { return static_cast<int>(nodes_.size()); }
  int num_nodes() const;
  ValueId find_value(std::string_view name) const;
  /// Nodes that read the value, each once per use, in no particular order.
  const std::vector<NodeId>& users(ValueId id) const { return users_[static_cast<std::size_t>(id)]; }
  bool is_graph_input(ValueId id) const;
  bool is_graph_output(ValueId id) const;
  /// Producing node or null.
  const Node* producer(ValueId id) const { return value(id).producer == kNone ? nullptr : &node(value(id).producer); }
  /// Live nodes, producers before users, otherwise in creation order. FOVEA_CHECKs acyclicity (the verifier and
  /// the importer report cycles as errors first through try_topological_order).
  std::vector<NodeId> topological_order() const;
  std::optional<std::vector<NodeId>> try_topological_order() const;

  // --- changing
  void set_input(NodeId node, int index, ValueId value);
  /// Every use of `from`, graph outputs included, becomes `to`.
  void replace_uses(ValueId from, ValueId to);
  /// The node must have no used outputs left, or the caller re-produces them. Frees its outputs' producer.
  void remove_node(NodeId id);
  /// Makes `node` (whose output list has kNone or another value there) the producer of an existing value.
  void set_output(NodeId node, int index, ValueId value);
  /// Turns a value into a constant: its producer no longer produces it.
  void make_constant(ValueId id, Tensor tensor);
  /// Renames so that `name` is exactly it (throws nothing; false if taken).
  bool rename_value(ValueId id, std::string name);
  /// Drops dead nodes' slots and values nobody refers to; ids change. Bodies included.
  void compact();

 private:
  std::string unique_value_name(std::string_view hint);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<char> alive_;
  std::vector<std::vector<NodeId>> users_;
  std::map<std::string, ValueId, std::less<>> value_names_;
  std::map<std::string, int, std::less<>> node_names_;
};

}  // namespace fovea::ir
