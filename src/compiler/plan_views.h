// SPDX-License-Identifier: Apache-2.0
// View planning: reshapes become the same memory under another shape; parts of a concatenation are written in
// place by their producers; slices and splits are read in place by their users - wherever every kernel involved
// can work on such strided memory.
#pragma once

#include <string_view>

#include "compiler/lower.h"
#include "runtime/instance.h"

namespace fovea::compiler {

/// `instance` is of a plan lowered from `graph` (its descriptors are the typical shapes'). Adds views and elided
/// nodes to `decisions`, whose kernels must be filled in. Values whose shapes depend on data are left alone.
Status plan_views(const ir::Graph& graph, const Instance& instance, std::string_view device, int threads, Decisions& decisions);

}  // namespace fovea::compiler
