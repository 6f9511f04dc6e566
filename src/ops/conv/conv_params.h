// SPDX-License-Identifier: Apache-2.0
// Parameters of convolutions as kernels and shape rules see them. Layouts: x [n, ic, spatial...],
// weights [oc, ic/group, kernel...] (Conv) or [ic, oc/group, kernel...] (ConvTranspose).
#pragma once

#include "ops/conv/window.h"

namespace fovea::ops {

/// Everything concrete about one convolution; every extent is checked and consistent.
struct ConvGeometry {
  std::int64_t batch = 1, ic = 1, oc = 1, group = 1;
  std::vector<WindowAxis> axes;  ///< one per spatial axis

  std::int64_t ic_per_group() const { return ic / group; }
  std::int64_t oc_per_group() const { return oc / group; }
  /// [batch, oc, outputs...]
  Shape output_shape() const;
};

/// Attributes of Conv, ConvInteger and QLinearConv.
struct ConvParams {
  WindowParams window;
  std::int64_t group = 1;

  /// `rank` is that of x. Names the attribute that makes no sense.
  static Result<ConvParams> parse(const Attributes& attributes, int rank);
  /// Everything for concrete shapes of x and the weights.
  Result<ConvGeometry> resolve(const Shape& x, const Shape& weights) const;
};

/// Attributes of ConvTranspose.
struct ConvTransposeParams {
  WindowParams window;
  TransposedParams transposed;
  std::int64_t group = 1;

  static Result<ConvTransposeParams> parse(const Attributes& attributes, int rank);
  Result<ConvGeometry> resolve(const Shape& x, const Shape& weights) const;
};

/// The reference kernels walk at most three spatial axes.
Status check_conv_ranks(const ConvGeometry& geometry);
/// `tensor` has one number per channel.
Status check_channel_vector(std::string_view what, const Tensor& tensor, std::int64_t channels);

}  // namespace fovea::ops
