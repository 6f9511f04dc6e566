// SPDX-License-Identifier: Apache-2.0
// Gather:         out[o, i.., n] = data[o, indices[i..], n]
// GatherElements: out[i, j, k] = data[i, indices[i, j, k], k] for axis 1
// GatherND:       out[b.., i.., n..] = data[b.., indices[b.., i.., :], n..]
#include <algorithm>

#include "base/checked_math.h"
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

// Copies runs of `count` elements from data + offsets[i] to consecutive places.
void copy_runs(const Tensor& data, std::span<const std::int64_t> offsets, std::int64_t count, Tensor& output) {
  with_storage(data.type(), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T* to = output.data<T>();
    for (std::int64_t offset : offsets) to = std::copy_n(data.data<T>() + offset, count, to);
  });
}

std::int64_t product(const Shape& shape, int first, int last) {
  std::int64_t total = 1;
  for (int i = first; i < last; ++i) total *= shape[i];
  return total;
}

}  // namespace

Status gather_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), data.rank()));
  FOVEA_ASSIGN(std::vector<std::int64_t> picked, index_values(indices, "indices"));
  std::vector<std::int64_t> dims(data.shape().begin(), data.shape().begin() + axis);
  dims.insert(dims.end(), indices.shape().begin(), indices.shape().end());
  dims.insert(dims.end(), data.shape().begin() + axis + 1, data.shape().end());
  FOVEA_ASSIGN(const Shape shape, make_shape(dims));
  const std::int64_t extent = data.dim(axis);
  for (std::int64_t& index : picked) {
    FOVEA_ASSIGN(index, normalize_index(index, extent));
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  if (output.elements() == 0) return {};
  const std::int64_t inner = product(data.shape(), axis + 1, data.rank()), outer = product(data.shape(), 0, axis);
  with_storage(data.type(), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    T* to = output.data<T>();
    for (std::int64_t o = 0; o < outer; ++o) {
      const T* slice = data.data<T>() + o * extent * inner;
      for (std::int64_t index : picked) to = std::copy_n(slice + index * inner, inner, to);
    }
  });
  return {};
}

Status gather_elements_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  if (data.rank() != indices.rank()) return invalid_argument("data has rank ", data.rank(), " but indices have rank ", indices.rank());
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), data.rank()));
  for (int i = 0; i < data.rank(); ++i) {
    if (i != axis && indices.dim(i) > data.dim(i)) {
      return invalid_argument("indices of shape ", indices.shape().to_string(), " reach beyond data of shape ", data.shape().to_string());
    }
  }
  FOVEA_ASSIGN(const std::vector<std::int64_t> picked, index_values(indices, "indices"));
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), indices.shape()));
  const Shape strides = dense_strides(data.shape());
  std::vector<std::int64_t> offsets;
  offsets.reserve(picked.size());
  std::int64_t at[kMaxRank] = {};  // index tuple of the output element
  for (std::int64_t index : picked) {
    FOVEA_ASSIGN(const std::int64_t along, normalize_index(index, data.dim(axis)));
    std::int64_t offset = along * strides[axis];
    for (int i = 0; i < data.rank(); ++i) offset += i == axis ? 0 : at[i] * strides[i];
    offsets.push_back(offset);
    for (int i = data.rank() - 1; i >= 0 && ++at[i] == indices.dim(i); --i) at[i] = 0;
  }
  copy_runs(data, offsets, 1, output);
  return {};
}

Status gather_nd_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const std::int64_t batch_dims = context.attributes().get_int("batch_dims");
  if (batch_dims < 0 || batch_dims >= indices.rank() || batch_dims >= data.rank()) {
    return invalid_argument("batch_dims is ", batch_dims, " for data of rank ", data.rank(), " and indices of rank ", indices.rank());
  }
  const int batch = static_cast<int>(batch_dims);
  const std::int64_t depth = indices.dim(indices.rank() - 1);
  if (depth < 1 || depth > data.rank() - batch) {
    return invalid_argument("indices point ", depth, " deep behind ", batch, " batch axes into data of rank ", data.rank());
  }
  for (int i = 0; i < batch; ++i) {
    if (indices.dim(i) != data.dim(i)) {
      return invalid_argument("batch axis ", i, " has extent ", data.dim(i), " in data and ", indices.dim(i), " in indices");
    }
  }
  FOVEA_ASSIGN(const std::vector<std::int64_t> picked, index_values(indices, "indices"));
  std::vector<std::int64_t> dims(indices.shape().begin(), indices.shape().end() - 1);
  dims.insert(dims.end(), data.shape().begin() + batch + depth, data.shape().end());
  FOVEA_ASSIGN(const Shape shape, make_shape(dims));
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), shape));
  if (output.elements() == 0) return {};
  const Shape strides = dense_strides(data.shape());
  const std::int64_t tuples = static_cast<std::int64_t>(picked.size()) / depth;
  const std::int64_t batches = product(data.shape(), 0, batch), batch_stride = product(data.shape(), batch, data.rank());
  std::vector<std::int64_t> offsets;
  offsets.reserve(static_cast<std::size_t>(tuples));
  for (std::int64_t t = 0; t < tuples; ++t) {
    std::int64_t offset = t / (tuples / batches) * batch_stride;
    for (std::int64_t k = 0; k < depth; ++k) {
      const int axis = batch + static_cast<int>(k);
      FOVEA_ASSIGN(const std::int64_t along, normalize_index(picked[static_cast<std::size_t>(t * depth + k)], data.dim(axis)));
      offset += along * strides[axis];
    }
    offsets.push_back(offset);
  }
  copy_runs(data, offsets, product(data.shape(), batch + static_cast<int>(depth), data.rank()), output);
  return {};
}

}  // namespace fovea::ops
