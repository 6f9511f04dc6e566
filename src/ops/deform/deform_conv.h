// SPDX-License-Identifier: Apache-2.0
// Parameters of DeformConv. Layouts: x [n, ic, h, w], weights [oc, ic/group, kh, kw],
// offset [n, offset_group * kh * kw * (y, x), oh, ow], mask [n, offset_group * kh * kw, oh, ow].
#pragma once

#include "ops/conv/conv_params.h"

namespace fovea::ops {

struct DeformConvParams {
  ConvParams conv;
  std::int64_t offset_group = 1;

  static Result<DeformConvParams> parse(const Attributes& attributes, int rank);
  /// Checks offset and (unless it has rank 0) mask against the convolution too.
  Result<ConvGeometry> resolve(const Shape& x, const Shape& weights, const Shape& offset, const Shape& mask) const;
};

}  // namespace fovea::ops
