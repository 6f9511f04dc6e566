// SPDX-License-Identifier: Apache-2.0
#include "engine/plugin_use.h"

#include <algorithm>
#include <set>

#include "engine/check_plan.h"
#include "ops/user_operators.h"

namespace fovea {

namespace {

// Bodies nested too deep are check_plan's to refuse.
void collect_ops(const Plan& plan, int depth, std::set<std::string_view>& ops) {
  for (const PlanStep& step : plan.steps) ops.insert(step.op);
  if (depth >= engine::kMaxBodyDepth) return;
  for (const Plan& body : plan.bodies) collect_ops(body, depth + 1, ops);
}

std::set<std::string_view> ops_of(const Plan& plan) {
  std::set<std::string_view> ops;
  collect_ops(plan, 0, ops);
  return ops;
}

std::string source_of(const ops::UserOperator& found) {
  return str_cat("the loaded plugin '", found.plugin, "'", found.library.empty() ? "" : " (" + found.library + ")");
}

Status check_use(const PluginUse& use) {
  const ops::UserOperator* found = ops::find_user_operator(use.op);
  const std::string wanted = str_cat("it was built with operator '", use.op, "' ", use.version, " of the plugin '", use.plugin, "'");
  if (!found && ops::find_schema(use.op)) {
    return Status(ErrorCode::Unsupported, wanted + ", here an operator of that name is built in", "build the engine again with this version");
  }
  if (!found) {
    return Status(ErrorCode::Unsupported, wanted + ", which is not loaded", "give its library: --plugin lib.so, in C++ fovea::load_plugin()");
  }
  if (found->version != use.version) {
    return Status(ErrorCode::Unsupported, str_cat(wanted, ", ", source_of(*found), " has ", found->version), "load the library of that version, or build the engine again");
  }
  if (found->schema_hash != use.schema_hash) {
    return Status(ErrorCode::Unsupported, str_cat(wanted, " and schema ", use.schema_hash.substr(0, 12), ", ", source_of(*found), " has schema ", found->schema_hash.substr(0, 12)),
                  "the operator's inputs or attributes changed without its version; load the library of that time, or build the engine again");
  }
  return {};
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::vector<PluginUse> plugin_uses(const Plan& plan) {
  std::vector<PluginUse> uses;
  for (std::string_view op : ops_of(plan)) {
    if (const auto* user = ops::find_user_operator(op)) uses.push_back({std::string(op), user->version, user->schema_hash, user->plugin});
  }
  return uses;
}

Status check_plugin_uses(const Plan& plan) {
  const std::set<std::string_view> used = ops_of(plan);
  for (std::size_t i = 0; i < plan.plugins.size(); ++i) {
    const PluginUse& use = plan.plugins[i];
    if (!is_hash(use.schema_hash)) return invalid_model("plugin operator '", use.op, "': its schema's hash is not 64 hexadecimal digits");
    if (i > 0 && !(plan.plugins[i - 1].op < use.op)) return invalid_model("plugin operators are not in order, or one is listed twice: '", use.op, "'");
    if (!used.contains(use.op)) return invalid_model("plugin operator '", use.op, "' is listed, but no step uses it");
    FOVEA_RETURN_IF_ERROR(check_use(use));
  }
  for (std::string_view op : used) {
    const bool listed = std::any_of(plan.plugins.begin(), plan.plugins.end(), [&](const PluginUse& use) { return use.op == op; });
    if (ops::find_user_operator(op) && !listed) return invalid_model("a step uses operator '", op, "' of a plugin, and the engine does not say which one");
  }
  return {};
}

}  // namespace fovea
