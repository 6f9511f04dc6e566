// SPDX-License-Identifier: Apache-2.0
// AffineGrid: grid[n, place] = theta[n] * (x, y, (z,) 1), coordinates running from -1 to 1 over the centres of the
// border elements (align_corners) or over their outer edges. A single element lies at 0.
#include "base/element_types.h"
#include "ops/axis.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

double coordinate(std::int64_t i, std::int64_t extent, bool align_corners) {
  const double at = static_cast<double>(i), n = static_cast<double>(extent);
  if (align_corners) return extent == 1 ? 0 : 2 * at / (n - 1) - 1;
  return (2 * at + 1) / n - 1;
}

}  // namespace

Status affine_grid_reference(KernelContext& context) {
  FOVEA_ASSIGN(const Tensor theta, widened(context.input(0)));
  FOVEA_ASSIGN(const auto size, int_values(context.input(1), "size"));
  if (size.size() != 4 && size.size() != 5) return invalid_argument("size: expected 4 or 5 extents, found ", size.size());
  const std::int64_t d = static_cast<std::int64_t>(size.size()) - 2;
  const Shape expected{size[0], d, d + 1};
  if (!(theta.shape() == expected)) return invalid_argument("theta: expected ", expected.to_string(), ", found ", theta.shape().to_string());
  // Two-dimensional grids are three-dimensional ones of depth 1 whose z is never used.
  const std::int64_t depth = d == 3 ? size[2] : 1, height = size[size.size() - 2], width = size[size.size() - 1];
  const Shape shape = d == 3 ? Shape{size[0], depth, height, width, d} : Shape{size[0], height, width, d};
  FOVEA_ASSIGN(WideOutput grid, WideOutput::create(context, 0, context.input(0).type(), shape));
  if (shape.elements() == 0) return {};
  const bool align_corners = context.attributes().get_int("align_corners", 0) != 0;
  FOVEA_RETURN_IF_ERROR((dispatch<float, double>(theta.type(), "AffineGrid", [&](auto tag) -> Status {
    using T = typename decltype(tag)::type;
    T* dst = grid.data<T>();
    for (std::int64_t n = 0; n < size[0]; ++n) {
      const T* const map = theta.data<T>() + n * d * (d + 1);
      for (std::int64_t z = 0; z < depth; ++z) {
        for (std::int64_t y = 0; y < height; ++y) {
          for (std::int64_t x = 0; x < width; ++x) {
            const double place[] = {coordinate(x, width, align_corners), coordinate(y, height, align_corners), coordinate(z, depth, align_corners)};
            for (std::int64_t row = 0; row < d; ++row) {
              double sum = static_cast<double>(map[row * (d + 1) + d]);
              for (std::int64_t i = 0; i < d; ++i) sum += static_cast<double>(map[row * (d + 1) + i]) * place[i];
              *dst++ = static_cast<T>(sum);
            }
          }
        }
      }
    }
    return {};
  })));
  return grid.finish();
}

}  // namespace fovea::ops
