// SPDX-License-Identifier: Apache-2.0
#include "base/layout_copy.h"

#include <omp.h>

#include <cstring>

#include "base/strided_copy.h"

namespace fovea {

namespace {

/// Element offset contributed by index `i` of axis 1 in a blocked layout, else plain stride arithmetic.
std::int64_t axis_offset(const TensorDesc& desc, int axis, std::int64_t i) {
  const int block = block_of(desc.layout);
  if (axis != 1 || block == 1) return i * desc.strides[axis];
  return i / block * desc.strides[1] + i % block;
}

template <std::size_t Bytes>
void copy_row(const char* src, std::int64_t src_stride, char* dst, std::int64_t dst_stride, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(dst + i * dst_stride * static_cast<std::int64_t>(Bytes), src + i * src_stride * static_cast<std::int64_t>(Bytes), Bytes);
  }
}

using CopyRow = void (*)(const char*, std::int64_t, char*, std::int64_t, std::int64_t);

CopyRow row_copier(std::size_t bytes) {
  switch (bytes) {
    case 1: return copy_row<1>;
    case 2: return copy_row<2>;
    case 4: return copy_row<4>;
    case 8: return copy_row<8>;
    default: return copy_row<16>;
  }
}

}  // namespace

Status copy_layout(const TensorDesc& from, const void* src, const TensorDesc& to, void* dst) {
  if (from.type != to.type || !(from.shape == to.shape) || from.type == DataType::string) {
    return internal_error("layout copy: descriptors differ: ", from.shape.to_string(), " and ", to.shape.to_string());
  }
  const std::size_t size = size_of(from.type);
  if (block_of(to.layout) > 1 && to.shape[1] % block_of(to.layout) != 0) std::memset(dst, 0, to.bytes());
  if (from.shape.elements() == 0) return {};
  if (from.strides == to.strides && from.layout == to.layout && from.is_dense()) {
    std::memcpy(dst, src, from.bytes());
    return {};
  }
  if (block_of(from.layout) == 1 && block_of(to.layout) == 1) {
    const StridedCopy copy(size, from.shape.dims(), from.strides.dims(), to.strides.dims());
#pragma omp parallel if (from.bytes() > (1 << 20))
    copy.run_part(src, dst, omp_get_thread_num(), omp_get_num_threads());
    return {};
  }
  // Blocks. The innermost loop runs over the destination's fastest axis that is not blocked on either side.
  const int rank = from.shape.rank();
  if (rank == 0) {
    std::memcpy(dst, src, size);
    return {};
  }
  int inner = rank - 1;
  for (int axis = 0; axis < rank; ++axis) {
    const bool blocked = axis == 1 && (block_of(from.layout) > 1 || block_of(to.layout) > 1);
    const bool inner_blocked = inner == 1 && (block_of(from.layout) > 1 || block_of(to.layout) > 1);
    if (!blocked && from.shape[axis] > 1 && (inner_blocked || from.shape[inner] == 1 || to.strides[axis] < to.strides[inner])) inner = axis;
  }
  const bool inner_blocked = inner == 1 && (block_of(from.layout) > 1 || block_of(to.layout) > 1);
  const CopyRow copy = row_copier(size);
  const std::int64_t inner_count = inner_blocked ? 1 : from.shape[inner];
  Shape index;
  for (int axis = 0; axis < rank; ++axis) index.push_back(0);
  while (true) {
    std::int64_t source = 0, target = 0;
    for (int axis = 0; axis < rank; ++axis) {
      source += axis_offset(from, axis, index[axis]);
      target += axis_offset(to, axis, index[axis]);
    }
    copy(static_cast<const char*>(src) + source * static_cast<std::int64_t>(size), from.strides[inner],
         static_cast<char*>(dst) + target * static_cast<std::int64_t>(size), to.strides[inner], inner_count);
    int axis = rank - 1;
    for (; axis >= 0; --axis) {
      if (axis == inner && !inner_blocked) continue;
      if (++index[axis] < from.shape[axis]) break;
      index[axis] = 0;
    }
    if (axis < 0) return {};
  }
}

}  // namespace fovea
