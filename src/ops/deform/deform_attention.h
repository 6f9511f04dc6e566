// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention: every query and head takes a weighted sum of samples, `points` on each of
// `levels` feature maps that lie one behind the other in the rows of `value`.
//
//   y[n,q,m,:] = sum over l, p of weight[n,q,m,l,p] * bilinear(level l of value[n,:,m,:], y * H_l - 0.5, x * W_l - 0.5)
//
// with the zero border of bilinear.h. Two operators exist:
//   mmdeploy::MMCVMultiScaleDeformableAttention  value [N,S,M,D], spatial_shapes [L,2] (H, W), level_start_index [L],
//                                                locations [N,Q,M,L,P,2] (x, y), weights [N,Q,M,L,P] -> [N,Q,M*D]
//   custom_op::FlashDeformAttn                   locations and weights packed as [N,Q,M,3*L*P], the weights behind the
//                                                locations and, with `softmax`, before their softmax over L*P
#pragma once

#include <cstdint>
#include <span>

#include "base/attributes.h"
#include "base/check.h"
#include "fovea/tensor.h"

namespace fovea::ops {

struct DeformAttentionExtents {
  std::int64_t batch = 0, rows = 0, heads = 0, width = 0, queries = 0, levels = 0, points = 0;

  std::int64_t samples() const { return levels * points; }  ///< per query and head
  Shape output() const { return {batch, queries, heads * width}; }

  static Result<DeformAttentionExtents> separate(const Shape& value, const Shape& spatial_shapes, const Shape& starts, const Shape& locations,
                                                 const Shape& weights);
  static Result<DeformAttentionExtents> packed(const Shape& value, const Shape& spatial_shapes, const Shape& starts, const Shape& packed,
                                               std::int64_t points);
};

/// Attributes of the packed form.
struct FlashAttentionParams {
  std::int64_t points = 0;
  bool softmax = true;

  static Result<FlashAttentionParams> parse(const Attributes& attributes);
};

/// One feature map: height * width rows of `value` from row `start` on.
struct AttentionLevel {
  std::int64_t height = 0, width = 0, start = 0;
};

/// Reads one level for each element of `levels` and checks that it lies within `rows`. The arrays hold i32 or i64.
Status read_levels(DataType shapes_type, const void* spatial_shapes, DataType starts_type, const void* starts, std::int64_t rows,
                   std::span<AttentionLevel> levels);

}  // namespace fovea::ops
