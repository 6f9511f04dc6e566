// SPDX-License-Identifier: Apache-2.0
// Status and Result<T>: how every Fovea call says "done" or why not. No exception crosses the API;
// those who like exceptions call Result::value().
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace fovea {

/// Why a call failed. `fovea` the command maps these to its exit codes (docs/cli).
enum class ErrorCode {
  Ok,
  InvalidArgument,    ///< the caller's request makes no sense (wrong name, shape or type)
  InvalidModel,       ///< the bytes of a model, engine, picture or recipe are malformed
  Unsupported,        ///< well-formed, but nothing here can do it
  NotFound,           ///< a file, tensor, device or library is missing
  ResourceExhausted,  ///< memory, disk or a declared limit ran out
  Unavailable,        ///< the device is absent or was lost
  Cancelled,          ///< the user asked to stop
  Internal,           ///< a bug of ours; please report it
};

/// Short lower-case name of a code, e.g. "invalid model".
std::string_view name(ErrorCode code);

/// The outcome of a call: Ok, or a code with one sentence (where, expected, found) and, when there
/// is one, a hint that says what to do next. Cheap to move; Ok holds no memory.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(ErrorCode code, std::string message, std::string hint = {})
      : code_(code), message_(std::move(message)), hint_(std::move(hint)) {}

  static Status ok_status() { return {}; }
  bool ok() const { return code_ == ErrorCode::Ok; }
  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& hint() const { return hint_; }

  /// Adds where it happened in front of the message: "where: message". Ok stays Ok.
  Status with_context(std::string_view where) && {
    if (!ok()) message_ = std::string(where) + ": " + message_;
    return std::move(*this);
  }
  /// Sets the hint unless one is there already.
  Status with_hint(std::string hint) && {
    if (!ok() && hint_.empty()) hint_ = std::move(hint);
    return std::move(*this);
  }
  /// "message" or "message\nhint: ..." - what a person should read.
  std::string to_string() const;

 private:
  ErrorCode code_ = ErrorCode::Ok;
  std::string message_;
  std::string hint_;
};

/// The one exception type, thrown only by Result::value() and Status::or_throw()-style helpers.
class Error : public std::runtime_error {
 public:
  explicit Error(Status status);
  const Status& status() const { return status_; }

 private:
  Status status_;
};

[[noreturn]] void throw_error(Status status);

/// Either a T or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {}

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  /// The value, or throws fovea::Error.
  T& value() & {
    if (!ok()) throw_error(status_);
    return *value_;
  }
  T&& value() && {
    if (!ok()) throw_error(std::move(status_));
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace fovea
