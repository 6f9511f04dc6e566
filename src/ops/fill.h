// SPDX-License-Identifier: Apache-2.0
// Moving elements without looking at their type: filling a tensor, and reading one through tables of offsets.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/check.h"
#include "fovea/tensor.h"

namespace fovea::ops {

struct Bytes16 {
  std::uint64_t words[2];
};

/// Calls f with a null pointer of a type that moves like elements of `type`: std::string, or an unsigned word of its size.
template <class F>
decltype(auto) with_storage(DataType type, F&& f) {
  if (type == DataType::string) return f(static_cast<std::string*>(nullptr));
  switch (size_of(type)) {
    case 1: return f(static_cast<std::uint8_t*>(nullptr));
    case 2: return f(static_cast<std::uint16_t*>(nullptr));
    case 4: return f(static_cast<std::uint32_t*>(nullptr));
    case 8: return f(static_cast<std::uint64_t*>(nullptr));
    default: FOVEA_CHECK(size_of(type) == 16); return f(static_cast<Bytes16*>(nullptr));
  }
}

/// Sets every element to value's first one, or to zero / "" when `value` is undefined.
inline void fill(Tensor& tensor, const Tensor& value) {
  with_storage(tensor.type(), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    const T element = value.defined() ? *value.data<T>() : T{};
    std::fill_n(tensor.data<T>(), tensor.elements(), element);
  });
}

/// dst[i0][i1]... = src[offsets[0][i0] + offsets[1][i1] + ...], dst dense.
inline void gather_by_offsets(DataType type, const void* src, std::span<const std::vector<std::int64_t>> offsets, void* dst) {
  with_storage(type, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T* to = static_cast<T*>(dst);
    const auto walk = [&](auto&& self, std::size_t axis, const T* from) -> void {
      if (axis == offsets.size()) {
        *to++ = *from;
      } else if (axis + 1 == offsets.size()) {
        for (std::int64_t offset : offsets[axis]) *to++ = from[offset];
      } else {
        for (std::int64_t offset : offsets[axis]) self(self, axis + 1, from + offset);
      }
    };
    walk(walk, 0, static_cast<const T*>(src));
  });
}

}  // namespace fovea::ops
