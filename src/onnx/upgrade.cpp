// SPDX-License-Identifier: Apache-2.0
#include "onnx/upgrade.h"

#include "base/float_types.h"
#include "onnx/alias.h"
#include "ops/user_operators.h"

namespace fovea::onnx {

namespace rules {
#define FOVEA_RULE(op, before, rule) Status rule(Upgrade&);
#include "onnx/rules/rules.def"
#undef FOVEA_RULE
}  // namespace rules

namespace {

struct Rule {
  std::string_view op;
  std::int64_t before;
  Status (*apply)(Upgrade&);
};

constexpr std::int64_t kAlways = INT64_MAX;
constexpr Rule kRules[] = {
#define FOVEA_RULE(op, before, rule) {op, before, rules::rule},
#include "onnx/rules/rules.def"
#undef FOVEA_RULE
};

template <class T>
std::optional<T> take(Attributes& attributes, std::string_view name) {
  const AttributeValue* found = attributes.find(name);
  const T* value = found ? std::get_if<T>(found) : nullptr;
  if (!value) return std::nullopt;
  T taken = *value;
  attributes.erase(name);
  return taken;
}

}  // namespace

DataType Upgrade::element(int input) {
  return has(input) ? scope_.facts().of(node.inputs[static_cast<std::size_t>(input)]).type.element : DataType::undefined;
}

const SymbolicShape* Upgrade::shape(int input) {
  if (!has(input)) return nullptr;
  const auto& fact = scope_.facts().of(node.inputs[static_cast<std::size_t>(input)]);
  return fact.shape ? &*fact.shape : nullptr;
}

std::optional<int> Upgrade::rank(int input) {
  const SymbolicShape* known = shape(input);
  return known ? std::optional<int>(static_cast<int>(known->size())) : std::nullopt;
}

const Tensor* Upgrade::constant(int input) {
  if (!has(input)) return nullptr;
  const ir::Value& value = graph().value(node.inputs[static_cast<std::size_t>(input)]);
  return value.is_constant() ? &value.constant : nullptr;
}

std::optional<std::int64_t> Upgrade::take_int(std::string_view name) { return take<std::int64_t>(node.attributes, name); }
std::optional<double> Upgrade::take_float(std::string_view name) { return take<double>(node.attributes, name); }
std::optional<std::string> Upgrade::take_string(std::string_view name) { return take<std::string>(node.attributes, name); }
std::optional<std::vector<std::int64_t>> Upgrade::take_ints(std::string_view name) { return take<std::vector<std::int64_t>>(node.attributes, name); }
std::optional<std::vector<double>> Upgrade::take_floats(std::string_view name) { return take<std::vector<double>>(node.attributes, name); }

std::string Upgrade::hint(std::string_view role) const { return str_cat(node.name, "/", role); }

Status Upgrade::become(std::string_view op, std::vector<ir::ValueId> inputs, Attributes attributes) {
  node.op = std::string(op);
  node.inputs = std::move(inputs);
  node.attributes = std::move(attributes);
  return {};
}

void Upgrade::set_input(int i, ir::ValueId value) {
  const auto index = static_cast<std::size_t>(i);
  if (node.inputs.size() <= index) node.inputs.resize(index + 1, ir::kNone);
  node.inputs[index] = value;
}

ir::ValueId Upgrade::ints(std::string_view role, const std::vector<std::int64_t>& values) {
  return graph().add_constant(hint(role), Tensor::from<std::int64_t>(DataType::i64, {static_cast<std::int64_t>(values.size())}, values));
}

ir::ValueId Upgrade::scalar_int(std::string_view role, std::int64_t value) {
  return graph().add_constant(hint(role), Tensor::from<std::int64_t>(DataType::i64, {}, std::span(&value, 1)));
}

ir::ValueId Upgrade::floats(std::string_view role, const std::vector<double>& values) {
  const std::vector<float> narrow(values.begin(), values.end());
  return graph().add_constant(hint(role), Tensor::from<float>(DataType::f32, {static_cast<std::int64_t>(narrow.size())}, narrow));
}

Result<ir::ValueId> Upgrade::scalar_like(std::string_view role, double value, int input) {
  Tensor tensor;
  const auto make = [&](auto element, DataType type) { tensor = Tensor::from<decltype(element)>(type, {}, std::span<const decltype(element)>(&element, 1)); };
  const DataType type = element(input);
  switch (type) {
    case DataType::f16: make(Half(static_cast<float>(value)), type); break;
    case DataType::bf16: make(BFloat16(static_cast<float>(value)), type); break;
    case DataType::f64: make(value, type); break;
    default: make(static_cast<float>(value), DataType::f32); break;
  }
  const ir::ValueId constant = graph().add_constant(hint(role), std::move(tensor));
  if (type == graph().value(constant).type.element) return constant;
  return add("CastLike", role, {constant, node.inputs[static_cast<std::size_t>(input)]});
}

Status Upgrade::add_trailing_axes(int i, int count) {
  if (count <= 0) return {};
  const auto known = rank(i);
  if (!known) return unsupported("input ", i, " has an unknown rank, which this operator's old form needs");
  std::vector<std::int64_t> axes;
  for (int axis = *known; axis < *known + count; ++axis) axes.push_back(axis);
  FOVEA_ASSIGN(const ir::ValueId wider, add("Unsqueeze", str_cat("unsqueeze_", i), {node.inputs[static_cast<std::size_t>(i)], ints("axes", axes)}));
  set_input(i, wider);
  return {};
}

Result<ir::ValueId> Upgrade::add(std::string_view op, std::string_view role, std::vector<ir::ValueId> inputs, Attributes attributes) {
  ir::Node extra;
  extra.name = hint(role);
  extra.op = std::string(op);
  extra.attributes = std::move(attributes);
  extra.inputs = std::move(inputs);
  extra.sources = {node.name};
  const ir::ValueId output = graph().add_value(hint(role));
  extra.outputs = {output};
  FOVEA_RETURN_IF_ERROR(sink_.emit(std::move(extra), scope_));
  return output;
}

ir::ValueId Upgrade::detach_output(int i) {
  ir::ValueId& slot = node.outputs[static_cast<std::size_t>(i)];
  const ir::ValueId old = slot;
  slot = graph().add_value(hint("old"));
  return old;
}

void Upgrade::add_after(std::string_view op, std::vector<ir::ValueId> inputs, ir::ValueId output, Attributes attributes) {
  ir::Node extra;
  extra.name = hint(op);
  extra.op = std::string(op);
  extra.attributes = std::move(attributes);
  extra.inputs = std::move(inputs);
  extra.outputs = {output};
  extra.sources = {node.name};
  after_.push_back(std::move(extra));
}

Status upgrade_and_emit(ir::Node node, std::int64_t version, Scope& scope, NodeSink& sink) {
  Upgrade upgrade(node, version, scope, sink);
  if (const Alias* alias = find_alias(node.op)) {
    // Neither silently the one nor silently the other.
    if (const auto* user = ops::find_user_operator(node.op)) {
      return unsupported("operator '", node.op, "' stands for the built-in ", alias->op, ", and plugin '", user->plugin, "' defines it too")
          .with_hint("leave the plugin away, or give its operator another name");
    }
    FOVEA_RETURN_IF_ERROR(translate_alias(*alias, upgrade));
  } else {
    for (const Rule& rule : kRules) {
      if (version < rule.before && (rule.op == node.op || rule.op == "*")) FOVEA_RETURN_IF_ERROR(rule.apply(upgrade));
    }
  }
  std::vector<ir::Node> after = std::move(upgrade.after());
  FOVEA_RETURN_IF_ERROR(sink.emit(std::move(node), scope));
  for (ir::Node& extra : after) FOVEA_RETURN_IF_ERROR(sink.emit(std::move(extra), scope));
  return {};
}

}  // namespace fovea::onnx
