// SPDX-License-Identifier: Apache-2.0
// The numeric check behind every command that rewrites ONNX.
#include <cstdio>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/surgery.h"

namespace fovea::cli {

Result<bool> check_unchanged(const std::string& where, const Model& before, const Model& after, const std::map<std::string, Shape>& shapes,
                             double max_error, bool quiet) {
  FOVEA_ASSIGN(const auto differences, compare_models(before, after, shapes));
  for (const OutputDifference& difference : differences) {
    const double limit = max_error * difference.range;
    if (!(difference.max_abs <= limit)) {
      fail(unsupported(where, ": output '", difference.name, "' changed by ", difference.max_abs, ", expected at most ", limit, " (", max_error,
                       " of its range); nothing was written")
               .with_hint("--max-error sets the limit"));
      return false;
    }
    if (!quiet) std::printf("output %-28s differs by at most %.3g (range %.3g)\n", difference.name.c_str(), difference.max_abs, difference.range);
  }
  return true;
}

}  // namespace fovea::cli
