// SPDX-License-Identifier: Apache-2.0
// Scope: the names visible in one graph, body or function while it is imported. A name that a body finds only
// outside becomes a capture: an extra input of the body (see ir/graph.h), or a shared constant.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "onnx/type_facts.h"

namespace fovea::onnx {

class Scope {
 public:
  /// `outer` is the scope a body lies in; null for the main graph and for functions, which see nothing outside.
  /// A function's scope names values of its caller's graph.
  explicit Scope(ir::Graph& graph, TypeFacts& facts, Scope* outer = nullptr) : graph_(graph), facts_(facts), outer_(outer) {}

  /// False when the name is taken in this scope. kNone stands for an optional input that the caller left out.
  bool declare(std::string name, ir::ValueId id) { return names_.emplace(std::move(name), id).second; }
  /// The value in this scope's graph, capturing it from outside if need be; nothing when the name is unknown.
  std::optional<ir::ValueId> find(std::string_view name);
  /// Only in this scope.
  std::optional<ir::ValueId> find_local(std::string_view name) const;

  struct Capture {
    ir::ValueId outer;  ///< in the outer scope's graph
    ir::ValueId inner;  ///< in this scope's graph
  };
  const std::vector<Capture>& captures() const { return captures_; }
  ir::Graph& graph() { return graph_; }
  TypeFacts& facts() { return facts_; }

 private:
  ir::Graph& graph_;
  TypeFacts& facts_;
  Scope* outer_;
  std::map<std::string, ir::ValueId, std::less<>> names_;
  std::vector<Capture> captures_;
};

}  // namespace fovea::onnx
