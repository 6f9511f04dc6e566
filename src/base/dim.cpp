// SPDX-License-Identifier: Apache-2.0
// Normal form: a sum of terms, each an integer coefficient times a sorted product of atoms. An atom is a
// symbol or a function (floordiv, max, ...) of two Dims; atoms are ordered by their printed text.
#include "base/dim.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/checked_math.h"

namespace fovea {

namespace {

enum AtomKind { kSymbol, kFloorDiv, kCeilDiv, kMax, kMin, kMod, kScale };
constexpr const char* kFunctionNames[] = {"", "floordiv", "ceildiv", "max", "min", "mod", "scale"};

// Numbers of hostile models may overflow; two's complement keeps that defined, and evaluate() reports it.
std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrapping_mul(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t negated(std::int64_t a) { return wrapping_mul(a, -1); }

std::int64_t floor_div_value(std::int64_t a, std::int64_t b) {
  const std::int64_t q = a / b;
  return (a % b != 0 && (a % b < 0) != (b < 0)) ? q - 1 : q;
}

bool divides(std::int64_t divisor, std::int64_t a) { return divisor != 0 && divisor != -1 && a % divisor == 0; }

Result<std::int64_t> apply(int kind, std::int64_t a, std::int64_t b, double scale) {
  const bool divides = kind == kFloorDiv || kind == kCeilDiv || kind == kMod;
  if (divides && b == 0) return invalid_argument("shape: division by zero");
  if (divides && b == -1) return kind == kMod ? 0 : negated(a);
  switch (kind) {
    case kFloorDiv: return floor_div_value(a, b);
    case kCeilDiv: return a % b == 0 ? a / b : floor_div_value(a, b) + 1;
    case kMax: return std::max(a, b);
    case kMin: return std::min(a, b);
    case kMod: return a % b != 0 && (a % b < 0) != (b < 0) ? a % b + b : a % b;
    default: {
      // Frameworks compute resized extents in double from a float scale.
      const double scaled = std::floor(static_cast<double>(a) * scale);
      if (!(std::abs(scaled) < 0x1p62)) return invalid_argument("shape: scaled extent overflows");
      return static_cast<std::int64_t>(scaled);
    }
  }
}

}  // namespace

struct Atom {
  int kind = kSymbol;
  std::string text;  // symbol name, or the printed function: the identity of the atom
  Dim a, b;          // operands of a function
  double scale = 0;
};

struct Dim::Node {
  struct Term {
    std::int64_t coefficient;
    std::vector<std::shared_ptr<const Atom>> atoms;  // sorted by text; repeated for powers
    std::string key() const {
      std::string text;
      for (const auto& atom : atoms) text += (text.empty() ? "" : "*") + atom->text;
      return text;
    }
  };
  std::int64_t constant = 0;
  std::vector<Term> terms;  // sorted by key, coefficients non-zero
};

namespace {

using Node = Dim::Node;
using Term = Node::Term;

std::size_t text_size(const Node& node) {
  std::size_t count = 0;
  for (const Term& term : node.terms) {
    for (const auto& atom : term.atoms) count += atom->text.size();
  }
  return count;
}

void add_term(Node& node, Term term) {
  const std::string key = term.key();
  if (key.empty()) {
    node.constant = wrapping_add(node.constant, term.coefficient);
    return;
  }
  auto at = std::lower_bound(node.terms.begin(), node.terms.end(), key,
                             [](const Term& t, const std::string& k) { return t.key() < k; });
  if (at != node.terms.end() && at->key() == key) {
    at->coefficient = wrapping_add(at->coefficient, term.coefficient);
    if (at->coefficient == 0) node.terms.erase(at);
  } else if (term.coefficient != 0) {
    node.terms.insert(at, std::move(term));
  }
}

}  // namespace

Dim::Dim(std::int64_t constant) {
  // Small constants are shared: most extents are.
  static const auto* cache = [] {
    auto* nodes = new std::vector<std::shared_ptr<const Node>>;
    for (std::int64_t i = 0; i < 64; ++i) nodes->push_back(std::make_shared<Node>(Node{i, {}}));
    return nodes;
  }();
  node_ = constant >= 0 && constant < 64 ? (*cache)[static_cast<std::size_t>(constant)]
                                         : std::make_shared<Node>(Node{constant, {}});
}

Dim Dim::symbol(std::string_view name) {
  auto atom = std::make_shared<Atom>();
  atom->text = std::string(name);
  auto node = std::make_shared<Node>();
  node->terms.push_back({1, {std::move(atom)}});
  return Dim(std::move(node));
}

bool Dim::is_constant() const { return node_->terms.empty(); }

std::int64_t Dim::constant() const {
  FOVEA_CHECK(is_constant());
  return node_->constant;
}

bool Dim::is_symbol() const {
  return node_->constant == 0 && node_->terms.size() == 1 && node_->terms[0].coefficient == 1 &&
         node_->terms[0].atoms.size() == 1 && node_->terms[0].atoms[0]->kind == kSymbol;
}

const std::string& Dim::symbol_name() const {
  FOVEA_CHECK(is_symbol());
  return node_->terms[0].atoms[0]->text;
}

Dim operator+(const Dim& a, const Dim& b) {
  auto node = std::make_shared<Node>(*a.node_);
  node->constant = wrapping_add(node->constant, b.node_->constant);
  for (const Term& term : b.node_->terms) add_term(*node, term);
  return Dim(std::shared_ptr<const Node>(std::move(node)));
}

Dim operator-(const Dim& a, const Dim& b) { return a + b * Dim(-1); }

Dim operator*(const Dim& a, const Dim& b) {
  // Multiplying out long sums again and again grows without bound; max(x,x) is x as one unopened factor.
  constexpr std::size_t kMaxText = 256;
  const auto factor = [](const Dim& dim) { return dim.node_->terms.size() > 1 ? Dim::function(kMax, dim, dim, 0) : dim; };
  const std::size_t a_terms = a.node_->terms.size(), b_terms = b.node_->terms.size();
  if ((a_terms > 1 || b_terms > 1) && a_terms * text_size(*b.node_) + b_terms * text_size(*a.node_) > kMaxText) {
    return factor(a) * factor(b);
  }
  auto node = std::make_shared<Node>();
  const auto multiply = [&](const Term& x, const Term& y) {
    Term term{wrapping_mul(x.coefficient, y.coefficient), x.atoms};
    term.atoms.insert(term.atoms.end(), y.atoms.begin(), y.atoms.end());
    std::sort(term.atoms.begin(), term.atoms.end(), [](const auto& l, const auto& r) { return l->text < r->text; });
    add_term(*node, std::move(term));
  };
  const Term left_constant{a.node_->constant, {}}, right_constant{b.node_->constant, {}};
  multiply(left_constant, right_constant);
  for (const Term& x : a.node_->terms) multiply(x, right_constant);
  for (const Term& y : b.node_->terms) multiply(left_constant, y);
  for (const Term& x : a.node_->terms) {
    for (const Term& y : b.node_->terms) multiply(x, y);
  }
  return Dim(std::shared_ptr<const Node>(std::move(node)));
}

Dim Dim::function(int kind, const Dim& a, const Dim& b, double scale) {
  if (a.is_constant() && b.is_constant()) {
    const auto value = apply(kind, a.constant(), b.constant(), scale);
    if (value.ok()) return Dim(*value);
  }
  if (kind == kMax || kind == kMin) {
    // max(x, max(x, y)) is max(x, y) and max(x, min(x, y)) is x; min alike. Chains of broadcasts would grow without.
    for (const auto& [x, call] : {std::pair(&a, &b), std::pair(&b, &a)}) {
      const Node& node = *call->node_;
      if (node.constant != 0 || node.terms.size() != 1 || node.terms[0].coefficient != 1 || node.terms[0].atoms.size() != 1) continue;
      const Atom& inner = *node.terms[0].atoms[0];
      if ((inner.kind == kMax || inner.kind == kMin) && (inner.a == *x || inner.b == *x)) return inner.kind == kind ? *call : *x;
    }
  }
  auto atom = std::make_shared<Atom>();
  atom->kind = kind;
  atom->a = a;
  atom->b = b;
  atom->scale = scale;
  if (kind == kScale) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, scale).ptr;
    atom->text = str_cat("scale(", a.to_string(), ",", std::string_view(buffer, static_cast<std::size_t>(end - buffer)), ")");
  } else {
    atom->text = str_cat(kFunctionNames[kind], "(", a.to_string(), ",", b.to_string(), ")");
  }
  auto node = std::make_shared<Node>();
  node->terms.push_back({1, {std::move(atom)}});
  return Dim(std::shared_ptr<const Node>(std::move(node)));
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (b.is_constant() && b.constant() != 0) {
    const std::int64_t divisor = b.constant();
    if (divisor == 1) return a;
    if (divisor == -1) return a * b;
    // floor((floor(x/c) + k) / d) = floor((x + k*c) / (c*d)), so that halving twice equals quartering.
    if (a.node_->terms.size() == 1 && a.node_->terms[0].coefficient == 1 && a.node_->terms[0].atoms.size() == 1) {
      const Atom& inner = *a.node_->terms[0].atoms[0];
      const std::int64_t c = inner.kind == kFloorDiv && inner.b.is_constant() ? inner.b.constant() : 0;
      std::int64_t both = 0, shift = 0;
      if (c > 0 && divisor > 0 && checked_mul(c, divisor, both) && checked_mul(a.node_->constant, c, shift)) {
        return floor_div(inner.a + Dim(shift), Dim(both));
      }
    }
    // (d*x + r) / d: the divisible part leaves the floor exactly.
    auto whole = std::make_shared<Node>(), rest = std::make_shared<Node>();
    for (const Term& term : a.node_->terms) {
      if (divides(divisor, term.coefficient)) {
        add_term(*whole, {term.coefficient / divisor, term.atoms});
      } else {
        add_term(*rest, term);
      }
    }
    const std::int64_t quotient = floor_div_value(a.node_->constant, divisor);
    whole->constant = quotient;
    rest->constant = wrapping_add(a.node_->constant, negated(wrapping_mul(quotient, divisor)));
    const bool split = !whole->terms.empty() || quotient != 0;
    const Dim remainder{std::shared_ptr<const Node>(std::move(rest))};
    if (split) return Dim(std::shared_ptr<const Node>(std::move(whole))) + Dim::function(kFloorDiv, remainder, b, 0);
  }
  // a*b / b, for a divisor of one term, e.g. 4*H*W
  if (b.node_->constant == 0 && b.node_->terms.size() == 1 && !a.is_constant() && a.node_->constant == 0) {
    const Term& divisor = b.node_->terms[0];
    auto quotient = std::make_shared<Node>();
    bool exact = true;
    for (const Term& term : a.node_->terms) {
      exact = exact && divides(divisor.coefficient, term.coefficient);
      if (!exact) break;
      Term reduced{term.coefficient / divisor.coefficient, term.atoms};
      for (const auto& factor : divisor.atoms) {
        const auto at = std::find_if(reduced.atoms.begin(), reduced.atoms.end(), [&](const auto& atom) { return atom->text == factor->text; });
        exact = exact && at != reduced.atoms.end();
        if (!exact) break;
        reduced.atoms.erase(at);
      }
      if (!exact) break;
      add_term(*quotient, std::move(reduced));
    }
    if (exact) return Dim(std::shared_ptr<const Node>(std::move(quotient)));
  }
  return Dim::function(kFloorDiv, a, b, 0);
}

