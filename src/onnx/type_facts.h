// SPDX-License-Identifier: Apache-2.0
// TypeFacts: types and shapes of a graph's values as far as they can be told while it is imported. Upgrade rules
// ask for ranks and element types; nothing of this is kept in the graph, where inference runs again with full rights.
#pragma once

#include <optional>
#include <vector>

#include "ir/graph.h"
#include "ops/schema.h"

namespace fovea::onnx {

class TypeFacts {
 public:
  struct Fact {
    ValueType type;
    std::optional<SymbolicShape> shape;
    std::optional<std::vector<Dim>> value;  ///< elements of a small integer tensor
  };

  explicit TypeFacts(const ir::Graph& graph) : graph_(graph) {}

  /// Everything known of a value; constants are known wholly.
  const Fact& of(ir::ValueId id);
  void set(ir::ValueId id, Fact fact) { slot(id) = std::move(fact); }
  /// Runs the operator's shape rule and keeps what it finds. Contradictions are left to the real inference.
  void infer(const ir::Node& node, const ops::OperatorSchema& schema);

 private:
  Fact& slot(ir::ValueId id);

  const ir::Graph& graph_;
  std::vector<Fact> facts_;
  int fresh_symbols_ = 0;
};

}  // namespace fovea::onnx
