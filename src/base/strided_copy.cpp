// SPDX-License-Identifier: Apache-2.0
#include "base/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace fovea {

Shape dense_strides(const Shape& shape) {
  Shape strides = shape;
  std::uint64_t stride = 1;  // unsigned: an empty tensor may have extents whose product wraps
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = static_cast<std::int64_t>(stride);
    stride *= static_cast<std::uint64_t>(shape[axis]);
  }
  return strides;
}

StridedCopy::StridedCopy(std::size_t element_bytes, std::span<const std::int64_t> extents, std::span<const std::int64_t> src_strides,
                         std::span<const std::int64_t> dst_strides)
    : element_bytes_(element_bytes) {
  FOVEA_CHECK(extents.size() <= kMaxAxes && src_strides.size() == extents.size() && dst_strides.size() == extents.size());
  const auto bytes = static_cast<std::int64_t>(element_bytes);
  for (std::size_t i = 0; i < extents.size(); ++i) {
    empty_ = empty_ || extents[i] == 0;
    if (extents[i] != 1) axes_[count_++] = {extents[i], src_strides[i] * bytes, dst_strides[i] * bytes};
  }
  if (empty_) return;
  // Write in memory order: the destination's strides fall from the outermost to the innermost axis.
  std::stable_sort(axes_, axes_ + count_, [](const Axis& a, const Axis& b) { return a.dst > b.dst; });
  // Neighbouring axes that are one run in both views become one axis.
  int merged = 0;
  for (int i = 0; i < count_; ++i) {
    if (merged > 0 && axes_[merged - 1].src == axes_[i].src * axes_[i].extent && axes_[merged - 1].dst == axes_[i].dst * axes_[i].extent) {
      axes_[merged - 1] = {axes_[merged - 1].extent * axes_[i].extent, axes_[i].src, axes_[i].dst};
    } else {
      axes_[merged++] = axes_[i];
    }
  }
  count_ = merged;
  // A short contiguous run (two floats, eight bytes ...) is one wider element.
  if (count_ > 1 && axes_[count_ - 1].src == bytes && axes_[count_ - 1].dst == bytes) {
    const std::int64_t run = axes_[count_ - 1].extent * bytes;
    if (run == 2 || run == 4 || run == 8 || run == 16) {
      element_bytes_ = static_cast<std::size_t>(run);
      --count_;
    }
  }
  if (count_ == 0) axes_[count_++] = {1, static_cast<std::int64_t>(element_bytes_), static_cast<std::int64_t>(element_bytes_)};
}

