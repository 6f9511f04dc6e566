// SPDX-License-Identifier: Apache-2.0
// Runs passes: disable by name, dump after each, time, verify after each, stop after N (to bisect).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "passes/pass.h"

namespace fovea::passes {

struct PassOptions {
  std::vector<std::string> disabled;  ///< names of passes that are skipped
  /// Called before the first pass and after each that changed something: shape inference. May be empty.
  std::function<Status(ir::Graph&)> refresh;
  /// Called after each pass with its name and the graph as text, or "(unchanged)". May be empty.
  std::function<void(std::string_view pass, const std::string& text)> dump;
  int stop_after = -1;  ///< passes to run in all; -1: no limit
  bool verify = true;   ///< ir::verify after each pass that changed something
};

struct PassRun {
  std::string name;
  int runs = 0, changes = 0;
  int nodes_removed = 0;  ///< by all runs together; negative if it added nodes
  double milliseconds = 0;
};

struct PassReport {
  std::vector<PassRun> passes;  ///< in order of first execution
  int executed = 0;             ///< what stop_after counts
};

/// Errors carry the pass's name. InvalidArgument if `disabled` names an unknown pass.
Result<PassReport> run_passes(ir::Graph& graph, std::span<const PassGroup> groups, const PassOptions& options = {});

}  // namespace fovea::passes
