// SPDX-License-Identifier: Apache-2.0
#include "passes/match.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/float_types.h"
#include "ops/schema.h"

namespace fovea::passes {

NodeId producer_of(const Graph& graph, ValueId value, std::string_view op) {
  if (value == kNone) return kNone;
  const NodeId producer = graph.value(value).producer;
  return producer != kNone && graph.node(producer).op == op ? producer : kNone;
}

bool is_used_once(const Graph& graph, ValueId value) {
  return value != kNone && graph.users(value).size() == 1 && !graph.is_graph_output(value);
}
bool is_used(const Graph& graph, ValueId value) {
  return value != kNone && (!graph.users(value).empty() || graph.is_graph_output(value));
}

DataType type_of(const Graph& graph, ValueId value) {
  if (value == kNone || graph.value(value).type.kind != ValueType::Kind::Tensor) return DataType::undefined;
  return graph.value(value).type.element;
}

const SymbolicShape* shape_of(const Graph& graph, ValueId value) {
  if (value == kNone || !graph.value(value).shape) return nullptr;
  return &*graph.value(value).shape;
}

int rank_of(const Graph& graph, ValueId value) {
  const SymbolicShape* shape = shape_of(graph, value);
  return shape ? static_cast<int>(shape->size()) : -1;
}

std::optional<std::int64_t> extent_of(const Graph& graph, ValueId value, int axis) {
  const SymbolicShape* shape = value == kNone ? nullptr : shape_of(graph, value);
  if (!shape) return std::nullopt;
  const std::int64_t rank = std::ssize(*shape), at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank || !(*shape)[static_cast<std::size_t>(at)].is_constant()) return std::nullopt;
  return (*shape)[static_cast<std::size_t>(at)].constant();
}

std::int64_t channels_of(const Graph& graph, ValueId value) { return rank_of(graph, value) >= 3 ? extent_of(graph, value, 1).value_or(-1) : -1; }

std::optional<Shape> concrete_shape_of(const Graph& graph, ValueId value) {
  const SymbolicShape* shape = shape_of(graph, value);
  return shape ? to_concrete(*shape) : std::nullopt;
}

bool have_same_shape(const Graph& graph, ValueId a, ValueId b) {
  const SymbolicShape* left = shape_of(graph, a);
  const SymbolicShape* right = shape_of(graph, b);
  return left && right && *left == *right;
}

const Tensor* constant_of(const Graph& graph, ValueId value) {
  return value != kNone && graph.value(value).is_constant() ? &graph.value(value).constant : nullptr;
}

std::vector<double> to_doubles(const Tensor& tensor) {
  std::vector<double> out;
  const auto copy = [&](auto zero) {
    for (const auto& v : tensor.values<decltype(zero)>()) out.push_back(static_cast<double>(v));
  };
  switch (tensor.type()) {
    case DataType::f32: copy(float{}); break;
    case DataType::f64: copy(double{}); break;
    case DataType::i8:
    case DataType::i4:
    case DataType::i2: copy(std::int8_t{}); break;
    case DataType::u8:
    case DataType::u4:
    case DataType::u2:
    case DataType::boolean: copy(std::uint8_t{}); break;
    case DataType::i16: copy(std::int16_t{}); break;
    case DataType::u16: copy(std::uint16_t{}); break;
    case DataType::i32: copy(std::int32_t{}); break;
    case DataType::u32: copy(std::uint32_t{}); break;
    case DataType::i64: copy(std::int64_t{}); break;
    case DataType::u64: copy(std::uint64_t{}); break;
    case DataType::f16:
      for (Half v : tensor.values<Half>()) out.push_back(static_cast<float>(v));
      break;
    case DataType::bf16:
      for (BFloat16 v : tensor.values<BFloat16>()) out.push_back(static_cast<float>(v));
      break;
    default: break;
  }
  return out;
}

Tensor from_doubles(DataType type, const Shape& shape, const std::vector<double>& values) {
  Tensor tensor = Tensor::allocate(type, shape).value();
  FOVEA_CHECK(tensor.elements() == static_cast<std::int64_t>(values.size()));
  const auto copy = [&](auto convert) {
    using T = decltype(convert(0.0));
    std::transform(values.begin(), values.end(), tensor.data<T>(), convert);
  };
  switch (type) {
    case DataType::f32: copy([](double v) { return static_cast<float>(v); }); break;
    case DataType::f64: copy([](double v) { return v; }); break;
    case DataType::f16: copy([](double v) { return Half(static_cast<float>(v)); }); break;
    case DataType::bf16: copy([](double v) { return BFloat16(static_cast<float>(v)); }); break;
    case DataType::i8: copy([](double v) { return static_cast<std::int8_t>(v); }); break;
    case DataType::u8:
    case DataType::boolean: copy([](double v) { return static_cast<std::uint8_t>(v); }); break;
    case DataType::i32: copy([](double v) { return static_cast<std::int32_t>(v); }); break;
    case DataType::i64: copy([](double v) { return static_cast<std::int64_t>(v); }); break;
    default: FOVEA_CHECK(false && "type without a conversion from double");
  }
  return tensor;
}