namespace {

template <std::size_t kBytes>
void copy_row(const std::byte* src, std::int64_t src_stride, std::byte* dst, std::int64_t dst_stride, std::int64_t count) {
  constexpr auto kStep = static_cast<std::int64_t>(kBytes);
  if (dst_stride == kStep && src_stride == kStep) {
    std::memcpy(dst, src, static_cast<std::size_t>(count) * kBytes);
  } else if (dst_stride == kStep && src_stride == 0) {
    if constexpr (kBytes == 1) {
      std::memset(dst, std::to_integer<int>(*src), static_cast<std::size_t>(count));
    } else {
      for (std::int64_t i = 0; i < count; ++i) std::memcpy(dst + i * kStep, src, kBytes);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(dst + i * dst_stride, src + i * src_stride, kBytes);
  }
}

// Four by four 4-byte elements: rows of dst are contiguous, and so are columns of src. Vectors of the compiler,
// four lanes wide on every machine.
using Lanes [[gnu::vector_size(16)]] = std::uint32_t;

inline void transpose_4x4(const std::byte* src, std::int64_t src_column, std::byte* dst, std::int64_t dst_row) {
  Lanes a, b, c, d;
  std::memcpy(&a, src, 16);
  std::memcpy(&b, src + src_column, 16);
  std::memcpy(&c, src + 2 * src_column, 16);
  std::memcpy(&d, src + 3 * src_column, 16);
  const Lanes ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Lanes cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const Lanes rows[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                         __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int r = 0; r < 4; ++r) std::memcpy(dst + r * dst_row, &rows[r], 16);
}

// Planes a, b, c to pixels abc abc ...: what a picture in planes becomes for channels-last kernels.
inline void interleave_3(const std::byte* src, std::int64_t src_column, std::byte* dst, std::int64_t rows) {
  std::int64_t r = 0;
  for (; r + 4 <= rows; r += 4, src += 16, dst += 48) {
    Lanes a, b, c;
    std::memcpy(&a, src, 16);
    std::memcpy(&b, src + src_column, 16);
    std::memcpy(&c, src + 2 * src_column, 16);
    const Lanes low = __builtin_shufflevector(a, b, 0, 4, 1, 5), middle = __builtin_shufflevector(a, b, 5, 2, 6, 3), high = __builtin_shufflevector(a, b, 3, 7, 3, 7);
    const Lanes pixels[3] = {__builtin_shufflevector(low, c, 0, 1, 4, 2), __builtin_shufflevector(middle, c, 0, 5, 1, 2), __builtin_shufflevector(high, c, 6, 0, 1, 7)};
    std::memcpy(dst, pixels, 48);
  }
  for (; r < rows; ++r, src += 4, dst += 12) {
    for (int c = 0; c < 3; ++c) std::memcpy(dst + c * 4, src + c * src_column, 4);
  }
}

// dst[r][c] = src[c][r] in tiles whose rows are one cache line, so that each line read is used whole.
template <std::size_t kBytes>
void copy_transposed(const std::byte* src, std::byte* dst, std::int64_t rows, std::int64_t src_row, std::int64_t dst_row,
                     std::int64_t columns, std::int64_t src_column, std::int64_t dst_column) {
  constexpr std::int64_t kTile = std::max<std::int64_t>(64 / kBytes, 8);
  const bool by_vectors = kBytes == 4 && src_row == 4 && dst_column == 4;
  if (by_vectors && columns == 3 && dst_row == 12) return interleave_3(src, src_column, dst, rows);
  for (std::int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const std::int64_t r1 = std::min(rows, r0 + kTile);
    for (std::int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const std::int64_t c1 = std::min(columns, c0 + kTile);
      if (by_vectors && r1 - r0 == kTile && c1 - c0 == kTile) {
        for (std::int64_t r = r0; r < r1; r += 4) {
          for (std::int64_t c = c0; c < c1; c += 4) {
            transpose_4x4(src + r * src_row + c * src_column, src_column, dst + r * dst_row + c * dst_column, dst_row);
          }
        }
        continue;
      }
      for (std::int64_t r = r0; r < r1; ++r) {
        const std::byte* from = src + r * src_row;
        std::byte* to = dst + r * dst_row;
        for (std::int64_t c = c0; c < c1; ++c) std::memcpy(to + c * dst_column, from + c * src_column, kBytes);
      }
    }
  }
}

}  // namespace

template <std::size_t kBytes>
void StridedCopy::run_axes(const Axis* axes, const std::byte* src, std::byte* dst) const {
  constexpr auto kStep = static_cast<std::int64_t>(kBytes);
  const Axis& inner = axes[count_ - 1];
  // The axis that is contiguous in the source, when the inner one is not: those two form 2-D transposes.
  int across = -1;
  if (inner.src != kStep && inner.src != 0) {
    for (int i = 0; i + 1 < count_; ++i) {
      if (axes[i].src == kStep && axes[i].extent >= 4) across = i;
    }
  }
  std::int64_t index[kMaxAxes + 2] = {};
  for (;;) {
    if (across >= 0) {
      copy_transposed<kBytes>(src, dst, axes[across].extent, axes[across].src, axes[across].dst, inner.extent, inner.src, inner.dst);
    } else {
      copy_row<kBytes>(src, inner.src, dst, inner.dst, inner.extent);
    }
    int axis = count_ - 2;
    for (; axis >= 0; --axis) {
      if (axis == across) continue;
      src += axes[axis].src;
      dst += axes[axis].dst;
      if (++index[axis] < axes[axis].extent) break;
      src -= axes[axis].src * axes[axis].extent;
      dst -= axes[axis].dst * axes[axis].extent;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

void StridedCopy::run_part(const void* src, void* dst, int part, int parts) const {
  if (empty_) return;
  Axis axes[kMaxAxes + 2];
  std::copy_n(axes_, count_, axes);
  const std::int64_t first = axes[0].extent * part / parts, last = axes[0].extent * (part + 1) / parts;
  if (first == last) return;
  axes[0].extent = last - first;
  const std::byte* from = static_cast<const std::byte*>(src) + first * axes[0].src;
  std::byte* to = static_cast<std::byte*>(dst) + first * axes[0].dst;
  switch (element_bytes_) {
    case 1: return run_axes<1>(axes, from, to);
    case 2: return run_axes<2>(axes, from, to);
    case 4: return run_axes<4>(axes, from, to);
    case 8: return run_axes<8>(axes, from, to);
    case 16: return run_axes<16>(axes, from, to);
    default: FOVEA_CHECK(!"element size is 1, 2, 4, 8 or 16");
  }
}

namespace {

void copy_strings(std::span<const std::int64_t> extents, const std::string* src, std::span<const std::int64_t> src_strides,
                  std::string* dst, std::span<const std::int64_t> dst_strides) {
  if (extents.empty()) {
    *dst = *src;
    return;
  }
  for (std::int64_t i = 0; i < extents[0]; ++i) {
    copy_strings(extents.subspan(1), src + i * src_strides[0], src_strides.subspan(1), dst + i * dst_strides[0], dst_strides.subspan(1));
  }
}

}  // namespace

void strided_copy(DataType type, std::span<const std::int64_t> extents, const void* src, std::span<const std::int64_t> src_strides,
                  void* dst, std::span<const std::int64_t> dst_strides) {
  if (type == DataType::string) {
    if (std::find(extents.begin(), extents.end(), 0) != extents.end()) return;
    copy_strings(extents, static_cast<const std::string*>(src), src_strides, static_cast<std::string*>(dst), dst_strides);
  } else {
    StridedCopy(size_of(type), extents, src_strides, dst_strides).run(src, dst);
  }
}

}  // namespace fovea
