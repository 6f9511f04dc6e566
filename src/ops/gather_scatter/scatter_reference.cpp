// SPDX-License-Identifier: Apache-2.0
// ScatterElements: out = data; out[i, indices[i, j, k], k] (reduction)= updates[i, j, k] for axis 1
// ScatterND:       out = data; out[indices[i.., :], n..] (reduction)= updates[i.., n..]
// Updates are applied in memory order, so of two to one place the last wins.
#include <algorithm>

#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/gather_scatter/scatter_reduction.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

// out[offsets[i] + n] (reduction)= updates[i * count + n]
Status apply(Tensor& output, std::span<const std::int64_t> offsets, const Tensor& updates, std::int64_t count, const std::string& reduction) {
  if (reduction == "none") {
    with_storage(output.type(), [&](auto* tag) {
      using T = std::remove_pointer_t<decltype(tag)>;
      const T* from = updates.data<T>();
      for (std::int64_t offset : offsets) {
        std::copy_n(from, count, output.data<T>() + offset);
        from += count;
      }
    });
    return {};
  }
  return dispatch_numeric(output.type(), reduction, [&]<class T>(TypeTag<T>) {
    return with_reduction<T>(reduction, [&](auto combine) {
      const T* from = updates.data<T>();
      for (std::int64_t offset : offsets) {
        T* to = output.data<T>() + offset;
        for (std::int64_t n = 0; n < count; ++n) to[n] = combine(to[n], *from++);
      }
    });
  });
}

Result<Tensor> copy_of_data(KernelContext& context) {
  const Tensor& data = context.input(0);
  if (context.input(2).type() != data.type()) {
    return invalid_argument("updates have type ", name(context.input(2).type()), ", data ", name(data.type()));
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, data.type(), data.shape()));
  const std::int64_t count[] = {data.elements()}, one[] = {1};
  strided_copy(data.type(), count, data.raw(), one, output.raw(), one);
  return output;
}

}  // namespace

Status scatter_elements_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const Tensor& updates = context.input(2);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), data.rank()));
  if (!(indices.shape() == updates.shape()) || indices.rank() != data.rank()) {
    return invalid_argument("indices of shape ", indices.shape().to_string(), " and updates of shape ", updates.shape().to_string(),
                            " must have one shape of the data's rank ", data.rank());
  }
  for (int i = 0; i < data.rank(); ++i) {
    if (i != axis && indices.dim(i) > data.dim(i)) {
      return invalid_argument("indices of shape ", indices.shape().to_string(), " reach beyond data of shape ", data.shape().to_string());
    }
  }
  FOVEA_ASSIGN(const std::vector<std::int64_t> picked, index_values(indices, "indices"));
  FOVEA_ASSIGN(Tensor output, copy_of_data(context));
  const Shape strides = dense_strides(data.shape());
  std::vector<std::int64_t> offsets;
  offsets.reserve(picked.size());
  std::int64_t at[kMaxRank] = {};
  for (std::int64_t index : picked) {
    FOVEA_ASSIGN(const std::int64_t along, normalize_index(index, data.dim(axis)));
    std::int64_t offset = along * strides[axis];
    for (int i = 0; i < data.rank(); ++i) offset += i == axis ? 0 : at[i] * strides[i];
    offsets.push_back(offset);
    for (int i = data.rank() - 1; i >= 0 && ++at[i] == indices.dim(i); --i) at[i] = 0;
  }
  return apply(output, offsets, updates, 1, context.attributes().get_string("reduction", "none"));
}

Status scatter_nd_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  const Tensor& indices = context.input(1);
  const Tensor& updates = context.input(2);
  if (indices.rank() < 1) return invalid_argument("indices must not be a scalar");
  const std::int64_t depth = indices.dim(indices.rank() - 1);
  if (depth < 1 || depth > data.rank()) return invalid_argument("indices point ", depth, " deep into data of rank ", data.rank());
  std::vector<std::int64_t> dims(indices.shape().begin(), indices.shape().end() - 1);
  dims.insert(dims.end(), data.shape().begin() + depth, data.shape().end());
  FOVEA_ASSIGN(const Shape expected, make_shape(dims));
  if (!(updates.shape() == expected)) {
    return invalid_argument("updates: expected shape ", expected.to_string(), ", found ", updates.shape().to_string());
  }
  FOVEA_ASSIGN(const std::vector<std::int64_t> picked, index_values(indices, "indices"));
  FOVEA_ASSIGN(Tensor output, copy_of_data(context));
  if (updates.elements() == 0) return {};
  const Shape strides = dense_strides(data.shape());
  std::vector<std::int64_t> offsets;
  for (std::size_t t = 0; t < picked.size(); t += static_cast<std::size_t>(depth)) {
    std::int64_t offset = 0;
    for (std::int64_t k = 0; k < depth; ++k) {
      const int axis = static_cast<int>(k);
      FOVEA_ASSIGN(const std::int64_t along, normalize_index(picked[t + static_cast<std::size_t>(k)], data.dim(axis)));
      offset += along * strides[axis];
    }
    offsets.push_back(offset);
  }
  return apply(output, offsets, updates, strides[static_cast<int>(depth) - 1], context.attributes().get_string("reduction", "none"));
}

}  // namespace fovea::ops
