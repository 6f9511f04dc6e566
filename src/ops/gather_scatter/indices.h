// SPDX-License-Identifier: Apache-2.0
// Indices as kernels read them: i32 or i64 in memory, negative ones counted from the end, each checked. Threads note the
// place of a bad one and the run fails afterwards, with the first of them.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/check.h"
#include "base/tensor_desc.h"

namespace fovea::ops {

class Indices {
 public:
  explicit Indices(DataType type = DataType::i64) : wide_(type == DataType::i64) {}

  void bind(const void* data) {
    data_ = data;
    bad_.store(kNone, std::memory_order_relaxed);
  }

  std::int64_t given(std::int64_t at) const {
    return wide_ ? static_cast<const std::int64_t*>(data_)[at] : static_cast<const std::int32_t*>(data_)[at];
  }

  /// The index at `at` in [0, extent); 0 where it is bad, which is noted. extent >= 1.
  std::int64_t read(std::int64_t at, std::int64_t extent) { return checked(given(at), at, extent); }

  /// Calls f(pointer to i64 or i32), for loops that choose once; each element goes through checked().
  template <class F>
  void with_values(F&& f) const {
    if (wide_) f(static_cast<const std::int64_t*>(data_));
    else f(static_cast<const std::int32_t*>(data_));
  }

  /// As read(), of an index that has been loaded from `at`.
  std::int64_t checked(std::int64_t index, std::int64_t at, std::int64_t extent) {
    const std::int64_t counted = index < 0 ? index + extent : index;
    if (static_cast<std::uint64_t>(counted) < static_cast<std::uint64_t>(extent)) [[likely]] return counted;
    std::int64_t first = bad_.load(std::memory_order_relaxed);
    while (at < first && !bad_.compare_exchange_weak(first, at, std::memory_order_relaxed)) {
    }
    return 0;
  }

  /// The place of the first bad index so far, or -1.
  std::int64_t bad() const {
    const std::int64_t at = bad_.load(std::memory_order_relaxed);
    return at == kNone ? -1 : at;
  }

 private:
  static constexpr std::int64_t kNone = INT64_MAX;
  bool wide_;
  const void* data_ = nullptr;
  std::atomic<std::int64_t> bad_{kNone};
};

inline Status check_index_type(const TensorDesc& indices) {
  if (indices.type != DataType::i64 && indices.type != DataType::i32) return unsupported("indices of type i64 or i32");
  return indices.is_plain_dense() ? Status() : unsupported("dense plain tensors");
}

}  // namespace fovea::ops
