// SPDX-License-Identifier: Apache-2.0
// Opening a library, and bringing its operators into the registries: read all, check all, then add all.
#include "fovea/load_plugin.h"

#include <dlfcn.h>

#include <mutex>

#include "base/guard.h"
#include "device/kernel_registry.h"
#include "plugins/adapters.h"
#include "plugins/border.h"
#include "plugins/description.h"
#include "plugins/library_file.h"

namespace fovea {

namespace {

namespace fs = std::filesystem;
using plugins::Description;

struct Loaded {
  PluginInfo info;
  const void* table = nullptr;
  std::vector<std::unique_ptr<Description>> operators;
  std::vector<std::unique_ptr<const Kernel>> kernels;
};

/// What was loaded stays: engines, sessions and the registries refer to it.
struct Registry {
  std::mutex mutex;
  std::vector<std::unique_ptr<Loaded>> plugins;
};

Registry& registry() {
  static auto* all = new Registry;
  return *all;
}

PluginOperator describe(const Description& row) {
  PluginOperator described{row.name, row.version, row.schema_hash, {}, row.has_reference};
  for (const plugins::KernelRow& kernel : row.kernels) described.kernels.push_back(kernel.name);
  return described;
}

Result<PluginInfo> add(const fovea_plugin& table, const fs::path& library) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (const auto& other : all.plugins) {
    if (other->table == &table) return other->info;
  }
  auto loaded = std::make_unique<Loaded>();
  FOVEA_ASSIGN(loaded->operators, plugins::read_table(table));
  loaded->table = &table;
  loaded->info.name = loaded->operators.front()->plugin;
  loaded->info.library = library;
  std::vector<const ops::UserOperator*> rows;
  for (const auto& row : loaded->operators) {
    row->library = library.string();
    row->schema.infer = plugins::infer;
    row->reference = plugins::reference;
    rows.push_back(row.get());
    loaded->info.operators.push_back(describe(*row));
  }
  FOVEA_RETURN_IF_ERROR(ops::add_user_operators(rows));
  for (const auto& row : loaded->operators) {
    auto kernels = plugins::make_kernels(*row);
    for (auto kernel = kernels.rbegin(); kernel != kernels.rend(); ++kernel) {  // each goes in front of the others
      add_kernel("cpu", row->name, kernel->get());
      loaded->kernels.push_back(std::move(*kernel));
    }
  }
  all.plugins.push_back(std::move(loaded));
  return all.plugins.back()->info;
}

/// The loader's own words without the path that they begin with.
std::string loader_error(const fs::path& file) {
  const char* said = dlerror();
  std::string text = said ? said : "unknown reason";
  const std::string prefix = file.string() + ": ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

constexpr const char* kLibraryHint = "a plugin is a shared library built for this machine, linked with all it uses";

Result<PluginInfo> open(const fs::path& library) {
  std::error_code error;
  if (!fs::exists(library, error)) return not_found("cannot open: no such file");
  if (!fs::is_regular_file(library, error)) return not_found("cannot open: not a file");
  const fs::path file = fs::canonical(library, error);  // with a slash in it: never searched for elsewhere
  if (error) return not_found("cannot open: ", error.message());
  FOVEA_RETURN_IF_ERROR(plugins::check_library_file(file).with_hint(kLibraryHint));
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return Status(ErrorCode::InvalidModel, "not a library that can be loaded: " + loader_error(file), kLibraryHint);
  // Never closed: threads may be inside, and destructors of a library that is refused are not worth the risk.
  const auto entry = reinterpret_cast<decltype(&fovea_plugin_entry)>(dlsym(handle, "fovea_plugin_entry"));
  if (!entry) return Status(ErrorCode::InvalidModel, "not a plugin: it exports no function fovea_plugin_entry", "docs/add_an_operator.md shows a whole one; in C++ the function must be extern \"C\"");
  const fovea_plugin* table = nullptr;
  try {
    table = entry(FOVEA_PLUGIN_ABI);
  } catch (...) {
    return invalid_model("fovea_plugin_entry threw an exception");
  }
  if (!table) return invalid_model("fovea_plugin_entry returned null: it refuses plugin ABI ", FOVEA_PLUGIN_ABI);
  return add(*table, file);
}

constexpr const char* kHint = "the plugin's author must correct this; include/fovea/plugin.h says what is expected";

}  // namespace

Result<PluginInfo> load_plugin(const fs::path& library) {
  auto info = guarded([&] { return open(library); });
  if (!info.ok()) {
    Status status = std::move(info).status().with_context(str_cat("plugin ", library.string()));
    return status.code() == ErrorCode::InvalidModel ? std::move(status).with_hint(kHint) : status;
  }
  return info;
}

Result<PluginInfo> register_plugin(const fovea_plugin& table) {
  auto info = guarded([&] { return add(table, {}); });
  if (!info.ok()) return std::move(info).status().with_context(str_cat("plugin '", table.abi == FOVEA_PLUGIN_ABI && table.name ? table.name : "?", "'")).with_hint(kHint);
  return info;
}

std::vector<PluginInfo> loaded_plugins() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  std::vector<PluginInfo> infos;
  for (const auto& loaded : all.plugins) infos.push_back(loaded->info);
  return infos;
}

}  // namespace fovea
