// SPDX-License-Identifier: Apache-2.0
// The schema table (ops.def expanded) and the checks against it.
#include "ops/schema.h"

#include <algorithm>
#include <map>

#include "ops/user_operators.h"

namespace fovea::ops {

#define FOVEA_OP(stem, name) OperatorSchema stem##_schema();
#include "ops/ops.def"
#undef FOVEA_OP

namespace {

const std::vector<OperatorSchema>& table() {
  static const std::vector<OperatorSchema> schemas = {
#define FOVEA_OP(stem, name) stem##_schema(),
#include "ops/ops.def"
#undef FOVEA_OP
  };
  return schemas;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) == std::tolower(static_cast<unsigned char>(b[j - 1]));
      const std::size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

constexpr std::string_view kTypeNames[] = {"int", "float", "string", "ints", "floats", "strings", "tensor", "graph"};

bool holds(const AttributeValue& value, AttributeType type) {
  // AttributeValue's alternatives stand in the order of AttributeType. An empty list has no type of its own.
  if (value.index() == static_cast<std::size_t>(type)) return true;
  const auto empty = [](const auto& v) {
    if constexpr (requires { v.empty(); }) return v.empty();
    return false;
  };
  const bool list = type == AttributeType::Ints || type == AttributeType::Floats || type == AttributeType::Strings;
  return list && value.index() >= 3 && value.index() <= 5 && std::visit(empty, value);
}

}  // namespace

const OperatorSchema* find_schema(std::string_view op) {
  static const auto* index = [] {
    auto* map = new std::map<std::string_view, const OperatorSchema*>;
    for (const OperatorSchema& schema : table()) map->emplace(schema.name, &schema);
    return map;
  }();
  if (const auto it = index->find(op); it != index->end()) return it->second;
  const UserOperator* user = find_user_operator(op);
  return user ? &user->schema : nullptr;
}

std::span<const OperatorSchema> builtin_schemas() { return table(); }

std::vector<std::string_view> nearest_operators(std::string_view op) {
  std::vector<std::pair<std::size_t, std::string_view>> scored;
  for (const OperatorSchema* schema : all_schemas()) scored.emplace_back(edit_distance(op.substr(0, 64), schema->name), schema->name);
  std::stable_sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string_view> names;
  for (const auto& [distance, name] : scored) {
    if (names.size() < 3 && distance <= std::max<std::size_t>(2, op.size() / 2)) names.push_back(name);
  }
  return names;
}

Status check_against_schema(const OperatorSchema& schema, const Attributes& attributes, int inputs, int outputs, int bodies) {
  const auto check_count = [&](const char* what, int count, int low, int high) -> Status {
    if (count >= low && count <= high) return {};
    const std::string wanted = high >= kVariadic ? str_cat("at least ", low) : low == high ? str_cat(low) : str_cat(low, " to ", high);
    return invalid_model(schema.name, ": expected ", wanted, " ", what, ", found ", count);
  };
  FOVEA_RETURN_IF_ERROR(check_count("inputs", inputs, schema.min_inputs, schema.max_inputs));
  FOVEA_RETURN_IF_ERROR(check_count("outputs", outputs, schema.min_outputs, schema.max_outputs));
  if (!(schema.traits & kHasBodies) && bodies != 0) return invalid_model(schema.name, ": takes no graph attributes");
  for (const auto& [name, value] : attributes) {
    const auto spec = std::find_if(schema.attributes.begin(), schema.attributes.end(), [&](const AttributeSpec& s) { return s.name == name; });
    if (spec == schema.attributes.end()) {
      std::string known;
      for (const AttributeSpec& s : schema.attributes) known += (known.empty() ? "" : ", ") + std::string(s.name);
      return invalid_model(schema.name, ": unknown attribute '", name, "'; known: ", known.empty() ? "none" : known);
    }
    if (!holds(value, spec->type)) {
      return invalid_model(schema.name, ": attribute '", name, "' must be of type ", kTypeNames[static_cast<int>(spec->type)],
                           spec->default_text.empty() ? "" : " (default ", spec->default_text, spec->default_text.empty() ? "" : ")");
    }
    if (const auto* text = std::get_if<std::string>(&value); text && !spec->allowed.empty() &&
        std::find(spec->allowed.begin(), spec->allowed.end(), *text) == spec->allowed.end()) {
      std::string allowed;
      for (std::string_view a : spec->allowed) allowed += (allowed.empty() ? "'" : ", '") + std::string(a) + "'";
      return invalid_model(schema.name, ": attribute '", name, "' is '", *text, "'; allowed: ", allowed,
                           spec->default_text.empty() ? "" : "; default ", spec->default_text);
    }
  }
  for (const AttributeSpec& spec : schema.attributes) {
    if (spec.required && spec.type != AttributeType::Graph && !attributes.has(spec.name)) {
      return invalid_model(schema.name, ": attribute '", spec.name, "' (", kTypeNames[static_cast<int>(spec.type)], ") is required and missing");
    }
  }
  return {};
}

}  // namespace fovea::ops
