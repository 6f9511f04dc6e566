// SPDX-License-Identifier: Apache-2.0
// Col2Im: image[b * stride - pad + k * dilation] += x[k, b] for every tap k and block b; taps outside are dropped.
#include <algorithm>

#include "base/checked_math.h"
#include "base/element_types.h"
#include "ops/conv/col2im.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

/// Adds one channel's blocks, [taps][blocks], to its image.
template <class T, class Acc>
void add_blocks(const std::vector<WindowAxis>& axes, std::int64_t taps, std::int64_t blocks, const T* columns, std::vector<Acc>& image) {
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      std::int64_t tap_rest = tap, block_rest = block, at = 0, stride = 1;
      bool inside = true;
      for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
        const std::int64_t i = block_rest % axis->output * axis->stride - axis->pad_begin + tap_rest % axis->kernel * axis->dilation;
        inside = inside && i >= 0 && i < axis->input;
        at += i * stride;
        stride *= axis->input;
        tap_rest /= axis->kernel;
        block_rest /= axis->output;
      }
      if (inside) image[static_cast<std::size_t>(at)] += static_cast<Acc>(columns[tap * blocks + block]);
    }
  }
}

Result<std::int64_t> product(const std::vector<WindowAxis>& axes, std::int64_t WindowAxis::*extent) {
  std::vector<std::int64_t> extents;
  for (const WindowAxis& axis : axes) extents.push_back(axis.*extent);
  return checked_elements(extents);
}

}  // namespace

Result<std::vector<WindowAxis>> resolve_col2im(const Attributes& attributes, std::span<const std::int64_t> image,
                                               std::span<const std::int64_t> block) {
  if (image.empty() || image.size() > kMaxRank - 2) return invalid_argument("image_shape: expected 1 to ", kMaxRank - 2, " extents, found ", image.size());
  FOVEA_ASSIGN(WindowParams window, WindowParams::parse(attributes, static_cast<int>(image.size()) + 2));
  FOVEA_RETURN_IF_ERROR(window.set_kernel(block).with_context("block_shape"));
  return resolve_axes(window, image);
}

Status col2im_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &image = context.input(1), &block = context.input(2);
  if (x.rank() != 3) return invalid_argument("input: expected rank 3, found ", x.shape().to_string());
  if (image.type() != DataType::i64 || block.type() != DataType::i64) return invalid_argument("image_shape and block_shape: expected i64");
  FOVEA_ASSIGN(const auto axes, resolve_col2im(context.attributes(), image.values<std::int64_t>(), block.values<std::int64_t>()));
  FOVEA_ASSIGN(const std::int64_t taps, product(axes, &WindowAxis::kernel));
  FOVEA_ASSIGN(const std::int64_t blocks, product(axes, &WindowAxis::output));
  FOVEA_ASSIGN(const std::int64_t pixels, product(axes, &WindowAxis::input));
  if (x.dim(1) % taps != 0) return invalid_argument("input: axis 1 is ", x.dim(1), ", not a multiple of the block's ", taps, " elements");
  if (x.dim(2) != blocks) return invalid_argument("input: expected ", blocks, " blocks on axis 2, found ", x.dim(2));
  Shape shape{x.dim(0), x.dim(1) / taps};
  for (const WindowAxis& axis : axes) shape.push_back(axis.input);
  FOVEA_ASSIGN(Tensor y, context.output(0, x.type(), shape));
  if (y.elements() == 0) return {};
  return dispatch_numeric(x.type(), "Col2Im", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    using Acc = std::conditional_t<kIsFloat<T>, double, std::uint64_t>;  // integers wrap like their own type
    std::vector<Acc> sums(static_cast<std::size_t>(pixels));
    for (std::int64_t plane = 0; plane < shape[0] * shape[1]; ++plane) {
      std::fill(sums.begin(), sums.end(), Acc(0));
      add_blocks(axes, taps, blocks, x.data<T>() + plane * taps * blocks, sums);
      T* const dst = y.data<T>() + plane * pixels;
      for (std::size_t i = 0; i < sums.size(); ++i) {
        if constexpr (kIsHalf<T>) dst[i] = T(static_cast<float>(sums[i]));
        else dst[i] = static_cast<T>(sums[i]);
      }
    }
    return {};
  });
}

}  // namespace fovea::ops
