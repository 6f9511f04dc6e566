// SPDX-License-Identifier: Apache-2.0
// Layout assignment, the last rewrite: regions around convolutions work channels-last, everything else stays plain.
#pragma once

#include <string_view>

#include "base/dim.h"
#include "ir/graph.h"

namespace fovea::compiler {

/// Before: every value is plain. After: outputs of nodes in channels-last regions have Layout::nhwc, and fovea::reorder
/// nodes stand where a value crosses a border, one per value and direction. Graph inputs and outputs stay plain.
/// `typical` gives the symbols' typical extents, with which kernels are asked whether they can run.
/// Must not fire for nodes without a kernel that works channels-last, nor for values whose rank is unknown.
Status assign_layouts(ir::Graph& graph, std::string_view device, int threads, const Bindings& typical);

}  // namespace fovea::compiler
