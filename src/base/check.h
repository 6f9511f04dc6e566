// SPDX-License-Identifier: Apache-2.0
// Macros that keep error handling on one line, and str_cat for messages.
// FOVEA_CHECK is for our own bugs only, never for what a user's file can cause.
#pragma once

#include <sstream>
#include <string>

#include "fovea/status.h"

namespace fovea {

/// Concatenates anything with operator<<.
template <class... Args>
std::string str_cat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

template <class... Args>
Status invalid_argument(const Args&... args) { return {ErrorCode::InvalidArgument, str_cat(args...)}; }
template <class... Args>
Status invalid_model(const Args&... args) { return {ErrorCode::InvalidModel, str_cat(args...)}; }
template <class... Args>
Status unsupported(const Args&... args) { return {ErrorCode::Unsupported, str_cat(args...)}; }
template <class... Args>
Status not_found(const Args&... args) { return {ErrorCode::NotFound, str_cat(args...)}; }
template <class... Args>
Status resource_exhausted(const Args&... args) { return {ErrorCode::ResourceExhausted, str_cat(args...)}; }
template <class... Args>
Status internal_error(const Args&... args) {
  return {ErrorCode::Internal, str_cat(args...), "this is a bug in Fovea; please report it with the command and the file"};
}

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace fovea

#define FOVEA_CONCAT_INNER(a, b) a##b
#define FOVEA_CONCAT(a, b) FOVEA_CONCAT_INNER(a, b)

// Names carry __COUNTER__, not __LINE__: inside a macro's argument all lines count as one.
#define FOVEA_RETURN_IF_ERROR(expression) FOVEA_RETURN_IF_ERROR_IMPL(FOVEA_CONCAT(fovea_status_, __COUNTER__), expression)
#define FOVEA_RETURN_IF_ERROR_IMPL(status, expression)               \
  do {                                                               \
    if (::fovea::Status status = (expression); !status.ok()) return status; \
  } while (false)

/// FOVEA_ASSIGN(auto x, f()) declares x from a Result, or returns its Status.
#define FOVEA_ASSIGN(declaration, expression) \
  FOVEA_ASSIGN_IMPL(FOVEA_CONCAT(fovea_result_, __COUNTER__), declaration, expression)
#define FOVEA_ASSIGN_IMPL(result, declaration, expression)  \
  auto result = (expression);                               \
  if (!result.ok()) return std::move(result).status();      \
  declaration = *std::move(result)

#define FOVEA_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::fovea::check_failed(#condition, __FILE__, __LINE__))
