// SPDX-License-Identifier: Apache-2.0
// DepthToSpace and SpaceToDepth: one strided copy over the axes n, bh, bw, c, h, w, where bh and bw are the place
// inside a block.
//   channels of the deep tensor:  DCR (bh * b + bw) * c + ic     CRD (ic * b + bh) * b + bw
//   pixels of the flat tensor:    (h * b + bh, w * b + bw)
#include <array>

#include "base/checked_math.h"
#include "base/strided_copy.h"
#include "ops/kernel_context.h"
#include "ops/resize/depth_space.h"

namespace fovea::ops {

Result<std::int64_t> parse_blocksize(const Attributes& attributes, int rank) {
  if (rank != 4) return invalid_model("input 0: expected rank 4, found ", rank);
  const std::int64_t block = attributes.get_int("blocksize", 0);
  if (block < 1 || block > 32768) return invalid_model("blocksize: expected a number in 1..32768, found ", block);
  return block;
}

namespace {

using Strides = std::array<std::int64_t, 6>;

struct DepthSpace {
  Shape flat;  // n, c, h * b, w * b
  std::int64_t block;

  Strides extents() const { return {flat[0], block, block, flat[1], flat[2] / block, flat[3] / block}; }
  Strides flat_strides() const {
    const std::int64_t row = flat[3], plane = flat[2] * row;
    return {flat[1] * plane, row, 1, plane, block * row, block};
  }
  Strides deep_strides(bool block_first) const {
    const std::int64_t row = flat[3] / block, plane = flat[2] / block * row;
    const std::int64_t image = flat[1] * block * block * plane;
    if (block_first) return {image, block * flat[1] * plane, flat[1] * plane, plane, row, 1};
    return {image, block * plane, plane, block * block * plane, row, 1};
  }
};

}  // namespace

Status depth_to_space_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(const std::int64_t block, parse_blocksize(context.attributes(), x.rank()));
  if (x.dim(1) % (block * block) != 0) return invalid_argument("blocksize: ", x.dim(1), " channels are not a multiple of ", block * block);
  FOVEA_RETURN_IF_ERROR(checked_elements(std::array{x.dim(2), block}).status());
  FOVEA_RETURN_IF_ERROR(checked_elements(std::array{x.dim(3), block}).status());
  const DepthSpace layout{{x.dim(0), x.dim(1) / (block * block), x.dim(2) * block, x.dim(3) * block}, block};
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), layout.flat));
  const bool block_first = context.attributes().get_string("mode", "DCR") == "DCR";
  strided_copy(x.type(), layout.extents(), x.raw(), layout.deep_strides(block_first), y.raw(), layout.flat_strides());
  return {};
}

Status space_to_depth_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  FOVEA_ASSIGN(const std::int64_t block, parse_blocksize(context.attributes(), x.rank()));
  if (x.dim(2) % block != 0 || x.dim(3) % block != 0) {
    return invalid_argument("blocksize: ", x.dim(2), " x ", x.dim(3), " pixels are not a multiple of ", block);
  }
  FOVEA_RETURN_IF_ERROR(checked_elements(std::array{x.dim(1), block, block}).status());
  const DepthSpace layout{x.shape(), block};
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), {x.dim(0), x.dim(1) * block * block, x.dim(2) / block, x.dim(3) / block}));
  strided_copy(x.type(), layout.extents(), x.raw(), layout.flat_strides(), y.raw(), layout.deep_strides(true));
  return {};
}

}  // namespace fovea::ops
