// SPDX-License-Identifier: Apache-2.0
// SplitToSequence: parts of the listed sizes, or of one size (the last one smaller), or of single steps, whose axis is
// then dropped unless keepdims. ConcatFromSequence: the way back.
#include "base/checked_math.h"
#include "base/strided_copy.h"
#include "ops/sequence/sequence_items.h"

namespace fovea::ops {

namespace {

Result<std::vector<std::int64_t>> part_sizes(const KernelContext& context, std::int64_t extent) {
  if (!context.has_input(1)) return std::vector<std::int64_t>(static_cast<std::size_t>(std::min<std::int64_t>(extent, kMaxSequenceLength + 1)), 1);
  FOVEA_ASSIGN(std::vector<std::int64_t> sizes, int_values(context.input(1), "split"));
  if (context.input(1).rank() == 0) {
    const std::int64_t size = sizes[0];
    if (size < 1) return invalid_argument("split is ", size, "; expected 1 or more");
    sizes.clear();
    for (std::int64_t at = 0; at < extent && sizes.size() <= kMaxSequenceLength; at += std::min(size, extent - at)) {
      sizes.push_back(std::min(size, extent - at));
    }
    return sizes;
  }
  std::int64_t left = extent;
  for (std::int64_t size : sizes) {
    if (size < 0 || size > left) return invalid_argument("split size ", size, " does not fit an extent of ", extent);
    left -= size;
  }
  if (left != 0) return invalid_argument("split sizes leave ", left, " of an extent of ", extent);
  return sizes;
}

}  // namespace

Status split_to_sequence_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), data.rank()));
  FOVEA_ASSIGN(const auto sizes, part_sizes(context, data.dim(axis)));
  if (sizes.size() > kMaxSequenceLength) return resource_exhausted("a sequence may have at most ", kMaxSequenceLength, " elements");
  const bool drop_axis = !context.has_input(1) && context.attributes().get_int("keepdims", 1) == 0;
  const Shape strides = dense_strides(data.shape());
  std::vector<Datum> parts;
  std::int64_t at = 0;
  for (std::int64_t size : sizes) {
    Shape shape = data.shape();
    shape[axis] = size;
    FOVEA_ASSIGN(Tensor part, Tensor::allocate(data.type(), shape));
    if (part.elements() > 0) {
      strided_copy(data.type(), shape.dims(), element_at(data.type(), data.raw(), at * strides[axis]), strides.dims(), part.raw(),
                   dense_strides(shape).dims());
    }
    at += size;
    if (drop_axis) {
      Shape dropped;
      for (int i = 0; i < shape.rank(); ++i) {
        if (i != axis) dropped.push_back(shape[i]);
      }
      part = part.reshaped(dropped);
    }
    parts.emplace_back(std::move(part));
  }
  return set_sequence(context, 0, std::move(parts), data.type());
}

Status concat_from_sequence_reference(KernelContext& context) {
  FOVEA_ASSIGN(const auto* items, sequence_items(context, 0));
  if (items->empty()) return invalid_argument("an empty sequence has nothing to join");
  const bool new_axis = context.attributes().get_int("new_axis") != 0;
  std::vector<Tensor> parts;
  for (const Datum& item : *items) {
    if (item.kind != Datum::Kind::Tensor) return invalid_argument("expected a sequence of tensors");
    parts.push_back(item.tensor);
  }
  const Tensor first = parts[0];
  const int rank = first.rank() + (new_axis ? 1 : 0);
  if (rank > kMaxRank) return unsupported("rank ", rank, ": at most ", kMaxRank, " dimensions are supported");
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis"), rank));
  if (new_axis) {
    for (Tensor& part : parts) {
      std::vector<std::int64_t> dims = part.shape().to_vector();
      if (part.rank() != first.rank()) return invalid_argument("the tensors have different ranks");
      dims.insert(dims.begin() + axis, 1);
      part = part.reshaped(Shape(dims));
    }
  }
  Shape shape = parts[0].shape();
  shape[axis] = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Tensor& part = parts[i];
    bool fits = part.rank() == rank && part.type() == first.type();
    for (int k = 0; fits && k < rank; ++k) fits = k == axis || part.dim(k) == shape[k];
    if (!fits || !checked_add(shape[axis], part.dim(axis), shape[axis])) {
      return invalid_argument("tensor ", i, " (", name(part.type()), " ", part.shape().to_string(), ") does not fit the first (", name(first.type()), " ",
                              first.shape().to_string(), ")");
    }
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, first.type(), shape));
  const Shape strides = dense_strides(shape);
  std::int64_t at = 0;
  for (const Tensor& part : parts) {
    if (part.elements() == 0) continue;
    strided_copy(part.type(), part.shape().dims(), part.raw(), dense_strides(part.shape()).dims(),
                 element_at(part.type(), output.raw(), at * strides[axis]), strides.dims());
    at += part.dim(axis);
  }
  return {};
}

}  // namespace fovea::ops
