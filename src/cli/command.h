// SPDX-License-Identifier: Apache-2.0
// What every sub-command shares: its row in main's list, exit codes and the form of errors.
#pragma once

#include <string>
#include <string_view>

#include "fovea/status.h"

namespace fovea::cli {

struct Command {
  const char* name;
  const char* help;
  int (*run)(int argc, char** argv);   ///< argv[0] is the sub-command
};

/// Exit codes, documented in docs/cli.
enum Exit : int { kDone = 0, kNo = 1, kUsage = 2, kBadFile = 3, kMissing = 4 };

/// Prints "error: ..." and "hint: ..." to stderr and returns the exit code of the status.
int fail(const Status& status);
int exit_code(const Status& status);
/// `code`, unless what was printed could not be written (a full disk behind a redirection).
int finish(int code);

/// Says where: a status of recipe against network (its message starts with "recipe:") is the recipe's or the network's, whatever
/// picture showed it; others are the picture's.
Status in_recipe_or(const std::string& picture, const std::string& recipe, const std::string& network, Status status);

/// Writes JSON text to a file, or to stdout for "-".
Status write_json(const std::string& target, const std::string& text);

int bench(int argc, char** argv);
int build(int argc, char** argv);
int compare(int argc, char** argv);
int conformance(int argc, char** argv);
int doctor(int argc, char** argv);
int fuse(int argc, char** argv);
int inspect(int argc, char** argv);
int ops(int argc, char** argv);
int predict(int argc, char** argv);
int run(int argc, char** argv);
int simplify(int argc, char** argv);
int split(int argc, char** argv);
int surgeon(int argc, char** argv);
int val(int argc, char** argv);

}  // namespace fovea::cli
