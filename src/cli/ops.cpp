// SPDX-License-Identifier: Apache-2.0
// `fovea ops`: the support matrix, straight from the schema and kernel tables.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "device/kernel_registry.h"
#include "onnx/alias.h"
#include "ops/user_operators.h"

namespace fovea::cli {

namespace {

std::string type_list(ops::TypeSet set) {
  if (set == ops::kAllTypes) return "all";
  std::string text;
  for (int type = 1; type <= static_cast<int>(DataType::u2); ++type) {
    if (set >> type & 1) text += (text.empty() ? "" : " ") + std::string(name(static_cast<DataType>(type)));
  }
  return text;
}

std::vector<std::string> kernel_names(std::string_view op) {
  std::vector<std::string> names;
  for (const Kernel* kernel : kernels_of("cpu", op)) names.emplace_back(kernel->name());
  names.emplace_back("reference");
  return names;
}

/// "mmcv, mmdeploy", or "any".
std::string domain_list(const onnx::Alias& alias) {
  std::string text;
  for (const std::string_view domain : alias.domains) text += (text.empty() ? "" : ", ") + std::string(domain.empty() ? "ai.onnx" : domain);
  return text.empty() ? "any" : text;
}

bool matches(const onnx::Alias& alias, std::string_view filter) {
  return alias.form.name.find(filter) != std::string_view::npos || alias.op.find(filter) != std::string_view::npos;
}

/// "1.0.0 of 'log_polar' (/path/liblog_polar.so)"; empty for what is built in.
std::string source_of(const ops::UserOperator* user) {
  if (!user) return {};
  return str_cat(user->version, " of '", user->plugin, "'", user->library.empty() ? "" : " (" + user->library + ")");
}

bool any_matches(std::string_view filter) {
  const auto schemas = ops::all_schemas();
  const auto aliases = onnx::all_aliases();
  return std::any_of(schemas.begin(), schemas.end(), [&](const ops::OperatorSchema* schema) { return schema->name.find(filter) != std::string_view::npos; }) ||
         std::any_of(aliases.begin(), aliases.end(), [&](const onnx::Alias& alias) { return matches(alias, filter); });
}

nlohmann::json alias_rows(std::string_view filter) {
  nlohmann::json rows = nlohmann::json::array();
  for (const onnx::Alias& alias : onnx::all_aliases()) {
    if (matches(alias, filter)) rows.push_back({{"name", alias.form.name}, {"domains", domain_list(alias)}, {"operator", alias.op}});
  }
  return rows;
}

void print_aliases(const nlohmann::json& rows, bool markdown) {
  if (rows.empty()) return;
  std::printf(markdown ? "\n| other name | in the domains | operator |\n|---|---|---|\n" : "\n%-36s %-28s %s\n", "other name", "in the domains", "operator");
  for (const auto& row : rows) {
    std::printf(markdown ? "| %s | %s | %s |\n" : "%-36s %-28s %s\n", row["name"].get<std::string>().c_str(), row["domains"].get<std::string>().c_str(),
                row["operator"].get<std::string>().c_str());
  }
}

}  // namespace

int ops(int argc, char** argv) {
  std::string json, filter;
  bool markdown = false;
  PluginArguments plugins;
  CommandLine line("Prints every operator with its first opset, types and kernels per device.", "fovea ops Conv");
  line.option("filter", filter, "only operators whose name contains this");
  line.option("--json", json, "write the matrix as JSON to a file, '-' for stdout");
  line.flag("--markdown", markdown, "as a Markdown table");
  plugins.add_to(line);
  if (const auto code = parse(line, argc, argv, plugins)) return *code;
  if (!any_matches(filter)) {
    std::string nearest;
    for (const std::string_view name : ops::nearest_operators(filter)) nearest += (nearest.empty() ? "the nearest are " : ", ") + std::string(name);
    fail(unsupported("ops: no operator's name contains '", filter, "'").with_hint(nearest));
    return kNo;
  }
  nlohmann::json rows = nlohmann::json::array();
  if (json != "-") {
    if (markdown) std::printf("| operator | since opset | types | cpu kernels | |\n|---|---|---|---|---|\n");
    else std::printf("%-30s %5s  %-40s %s\n", "operator", "since", "types", "cpu kernels, best first");
  }
  for (const ops::OperatorSchema* schema : ops::all_schemas()) {
    if (schema->name.find(filter) == std::string_view::npos) continue;
    const std::string name(schema->name), types = type_list(schema->types), summary(schema->summary);
    std::string kernels;
    for (const std::string& kernel : kernel_names(schema->name)) kernels += (kernels.empty() ? "" : " ") + kernel;
    const ops::UserOperator* user = ops::find_user_operator(name);
    rows.push_back({{"name", name}, {"since", schema->since}, {"types", types}, {"summary", summary}, {"devices", {{"cpu", kernel_names(schema->name)}}}});
    if (user) rows.back()["plugin"] = {{"name", user->plugin}, {"library", user->library}, {"version", user->version}, {"schema_hash", user->schema_hash}};
    if (user) kernels += "; version " + source_of(user);
    if (json == "-") continue;
    if (markdown) std::printf("| %s | %d | %s | %s | %s |\n", name.c_str(), schema->since, types.c_str(), kernels.c_str(), summary.c_str());
    else std::printf("%-30s %5d  %-40s %s\n", name.c_str(), schema->since, types.c_str(), kernels.c_str());
  }
  const nlohmann::json aliases = alias_rows(filter);
  if (json != "-") print_aliases(aliases, markdown);
  if (!json.empty()) {
    const Status status = write_json(json, nlohmann::json({{"operators", rows}, {"aliases", aliases}}).dump(2));
    if (!status.ok()) return fail(status);
  }
  return kDone;
}

}  // namespace fovea::cli