Tensor from_integers(const std::vector<std::int64_t>& values) {
  return Tensor::from(DataType::i64, Shape{static_cast<std::int64_t>(values.size())},
                      std::span<const std::int64_t>(values));
}

std::optional<double> uniform_of(const Graph& graph, ValueId value) {
  const Tensor* tensor = constant_of(graph, value);
  constexpr std::int64_t kLongest = 1 << 16;  // uniform constants in networks are short; weights need no look
  if (!tensor || tensor->elements() < 1 || tensor->elements() > kLongest) return std::nullopt;
  const std::vector<double> values = to_doubles(*tensor);
  if (values.empty() || std::any_of(values.begin(), values.end(), [&](double v) { return v != values[0]; }))
    return std::nullopt;
  return values[0];
}

std::optional<double> scalar_of(const Graph& graph, ValueId value) {
  const Tensor* tensor = constant_of(graph, value);
  return tensor && tensor->elements() == 1 ? uniform_of(graph, value) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> integers_of(const Graph& graph, ValueId value) {
  const Tensor* tensor = constant_of(graph, value);
  if (!tensor) return std::nullopt;
  if (tensor->type() == DataType::i64) {
    const auto values = tensor->values<std::int64_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  if (tensor->type() == DataType::i32) {
    const auto values = tensor->values<std::int32_t>();
    return std::vector<std::int64_t>(values.begin(), values.end());
  }
  return std::nullopt;
}

bool is_near(double value, double expected, DataType type) {
  // Exporters print constants with six digits or more; narrow types round to 11 and 8 bits.
  const double tolerance = type == DataType::f16 ? 1e-3 : type == DataType::bf16 ? 8e-3 : 2e-6;
  return std::abs(value - expected) <= tolerance * std::abs(expected);
}

ValueId behind_casts(const Graph& graph, ValueId value) {
  const auto is_float = [&](ValueId id) {
    const DataType type = type_of(graph, id);
    return type == DataType::f32 || type == DataType::f64 || type == DataType::f16 || type == DataType::bf16;
  };
  for (NodeId cast = producer_of(graph, value, "Cast"); cast != kNone; cast = producer_of(graph, value, "Cast")) {
    const ValueId input = graph.node(cast).inputs[0];
    if (!is_float(value) || !is_float(input)) break;
    value = input;
  }
  return value;
}

ValueId Match::value(std::string_view name) const {
  for (const auto& [bound, value] : bound_) {
    if (bound == name) return value;
  }
  return kNone;
}

struct Expression::Reader {
  std::string_view text;
  std::size_t at = 0;

  void skip() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n')) ++at;
  }
  bool accept(char c) {
    skip();
    if (at >= text.size() || text[at] != c) return false;
    ++at;
    return true;
  }
  std::string word() {
    skip();
    const std::size_t start = at;
    while (at < text.size() && (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_')) ++at;
    return std::string(text.substr(start, at - start));
  }
  Term term() {
    skip();
    FOVEA_CHECK(at < text.size());
    Term term;
    if (text[at] == '-' || text[at] == '.' || std::isdigit(static_cast<unsigned char>(text[at]))) {
      term.kind = Term::Kind::Number;
      const auto [end, code] = std::from_chars(text.data() + at, text.data() + text.size(), term.number);
      FOVEA_CHECK(code == std::errc());
      at = static_cast<std::size_t>(end - text.data());
      return term;
    }
    std::string first = word();
    FOVEA_CHECK(!first.empty());
    if (first == "_") return term;
    if (accept(':')) {
      term.label = std::move(first);
      first = word();
    }
    if (!accept('(')) {
      FOVEA_CHECK(term.label.empty());
      term.kind = Term::Kind::Name;
      term.label = std::move(first);
      return term;
    }
    term.kind = Term::Kind::Operator;
    term.op = std::move(first);
    do {
      term.operands.push_back(this->term());
    } while (accept(','));
    FOVEA_CHECK(accept(')'));
    return term;
  }
};

Expression::Expression(std::string_view text, Casts casts) : casts_(casts) {
  Reader reader{text};
  root_ = std::make_shared<const Term>(reader.term());
  reader.skip();
  FOVEA_CHECK(reader.at == text.size() && root_->kind == Term::Kind::Operator);
}

bool Expression::match_term(const Term& term, const Graph& graph, ValueId value, Match& match) {
  const auto are_same = [&](ValueId a, ValueId b) {
    return a == b || (match.through_casts_ && behind_casts(graph, a) == behind_casts(graph, b));
  };
  switch (term.kind) {
    case Term::Kind::Missing: return value == kNone;
    case Term::Kind::Number: {
      const auto number = value == kNone ? std::nullopt : uniform_of(graph, value);
      return number && is_near(*number, term.number, type_of(graph, value));
    }
    case Term::Kind::Name: {
      const ValueId bound = match.value(term.label);
      if (value == kNone || bound != kNone) return value != kNone && are_same(bound, value);
      match.bound_.emplace_back(term.label, value);
      return true;
    }
    case Term::Kind::Operator: break;
  }
  if (value == kNone) return false;
  if (match.through_casts_ && term.op != "Cast") value = behind_casts(graph, value);
  // Already matched under this label: the same value, nothing more to do.
  if (!term.label.empty() && match.value(term.label) != kNone) return match.value(term.label) == value;
  const bool any_way = term.operands.size() > 2 && (term.op == "Add" || term.op == "Mul");
  if (any_way) {
    if (!match_any_way(term, (1u << term.operands.size()) - 1, graph, value, match)) return false;
  } else {
    const NodeId node = producer_of(graph, value, term.op);
    if (node == kNone || graph.node(node).outputs[0] != value) return false;
    match.nodes_.push_back(node);
    if (!match_operands(term, graph, node, match)) return false;
  }
  if (!term.label.empty()) match.bound_.emplace_back(term.label, value);
  return true;
}

bool Expression::match_operands(const Term& term, const Graph& graph, NodeId node, Match& match) {
  const std::vector<ValueId>& inputs = graph.node(node).inputs;
  if (inputs.size() > term.operands.size()) return false;
  const auto in_order = [&](Match& trial, bool swapped) {
    for (std::size_t i = 0; i < term.operands.size(); ++i) {
      const std::size_t from = swapped ? term.operands.size() - 1 - i : i;
      if (!match_term(term.operands[i], graph, from < inputs.size() ? inputs[from] : kNone, trial)) return false;
    }
    return true;
  };
  Match trial = match;
  if (in_order(trial, false)) {
    match = std::move(trial);
    return true;
  }
  const ops::OperatorSchema* schema = ops::find_schema(term.op);
  const bool commutes = (schema && (schema->traits & ops::kCommutative)) || term.op == "Add" || term.op == "Mul";
  if (!commutes || term.operands.size() != 2 || inputs.size() != 2) return false;
  return in_order(match, true);
}

// `subset` are the operands that `value` must combine: it is either the only one left, or op(part, rest).
bool Expression::match_any_way(const Term& term, unsigned subset, const Graph& graph, ValueId value, Match& match) {
  if ((subset & (subset - 1)) == 0) {
    std::size_t only = 0;
    while (!(subset >> only & 1u)) ++only;
    return match_term(term.operands[only], graph, value, match);
  }
  const NodeId node = producer_of(graph, value, term.op);
  if (node == kNone || graph.node(node).inputs.size() != 2) return false;
  for (unsigned part = (subset - 1) & subset; part != 0; part = (part - 1) & subset) {
    Match trial = match;
    trial.nodes_.push_back(node);
    if (match_any_way(term, part, graph, graph.node(node).inputs[0], trial) &&
        match_any_way(term, subset & ~part, graph, graph.node(node).inputs[1], trial)) {
      match = std::move(trial);
      return true;
    }
  }
  return false;
}

bool Expression::is_closed(const Graph& graph, const Match& match) {
  const auto inside = [&](NodeId id) {
    return std::find(match.nodes_.begin(), match.nodes_.end(), id) != match.nodes_.end();
  };
  // A Cast that is ignored is inside if what reads it is.
  const auto only_leads_inside = [&](NodeId id) {
    if (!match.through_casts_ || graph.node(id).op != "Cast") return false;
    const ValueId cast = graph.node(id).outputs[0];
    return !graph.is_graph_output(cast) && std::all_of(graph.users(cast).begin(), graph.users(cast).end(), inside);
  };
  for (std::size_t i = 1; i < match.nodes_.size(); ++i) {
    if (match.nodes_[i] == match.nodes_[0]) continue;
    for (ValueId output : graph.node(match.nodes_[i]).outputs) {
      if (output == kNone) continue;
      if (graph.is_graph_output(output)) return false;
      const auto& users = graph.users(output);
      if (!std::all_of(users.begin(), users.end(), [&](NodeId id) { return inside(id) || only_leads_inside(id); })) return false;
    }
  }
  return true;
}

std::optional<Match> Expression::match(const Graph& graph, ValueId root) const {
  if (producer_of(graph, root, root_->op) == kNone) return std::nullopt;
  Match match;
  match.through_casts_ = casts_ == Casts::Ignored;
  if (!match_term(*root_, graph, root, match) || !is_closed(graph, match)) return std::nullopt;
  return match;
}

std::optional<Match> match_first(const Graph& graph, ValueId root, const std::vector<Expression>& spellings) {
  for (const Expression& spelling : spellings) {
    if (auto found = spelling.match(graph, root)) return found;
  }
  return std::nullopt;
}

}  // namespace fovea::passes
