// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <cstdio>

#include "base/file.h"

namespace fovea::cli {

int exit_code(const Status& status) {
  switch (status.code()) {
    case ErrorCode::Ok: return kDone;
    case ErrorCode::InvalidArgument: return kUsage;
    case ErrorCode::InvalidModel:
    case ErrorCode::Unsupported:
    case ErrorCode::NotFound: return kBadFile;
    case ErrorCode::ResourceExhausted:
    case ErrorCode::Unavailable: return kMissing;
    case ErrorCode::Cancelled: return 130;  // what shells use for Ctrl-C
    case ErrorCode::Internal: return kNo;
  }
  return kNo;
}

int fail(const Status& status) {
  std::fflush(stdout);
  std::fprintf(stderr, "error: %s\n", status.message().c_str());
  if (!status.hint().empty()) std::fprintf(stderr, "hint: %s\n", status.hint().c_str());
  return exit_code(status);
}

Status write_json(const std::string& target, const std::string& text) {
  if (target == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
    return {};
  }
  return write_file_atomically(target, text + "\n");
}

}  // namespace fovea::cli