Dim ceil_div(const Dim& a, const Dim& b) {
  if (b.is_constant() && b.constant() > 0) return floor_div(a + Dim(b.constant() - 1), b);
  return Dim::function(kCeilDiv, a, b, 0);
}

Dim max(const Dim& a, const Dim& b) { return a == b ? a : Dim::function(kMax, a, b, 0); }
Dim min(const Dim& a, const Dim& b) { return a == b ? a : Dim::function(kMin, a, b, 0); }
Dim mod(const Dim& a, const Dim& b) {
  if (b.is_constant() && b.constant() == 1) return Dim(0);
  return Dim::function(kMod, a, b, 0);
}
Dim floor_scale(const Dim& a, double scale) {
  if (scale == 1.0) return a;
  if (scale == std::floor(scale) && std::abs(scale) < 0x1p31) return a * Dim(static_cast<std::int64_t>(scale));
  return Dim::function(kScale, a, Dim(0), scale);
}

bool operator==(const Dim& a, const Dim& b) {
  if (a.node_ == b.node_) return true;
  if (a.node_->constant != b.node_->constant || a.node_->terms.size() != b.node_->terms.size()) return false;
  for (std::size_t i = 0; i < a.node_->terms.size(); ++i) {
    if (a.node_->terms[i].coefficient != b.node_->terms[i].coefficient) return false;
    if (a.node_->terms[i].key() != b.node_->terms[i].key()) return false;
  }
  return true;
}

