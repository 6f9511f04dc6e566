// SPDX-License-Identifier: Apache-2.0
#include "ops/fused/pointwise_loops.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace fovea::cpu {

namespace {

PointwiseStream stream_over(const TensorDesc& desc, const TensorDesc& lead) {
  const int rank = lead.shape.rank();
  PointwiseStream stream{size_of(desc.type), {}};
  for (int axis = 0; axis < rank; ++axis) {
    const int own = axis - (rank - desc.shape.rank());
    stream.strides.push_back(own < 0 || (desc.shape[own] == 1 && lead.shape[axis] != 1) ? 0 : desc.strides[own]);
  }
  return stream;
}

template <class T>
void gather(const T* src, const PointwiseStream& stream, const TilePlace& place, T* dst) {
  const std::int64_t stride = stream.column_stride();
  for (std::int64_t r = 0; r < place.rows; ++r, src += stream.row_stride(), dst += place.columns) {
    if (stride == 1) std::memcpy(dst, src, static_cast<std::size_t>(place.columns) * sizeof(T));
    else if (stride == 0) std::fill_n(dst, place.columns, *src);
    else for (std::int64_t c = 0; c < place.columns; ++c) dst[c] = src[c * stride];
  }
}

template <class T>
void scatter(const T* src, T* dst, const PointwiseStream& stream, const TilePlace& place) {
  const std::int64_t stride = stream.column_stride();
  for (std::int64_t r = 0; r < place.rows; ++r, src += place.columns, dst += stream.row_stride()) {
    if (stride == 1) std::memcpy(dst, src, static_cast<std::size_t>(place.columns) * sizeof(T));
    else for (std::int64_t c = 0; c < place.columns; ++c) dst[c * stride] = src[c];
  }
}

/// Calls body with a pointer type of the element's size.
template <class Body>
void by_size(std::size_t element, Body&& body) {
  switch (element) {
    case 1: return body(static_cast<std::uint8_t*>(nullptr));
    case 2: return body(static_cast<std::uint16_t*>(nullptr));
    case 4: return body(static_cast<std::uint32_t*>(nullptr));
    default: return body(static_cast<std::uint64_t*>(nullptr));
  }
}

}  // namespace

PointwiseLoops::PointwiseLoops(const Problem& problem) {
  const TensorDesc& lead = problem.outputs[0];
  for (const TensorDesc& input : problem.inputs) {
    if (input.type != DataType::undefined) inputs_.push_back(stream_over(input, lead));
    else inputs_.push_back({0, std::vector<std::int64_t>(static_cast<std::size_t>(lead.shape.rank()), 0)});
  }
  for (const TensorDesc& output : problem.outputs) outputs_.push_back(stream_over(output, lead));
  find_axes(problem);
  for (const std::int64_t extent : extents_) outer_ *= extent;
  inner_tiles_ = (inner_ + kTile - 1) / kTile;
  if (inner_tiles_ <= 1) rows_per_tile_ = std::max<std::int64_t>(1, std::min(rows_, kTile / std::max<std::int64_t>(1, inner_)));
  row_tiles_ = (rows_ + rows_per_tile_ - 1) / rows_per_tile_;
  if (lead.shape.elements() == 0) outer_ = 0;
}

void PointwiseLoops::find_axes(const Problem& problem) {
  const TensorDesc& lead = problem.outputs[0];
  std::vector<int> order;
  for (int axis = 0; axis < lead.shape.rank(); ++axis) {
    if (lead.shape[axis] != 1) order.push_back(axis);
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return lead.strides[a] > lead.strides[b]; });
  std::vector<std::int64_t> extents;
  std::vector<std::vector<std::int64_t>> strides;  // per joined axis, per stream
  for (const int axis : order) {
    std::vector<std::int64_t> list;
    for (const auto* group : {&inputs_, &outputs_}) {
      for (const PointwiseStream& stream : *group) list.push_back(stream.strides[static_cast<std::size_t>(axis)]);
    }
    const std::int64_t extent = lead.shape[axis];
    bool joins = !extents.empty();
    for (std::size_t s = 0; joins && s < list.size(); ++s) joins = strides.back()[s] == list[s] * extent;
    if (joins) {
      extents.back() *= extent;
      strides.back() = std::move(list);
    } else {
      extents.push_back(extent);
      strides.push_back(std::move(list));
    }
  }
  while (extents.size() < 2) {
    extents.insert(extents.begin(), 1);
    strides.insert(strides.begin(), std::vector<std::int64_t>(inputs_.size() + outputs_.size(), 0));
  }
  std::size_t s = 0;
  for (auto* group : {&inputs_, &outputs_}) {
    for (PointwiseStream& stream : *group) {
      stream.strides.clear();
      for (const auto& axis : strides) stream.strides.push_back(axis[s]);
      ++s;
    }
  }
  inner_ = extents.back();
  rows_ = extents[extents.size() - 2];
  extents_.assign(extents.begin(), extents.end() - 2);
}

TilePlace PointwiseLoops::place(std::int64_t tile) const {
  TilePlace place;
  place.column = tile % inner_tiles_ * kTile;
  place.row = tile / inner_tiles_ % row_tiles_ * rows_per_tile_;
  place.outer = tile / inner_tiles_ / row_tiles_;
  place.columns = std::min(kTile, inner_ - place.column);
  place.rows = std::min(rows_per_tile_, rows_ - place.row);
  return place;
}

std::int64_t PointwiseLoops::offset(const PointwiseStream& stream, const TilePlace& place) const {
  std::int64_t offset = place.row * stream.row_stride() + place.column * stream.column_stride(), outer = place.outer;
  for (std::size_t axis = extents_.size(); axis-- > 0;) {
    offset += outer % extents_[axis] * stream.strides[axis];
    outer /= extents_[axis];
  }
  return offset;
}

void gather_tile(const void* src, const PointwiseStream& stream, const TilePlace& place, void* dst) {
  by_size(stream.element, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    gather(static_cast<const T*>(src), stream, place, static_cast<T*>(dst));
  });
}

void scatter_tile(const void* src, void* dst, const PointwiseStream& stream, const TilePlace& place) {
  by_size(stream.element, [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    scatter(static_cast<const T*>(src), static_cast<T*>(dst), stream, place);
  });
}

}  // namespace fovea::cpu
