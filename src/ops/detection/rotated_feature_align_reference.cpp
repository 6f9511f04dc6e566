// SPDX-License-Identifier: Apache-2.0
// Boxes [N, H, W, 5] are (y, x, width, height, angle) in image coordinates, sampled with a clamped border.
#include "base/element_types.h"
#include "ops/deform/bilinear.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

struct Points {
  int count;
  double y[5], x[5];
};

template <class T>
Points points_of(const T* box, double scale, int count) {
  const double y = static_cast<double>(box[0]) * scale, x = static_cast<double>(box[1]) * scale;
  Points points{count, {y}, {x}};
  const double u = static_cast<double>(box[2]) * scale / 2, v = static_cast<double>(box[3]) * scale / 2,
               angle = static_cast<double>(box[4]);
  const double wx = std::cos(angle) * u, wy = std::sin(angle) * u, hx = -std::sin(angle) * v, hy = std::cos(angle) * v;
  const int sign[4][2] = {{1, 1}, {-1, 1}, {-1, -1}, {1, -1}};
  for (int i = 1; i < count; ++i) {
    points.x[i] = x + sign[i - 1][0] * wx + sign[i - 1][1] * hx;
    points.y[i] = y + sign[i - 1][0] * wy + sign[i - 1][1] * hy;
  }
  return points;
}

}  // namespace

Status rotated_feature_align_reference(KernelContext& context) {
  const double scale = context.attributes().get_float("spatial_scale", 1);
  const std::int64_t count = context.attributes().get_int("points", 1);
  if (count != 1 && count != 5)
    return invalid_model("points: expected 1 (centre) or 5 (with the corners), found ", count);
  if (!(scale > 0)) return invalid_model("spatial_scale: expected a number above 0, found ", scale);
  FOVEA_ASSIGN(const Tensor x, widened(context.input(0)));
  FOVEA_ASSIGN(const Tensor boxes, widened(context.input(1)));
  if (x.rank() != 4) return invalid_argument("input 0: expected rank 4, found ", x.shape().to_string());
  if (boxes.type() != x.type() || !(boxes.shape() == Shape{x.dim(0), x.dim(2), x.dim(3), 5})) {
    return invalid_argument("boxes: expected ", name(x.type()), " ", Shape{x.dim(0), x.dim(2), x.dim(3), 5}.to_string(),
                            ", found ", name(boxes.type()), " ", boxes.shape().to_string());
  }
  FOVEA_ASSIGN(WideOutput y, WideOutput::create(context, 0, context.input(0).type(), x.shape()));
  if (x.elements() == 0) return y.finish();
  const std::int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3), plane = height * width;
  Status status = dispatch<float, double>(x.type(), "MMCVRotatedFeatureAlign", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    for (std::int64_t at = 0; at < x.dim(0) * plane; ++at) {
      const Points points = points_of(boxes.data<T>() + at * 5, scale, static_cast<int>(count));
      const std::int64_t image = at / plane * channels * plane, pixel = at % plane;
      for (std::int64_t c = 0; c < channels; ++c) {
        const T* const map = x.data<T>() + image + c * plane;
        double sum = static_cast<double>(map[pixel]);
        for (int i = 0; i < points.count; ++i)
          sum += clamped_border_taps(points.y[i], points.x[i], height, width).sample(map);
        y.data<T>()[image + c * plane + pixel] = static_cast<T>(sum);
      }
    }
    return {};
  });
  if (!status.ok()) return status;
  return y.finish();
}

}  // namespace fovea::ops
