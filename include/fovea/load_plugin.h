// SPDX-License-Identifier: Apache-2.0
// load_plugin(): operators of your own (fovea/plugin.h) join the built-in ones in this process: import, build, engines,
// sessions and reports treat them alike. Part of the runtime library.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/plugin.h"
#include "fovea/status.h"

namespace fovea {

struct PluginOperator {
  std::string name;         ///< "domain::Name"
  std::string version;
  std::string schema_hash;  ///< SHA-256 of its inputs, outputs and attributes, hexadecimal; engines record it
  std::vector<std::string> kernels;
  bool has_reference = false;
};

struct PluginInfo {
  std::string name;
  std::filesystem::path library;  ///< empty when it was registered without a file
  std::vector<PluginOperator> operators;
};

/// Loads a shared library and registers its operators: all of them, or none when anything is wrong. Loading a library again
/// changes nothing. Libraries stay loaded until the process ends. May be called from any thread at any time, but before the
/// networks and engines that need the operators are read.
/// Fails with NotFound (no such file), InvalidModel (not a plugin, or its description makes no sense) or Unsupported (another
/// ABI, an operator that already exists). The library's code runs with all rights of this process: a hostile one cannot be
/// defended against.
Result<PluginInfo> load_plugin(const std::filesystem::path& library);

/// The same for a plugin that is linked into the program: `table` is what fovea_plugin_entry() would return, and lives as
/// long as the process.
Result<PluginInfo> register_plugin(const fovea_plugin& table);

/// All plugins of this process, in the order in which they were loaded.
std::vector<PluginInfo> loaded_plugins();

}  // namespace fovea