std::optional<std::int64_t> Dim::lower_bound() const {
  const auto atom_bound = [](const Atom& atom) -> std::optional<std::int64_t> {
    if (atom.kind == kSymbol) return 1;
    const auto a = atom.a.lower_bound(), b = atom.b.lower_bound();
    const bool positive_constant = atom.b.is_constant() && atom.b.constant() > 0;
    switch (atom.kind) {
      case kMax: return a && b ? std::max(*a, *b) : a ? a : b;
      case kMin: return a && b ? std::optional(std::min(*a, *b)) : std::nullopt;
      case kMod: return b && *b >= 1 ? std::optional<std::int64_t>(0) : std::nullopt;
      case kScale: return a && *a >= 0 && atom.scale >= 0 ? std::optional<std::int64_t>(0) : std::nullopt;
      default:  // quotients
        if (a && positive_constant) return floor_div_value(*a, atom.b.constant());
        return a && b && *a >= 0 && *b >= 1 ? std::optional<std::int64_t>(0) : std::nullopt;
    }
  };
  std::int64_t sum = node_->constant;
  for (const Term& term : node_->terms) {
    std::int64_t product = term.coefficient;
    for (const auto& atom : term.atoms) {
      const auto bound = atom_bound(*atom);
      if (!bound || *bound < 0 || term.coefficient < 0 || !checked_mul(product, *bound, product)) return std::nullopt;
    }
    if (!checked_add(sum, product, sum)) return std::nullopt;
  }
  return sum;
}

