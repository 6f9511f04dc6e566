// SPDX-License-Identifier: Apache-2.0
#include "ops/user_operators.h"

#include <map>

#include "base/published.h"

namespace fovea::ops {

namespace {

struct Table {
  std::map<std::string_view, const UserOperator*> by_name;
  std::vector<const UserOperator*> operators;
  std::vector<const OperatorSchema*> all;  // built-in ones first
};

Published<Table>& published_table() {
  static auto* published = [] {
    Table first;
    for (const OperatorSchema& schema : builtin_schemas()) first.all.push_back(&schema);
    return new Published<Table>(std::move(first));
  }();
  return *published;
}

}  // namespace

const UserOperator* find_user_operator(std::string_view op) {
  const auto& rows = published_table().read().by_name;
  const auto it = rows.find(op);
  return it == rows.end() ? nullptr : it->second;
}

std::vector<const UserOperator*> user_operators() { return published_table().read().operators; }

Status add_user_operators(std::span<const UserOperator* const> operators) {
  Status status;
  published_table().replace([&](Table& next) {
    Table grown = next;
    for (const UserOperator* added : operators) {
      const std::string_view name = added->schema.name;
      const bool builtin = !grown.by_name.contains(name) && find_schema(name) != nullptr;
      const auto [row, is_new] = grown.by_name.emplace(name, added);
      if (builtin || !is_new) {
        status = unsupported("operator '", name, "' exists already: ", builtin ? "it is built in" : str_cat("it comes from plugin '", row->second->plugin, "'"));
        return;
      }
      grown.operators.push_back(added);
      grown.all.push_back(&added->schema);
    }
    next = std::move(grown);
  });
  return status;
}

std::span<const OperatorSchema* const> all_schemas() { return published_table().read().all; }

}  // namespace fovea::ops
