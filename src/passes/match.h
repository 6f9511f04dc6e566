// SPDX-License-Identifier: Apache-2.0
// Matching: small questions about a value, and Expression, a pattern written as text:
//
//   static const Expression kGelu("Mul(0.5, x, Add(1, Erf(Div(x, 1.41421356))))");
//   if (const auto found = kGelu.match(graph, value)) use(found->value("x"));
//
// A lower-case name stands for any value, the same name for the same value. A number stands for a constant whose
// elements are all that number, as near as its type can say. `label:Op(...)` names an inner result, and the bare
// label later means that result. Commutative operators match in both orders; Add and Mul with more than two
// operands match every way of writing them with two. `_` is a missing input. Every node of a match except the root
// must be of use only inside it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace fovea::passes {

using ir::Graph;
using ir::kNone;
using ir::Node;
using ir::NodeId;
using ir::ValueId;

// --- operators
inline bool is_any(std::string_view op, std::initializer_list<std::string_view> list) { return std::find(list.begin(), list.end(), op) != list.end(); }

// --- values
/// The node that produces `value` if its operator is `op`, else kNone.
NodeId producer_of(const Graph& graph, ValueId value, std::string_view op);
/// Exactly one use, and not a graph output.
bool is_used_once(const Graph& graph, ValueId value);
/// Some use or a graph output.
bool is_used(const Graph& graph, ValueId value);
DataType type_of(const Graph& graph, ValueId value);
/// -1 while unknown.
int rank_of(const Graph& graph, ValueId value);
/// Null while the rank is unknown.
const SymbolicShape* shape_of(const Graph& graph, ValueId value);
/// The extent of an axis, counted from the back where negative; nothing while it is unknown.
std::optional<std::int64_t> extent_of(const Graph& graph, ValueId value, int axis);
/// The extent of axis 1 of a value with three axes or more; -1 while it is unknown.
std::int64_t channels_of(const Graph& graph, ValueId value);
std::optional<Shape> concrete_shape_of(const Graph& graph, ValueId value);
/// Both known and equal for every binding of the symbols.
bool have_same_shape(const Graph& graph, ValueId a, ValueId b);

// --- constants
/// Null unless `value` is a constant tensor.
const Tensor* constant_of(const Graph& graph, ValueId value);
/// The number if `value` is a numeric constant whose elements are all equal (at least one element).
std::optional<double> uniform_of(const Graph& graph, ValueId value);
/// uniform_of, and only one element.
std::optional<double> scalar_of(const Graph& graph, ValueId value);
/// Elements of a constant of integers.
std::optional<std::vector<std::int64_t>> integers_of(const Graph& graph, ValueId value);
/// All elements as doubles; empty for strings, complex and 8-bit or narrower floats.
std::vector<double> to_doubles(const Tensor& tensor);
/// A tensor of a float or integer type from doubles, rounded to it.
Tensor from_doubles(DataType type, const Shape& shape, const std::vector<double>& values);
Tensor from_integers(const std::vector<std::int64_t>& values);
/// Equal as near as constants of `type` can be.
bool is_near(double value, double expected, DataType type);

// --- expressions
class Match {
 public:
  /// The value bound to a name; kNone for a name that is not in the expression.
  ValueId value(std::string_view name) const;
  /// All nodes matched, the root first.
  const std::vector<NodeId>& nodes() const { return nodes_; }

 private:
  friend class Expression;
  std::vector<std::pair<std::string_view, ValueId>> bound_;
  std::vector<NodeId> nodes_;
  bool through_casts_ = false;
};

/// The value behind Casts between f64, f32, f16 and bf16.
ValueId behind_casts(const Graph& graph, ValueId value);

class Expression {
 public:
  /// Casts between f64, f32, f16 and bf16 count as nothing, or must be written like any other operator.
  enum class Casts : std::uint8_t { Written, Ignored };
  /// FOVEA_CHECKs the syntax: expressions are part of the program.
  explicit Expression(std::string_view text, Casts casts = Casts::Written);
  std::optional<Match> match(const Graph& graph, ValueId root) const;
  /// The operator at the root, for cheap pre-selection.
  const std::string& root_op() const { return root_->op; }

 private:
  struct Term {
    enum class Kind : std::uint8_t { Operator, Name, Number, Missing } kind = Kind::Missing;
    std::string op, label;  // label: of an operator, or the name
    double number = 0;
    std::vector<Term> operands;
  };
  struct Reader;
  static bool match_term(const Term& term, const Graph& graph, ValueId value, Match& match);
  static bool match_operands(const Term& term, const Graph& graph, NodeId node, Match& match);
  static bool match_any_way(const Term& term, unsigned subset, const Graph& graph, ValueId value, Match& match);
  static bool is_closed(const Graph& graph, const Match& match);

  std::shared_ptr<const Term> root_;
  Casts casts_;
};

/// The first of several spellings that matches.
std::optional<Match> match_first(const Graph& graph, ValueId root, const std::vector<Expression>& spellings);

}  // namespace fovea::passes
