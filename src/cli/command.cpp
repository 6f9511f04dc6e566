// SPDX-License-Identifier: Apache-2.0
#include "cli/command.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file.h"

namespace fovea::cli {

namespace {

/// Names come from strangers' files: an error stays one line and moves no cursor.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = ' ';
  }
  return text;
}

std::string usual_hint(const Status& status) {
  switch (status.code()) {
    case ErrorCode::InvalidArgument: return "'fovea COMMAND --help' shows the options, 'fovea inspect FILE' the inputs of a network";
    case ErrorCode::InvalidModel: return "the file may be damaged, cut off, or of another kind";
    case ErrorCode::Unsupported: return "'fovea ops' lists what is supported";
    case ErrorCode::NotFound:
      return status.message().find("cannot open") != std::string::npos || status.message().find("no such") != std::string::npos
                 ? "check the path; it is taken from the current folder"
                 : "'fovea inspect FILE' shows what a network or an engine holds";
    case ErrorCode::ResourceExhausted: return "free memory or disk space, or use a smaller shape";
    case ErrorCode::Unavailable: return "'fovea doctor' lists the devices and why one is absent";
    default: return {};
  }
}

}  // namespace

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
  std::fprintf(stderr, "error: %s\n", one_line(status.message()).c_str());
  const std::string hint = status.hint().empty() ? usual_hint(status) : one_line(status.hint());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
  return exit_code(status);
}

int finish(int code) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout)) return code;
  return fail(Status(ErrorCode::ResourceExhausted, str_cat("standard output: cannot write: ", std::strerror(errno))));
}

Status in_recipe_or(const std::string& picture, const std::string& recipe, const std::string& network, Status status) {
  const bool of_recipe = status.message().starts_with("recipe:");
  return std::move(status).with_context(!of_recipe ? picture : recipe.empty() ? network : recipe);
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
