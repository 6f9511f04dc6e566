// SPDX-License-Identifier: Apache-2.0
// Bodies of the public Status types.
#include "fovea/status.h"

#include "base/check.h"

namespace fovea {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::Ok: return "ok";
    case ErrorCode::InvalidArgument: return "invalid argument";
    case ErrorCode::InvalidModel: return "invalid model";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::NotFound: return "not found";
    case ErrorCode::ResourceExhausted: return "resource exhausted";
    case ErrorCode::Unavailable: return "unavailable";
    case ErrorCode::Cancelled: return "cancelled";
    case ErrorCode::Internal: return "internal error";
  }
  return "unknown";
}

std::string Status::to_string() const {
  if (ok()) return "ok";
  return hint_.empty() ? message_ : message_ + "\nhint: " + hint_;
}

Error::Error(Status status) : std::runtime_error(status.to_string()), status_(std::move(status)) {}

void throw_error(Status status) { throw Error(std::move(status)); }

void check_failed(const char* expression, const char* file, int line) {
  throw Error(internal_error(file, ":", line, ": internal check failed: ", expression));
}

}  // namespace fovea
