// SPDX-License-Identifier: Apache-2.0
#include "onnx/alias.h"

#include <algorithm>

namespace fovea::onnx {

namespace aliases {
#define FOVEA_ALIAS(stem) Alias stem();
#include "onnx/aliases/aliases.def"
#undef FOVEA_ALIAS
}  // namespace aliases

namespace {

struct Name {
  std::string_view domain, op_type;
};

Name split(std::string_view op) {
  const std::size_t at = op.rfind("::");
  return at == std::string_view::npos ? Name{{}, op} : Name{op.substr(0, at), op.substr(at + 2)};
}

// Fields of plugins are arrays, so their nodes often give a list of one where the form has a number.
void unwrap_numbers(Attributes& attributes, const ops::OperatorSchema& form) {
  for (const ops::AttributeSpec& spec : form.attributes) {
    const AttributeValue* found = attributes.find(spec.name);
    if (!found) continue;
    const auto* ints = std::get_if<std::vector<std::int64_t>>(found);
    const auto* floats = std::get_if<std::vector<double>>(found);
    if (spec.type == ops::AttributeType::Int && ints && ints->size() == 1) attributes.set(std::string(spec.name), std::int64_t{ints->front()});
    if (spec.type == ops::AttributeType::Float && floats && floats->size() == 1) attributes.set(std::string(spec.name), double{floats->front()});
  }
}

// The file's names for the operator's attributes; of several those that the node has.
ir::Spelling spelling_of(const ir::Node& node, const Alias& alias) {
  ir::Spelling spelling;
  spelling.op = node.op;
  for (const Renaming& renaming : alias.renamed) {
    std::string given;
    for (const std::string_view name : renaming.in_file) {
      if (node.attributes.has(name)) given += str_cat(given.empty() ? "" : ", ", name);
    }
    if (!given.empty()) spelling.attributes.push_back({std::string(renaming.attribute), std::move(given)});
  }
  return spelling;
}

std::string_view shown(std::string_view domain) { return domain.empty() ? "ai.onnx" : domain; }

}  // namespace

Alias same_form(std::string_view name, std::string_view op, std::vector<std::string_view> domains) {
  ops::OperatorSchema form = *ops::find_schema(op);
  form.name = name;
  form.infer = nullptr;
  return {.form = std::move(form), .domains = std::move(domains), .op = op};
}

bool Alias::counts_in(std::string_view domain) const {
  return domains.empty() || std::find(domains.begin(), domains.end(), domain) != domains.end();
}

std::span<const Alias> all_aliases() {
  static const std::vector<Alias> table = {
#define FOVEA_ALIAS(stem) aliases::stem(),
#include "onnx/aliases/aliases.def"
#undef FOVEA_ALIAS
  };
  return table;
}

const Alias* find_alias(std::string_view op) {
  const Name name = split(op);
  for (const Alias& alias : all_aliases()) {
    if (alias.form.name == name.op_type && alias.counts_in(name.domain)) return &alias;
  }
  return nullptr;
}

std::string known_domains(std::string_view op) {
  std::string list;
  for (const Alias& alias : all_aliases()) {
    if (alias.form.name != split(op).op_type) continue;
    for (const std::string_view domain : alias.domains) list += str_cat(list.empty() ? "" : ", ", shown(domain));
  }
  return list;
}

Status translate_alias(const Alias& alias, Upgrade& upgrade) {
  ir::Node& node = upgrade.node;
  node.attributes.erase("plugin_version");
  node.attributes.erase("plugin_namespace");
  unwrap_numbers(node.attributes, alias.form);
  FOVEA_RETURN_IF_ERROR(ops::check_against_schema(alias.form, node.attributes, static_cast<int>(node.inputs.size()),
                                                  static_cast<int>(node.outputs.size()), static_cast<int>(node.bodies.size())));
  for (int i = 0; alias.form.max_inputs < ops::kVariadic && i < alias.form.min_inputs; ++i) {
    if (!node.has_input(i)) return invalid_model(alias.form.name, ": input ", i, " must not be left out");
  }
  const DataType type = upgrade.element(0);
  if (type != DataType::undefined && !(alias.form.types & ops::type_bit(type))) {
    return unsupported(alias.form.name, ": input 0 of type ", name(type), " is not supported");
  }
  node.spelling = spelling_of(node, alias);
  node.op = std::string(alias.op);
  return alias.translate ? alias.translate(upgrade) : Status();
}

void rename_attribute(ir::Node& node, std::string_view from, std::string_view to) {
  const AttributeValue* found = node.attributes.find(from);
  if (!found) return;
  AttributeValue value = *found;
  node.attributes.erase(from);
  node.attributes.set(std::string(to), std::move(value));
}

void reorder_inputs(ir::Node& node, std::span<const int> order) {
  std::vector<ir::ValueId> inputs;
  for (const int from : order) inputs.push_back(from >= 0 && node.has_input(from) ? node.inputs[static_cast<std::size_t>(from)] : ir::kNone);
  while (!inputs.empty() && inputs.back() == ir::kNone) inputs.pop_back();
  node.inputs = std::move(inputs);
}

}  // namespace fovea::onnx
