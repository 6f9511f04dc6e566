// SPDX-License-Identifier: Apache-2.0
// The text cases of tests/passes/*.graph:
//
//   case relu_of_relu
//   passes eliminate_identities          # default: the file's stem; several may follow
//   bind N=3 H=5                         # values of symbols when both sides are run; default 2, 3, 4 ...
//   range -4 4                           # of the random inputs; default -2 2
//   tolerance 1e-3                       # relative to the largest output; default from the type
//   norun                                # the numbers are not compared (random, too large)
//   graph t(x: f32[2]) -> (y) { ... }    # before
//   expect                               # or `expect unchanged`
//   graph t(x: f32[2]) -> (y) { ... }    # after, up to the names of inner values and contents of long constants
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/dim.h"
#include "ir/graph.h"

namespace fovea::testing {

struct PassCase {
  std::string file, name;
  int line = 0;
  std::vector<std::string> passes;
  Bindings bindings;
  bool run = true;
  double low = -2, high = 2, tolerance = 0;
  std::string before, after;  ///< after: empty for `expect unchanged`
};

/// All cases of one file.
Result<std::vector<PassCase>> read_pass_cases(const std::string& path);

/// The graph's text with values named by their place in a walk from the outputs, without types, node names and the
/// contents of constants of more than four elements: equal for graphs that differ only in those.
std::string normal_text(const ir::Graph& graph);

}  // namespace fovea::testing
