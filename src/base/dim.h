// SPDX-License-Identifier: Apache-2.0
// Dim: one extent of a tensor as an exact expression over the input's symbols, e.g. 3, N, floordiv(H+1,2).
// Immutable and cheap to copy. Sums and products are kept in a normal form, so == finds most equalities.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "fovea/tensor.h"

namespace fovea {

/// Values of symbols; std::less<> so that string_view finds.
using Bindings = std::map<std::string, std::int64_t, std::less<>>;

class Dim {
 public:
  Dim() : Dim(0) {}
  Dim(std::int64_t constant);
  Dim(int constant) : Dim(static_cast<std::int64_t>(constant)) {}
  static Dim symbol(std::string_view name);

  bool is_constant() const;
  /// The constant's value; FOVEA_CHECKs is_constant().
  std::int64_t constant() const;
  bool is_symbol() const;
  const std::string& symbol_name() const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  /// Rounds towards minus infinity / plus infinity. A zero divisor gives 0 when evaluated as an error.
  friend Dim floor_div(const Dim& a, const Dim& b);
  friend Dim ceil_div(const Dim& a, const Dim& b);
  friend Dim max(const Dim& a, const Dim& b);
  friend Dim min(const Dim& a, const Dim& b);
  /// a - floor_div(a, b) * b
  friend Dim mod(const Dim& a, const Dim& b);
  /// floor(a * scale): the extent of a resized axis.
  friend Dim floor_scale(const Dim& a, double scale);

  /// Structural equality of normal forms: true means equal for every binding; false means "not known".
  friend bool operator==(const Dim& a, const Dim& b);

  /// A lower bound that holds whenever every symbol is at least 1; nothing when none was found.
  std::optional<std::int64_t> lower_bound() const;
  /// Value under `bindings`; NotFound names a missing symbol, InvalidArgument an overflow or division by 0.
  Result<std::int64_t> evaluate(const Bindings& bindings) const;
  Dim substitute(const std::map<std::string, Dim, std::less<>>& values) const;
  void collect_symbols(std::vector<std::string>& into) const;

  /// "3", "N", "2*H+1", "floordiv(H+1,2)"; parse() reads the same form.
  std::string to_string() const;
  static Result<Dim> parse(std::string_view text);

  struct Node;

 private:
  explicit Dim(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  static Dim function(int kind, const Dim& a, const Dim& b, double scale);
  std::shared_ptr<const Node> node_;
};

bool operator==(const Dim& a, const Dim& b);

/// A shape with symbols; rank is known, extents may be expressions.
using SymbolicShape = std::vector<Dim>;

SymbolicShape to_symbolic(const Shape& shape);
/// The concrete shape if every extent is a constant.
std::optional<Shape> to_concrete(const SymbolicShape& shape);
Result<Shape> evaluate(const SymbolicShape& shape, const Bindings& bindings);
/// "1x3xHxW"; expressions in parentheses.
std::string to_string(const SymbolicShape& shape);

}  // namespace fovea
