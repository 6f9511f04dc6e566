// SPDX-License-Identifier: Apache-2.0
// Pass: one rewrite of a graph. A pass is one header (contract and sketch) and one source; pass_lists.cpp alone
// knows the order.
#pragma once

#include <span>
#include <string_view>

#include "fovea/status.h"
#include "ir/graph.h"

namespace fovea::passes {

struct Pass {
  std::string_view name;  ///< stem of its files; what `--disable-pass` takes
  std::string_view what;  ///< one line for listings
  /// True if the graph changed.
  Result<bool> (*run)(ir::Graph&);
  /// The pass looks into the bodies of If, Loop and Scan itself; for others the runner visits each body.
  bool descends = false;
};

/// Passes that are run in order, again and again until none of them changes anything or `max_rounds` is reached.
struct PassGroup {
  std::string_view name;
  std::span<const Pass> passes;
  int max_rounds = 1;
};

/// Everything that makes a network smaller or faster without changing what it computes, in order.
std::span<const PassGroup> optimization_passes();
/// What `fovea simplify` runs: the part of it that stays within ONNX's own operators and leaves quantisation alone.
std::span<const PassGroup> simplification_passes();
/// Passes that are in no group and run only when asked for by name.
std::span<const Pass> passes_on_request();
/// The pass with this name, of either kind, or null.
const Pass* find_pass(std::string_view name);

}  // namespace fovea::passes
