// SPDX-License-Identifier: Apache-2.0
// A look at a library's file before the system's loader maps it: that one trusts what the headers say, and a file that was cut
// off would end the process with a bus error.
#pragma once

#include <filesystem>

#include "base/check.h"

namespace fovea::plugins {

/// InvalidModel unless the file is a shared library for this machine with all its segments inside it.
Status check_library_file(const std::filesystem::path& file);

}  // namespace fovea::plugins