Result<std::int64_t> Dim::evaluate(const Bindings& bindings) const {
  std::int64_t sum = node_->constant;
  for (const Term& term : node_->terms) {
    std::int64_t product = term.coefficient;
    for (const auto& atom : term.atoms) {
      std::int64_t factor = 0;
      if (atom->kind == kSymbol) {
        const auto it = bindings.find(atom->text);
        if (it == bindings.end()) return not_found("shape: symbol '", atom->text, "' has no value");
        factor = it->second;
      } else {
        FOVEA_ASSIGN(const std::int64_t a, atom->a.evaluate(bindings));
        FOVEA_ASSIGN(const std::int64_t b, atom->b.evaluate(bindings));
        FOVEA_ASSIGN(factor, apply(atom->kind, a, b, atom->scale));
      }
      if (!checked_mul(product, factor, product)) return invalid_argument("shape: ", to_string(), " overflows");
    }
    if (!checked_add(sum, product, sum)) return invalid_argument("shape: ", to_string(), " overflows");
  }
  return sum;
}

Dim Dim::substitute(const std::map<std::string, Dim, std::less<>>& values) const {
  Dim sum(node_->constant);
  for (const Term& term : node_->terms) {
    Dim product(term.coefficient);
    for (const auto& atom : term.atoms) {
      if (atom->kind == kSymbol) {
        const auto it = values.find(atom->text);
        product = product * (it == values.end() ? symbol(atom->text) : it->second);
        continue;
      }
      const Dim a = atom->a.substitute(values), b = atom->b.substitute(values);
      switch (atom->kind) {
        case kFloorDiv: product = product * floor_div(a, b); break;
        case kCeilDiv: product = product * ceil_div(a, b); break;
        case kMax: product = product * max(a, b); break;
        case kMin: product = product * min(a, b); break;
        case kMod: product = product * mod(a, b); break;
        default: product = product * floor_scale(a, atom->scale); break;
      }
    }
    sum = sum + product;
  }
  return sum;
}

void Dim::collect_symbols(std::vector<std::string>& into) const {
  for (const Term& term : node_->terms) {
    for (const auto& atom : term.atoms) {
      if (atom->kind == kSymbol) {
        if (std::find(into.begin(), into.end(), atom->text) == into.end()) into.push_back(atom->text);
      } else {
        atom->a.collect_symbols(into);
        atom->b.collect_symbols(into);
      }
    }
  }
}

std::string Dim::to_string() const {
  std::string text;
  for (const Term& term : node_->terms) {
    if (term.coefficient == -1) {
      text += "-";
    } else {
      if (!text.empty() && term.coefficient > 0) text += "+";
      if (term.coefficient != 1) text += std::to_string(term.coefficient) + "*";
    }
    text += term.key();
  }
  if (text.empty() || node_->constant != 0) {
    if (!text.empty() && node_->constant > 0) text += "+";
    text += std::to_string(node_->constant);
  }
  return text;
}

SymbolicShape to_symbolic(const Shape& shape) { return {shape.begin(), shape.end()}; }

std::optional<Shape> to_concrete(const SymbolicShape& shape) {
  Shape concrete;
  if (shape.size() > kMaxRank) return std::nullopt;
  for (const Dim& dim : shape) {
    if (!dim.is_constant()) return std::nullopt;
    concrete.push_back(dim.constant());
  }
  return concrete;
}

Result<Shape> evaluate(const SymbolicShape& shape, const Bindings& bindings) {
  if (shape.size() > kMaxRank) return unsupported("shape: at most ", kMaxRank, " dimensions are supported");
  Shape concrete;
  for (const Dim& dim : shape) {
    FOVEA_ASSIGN(const std::int64_t extent, dim.evaluate(bindings));
    concrete.push_back(extent);
  }
  return concrete;
}

std::string to_string(const SymbolicShape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::string dim = shape[i].to_string();
    const bool simple = shape[i].is_constant() || shape[i].is_symbol();
    text += (i ? "x" : "") + (simple ? dim : "(" + dim + ")");
  }
  return text;
}

}  // namespace fovea
