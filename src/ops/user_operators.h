// SPDX-License-Identifier: Apache-2.0
// Operators that joined at run time, from plugins (src/plugins). find_schema(), all_schemas() and find_reference() know them
// like the rows of ops.def; whoever must tell them apart asks here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ops/kernel_context.h"
#include "ops/schema.h"

namespace fovea::ops {

/// Lives until the process ends. Its schema's texts are owned by whoever made it.
struct UserOperator {
  OperatorSchema schema;
  ReferenceKernel reference = nullptr;
  std::string plugin;          ///< name of the plugin
  std::string library;         ///< file it came from; empty when linked in
  std::string version;
  std::string schema_hash;     ///< 64 hexadecimal digits
  bool has_reference = false;  ///< false: its reference is its own last kernel, so nothing independent checks it
};

/// The operator with that name if it came from a plugin, else null.
const UserOperator* find_user_operator(std::string_view op);
/// All of them, in the order in which they were added.
std::vector<const UserOperator*> user_operators();
/// All or none: fails when a name is taken.
Status add_user_operators(std::span<const UserOperator* const> operators);

/// The rows of ops.def alone.
std::span<const OperatorSchema> builtin_schemas();

}  // namespace fovea::ops
