// SPDX-License-Identifier: Apache-2.0
// TopK: along each line of the axis the k largest (or smallest) elements, best first. Of equal elements the one with
// the lower index comes first; NaN counts as larger than every number. The output is sorted even if not asked for.
#include <algorithm>
#include <numeric>

#include "base/element_types.h"
#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

template <class T>
bool less(T a, T b) {
  if constexpr (kIsFloat<T>) {
    const auto x = static_cast<Wide<T>>(a), y = static_cast<Wide<T>>(b);
    return x < y || (y != y && x == x);
  } else {
    return a < b;
  }
}

template <class T>
void top_of_line(const T* line, std::int64_t stride, std::vector<std::int64_t>& order, std::int64_t k, bool largest) {
  const auto before = [&](std::int64_t i, std::int64_t j) {
    const T a = line[i * stride], b = line[j * stride];
    if (largest ? less(b, a) : less(a, b)) return true;
    if (largest ? less(a, b) : less(b, a)) return false;
    return i < j;
  };
  std::iota(order.begin(), order.end(), 0);
  if (k < static_cast<std::int64_t>(order.size())) std::nth_element(order.begin(), order.begin() + k, order.end(), before);
  std::sort(order.begin(), order.begin() + k, before);
}

}  // namespace

Status top_k_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis", -1), data.rank()));
  FOVEA_ASSIGN(const std::int64_t k, int_value(context.input(1), "k"));
  const std::int64_t extent = data.dim(axis);
  if (k < 0 || k > extent) return invalid_argument("k is ", k, " but axis ", axis, " has extent ", extent);
  const bool largest = context.attributes().get_int("largest", 1) != 0;
  Shape shape = data.shape();
  shape[axis] = k;
  FOVEA_ASSIGN(Tensor values, context.output(0, data.type(), shape));
  FOVEA_ASSIGN(Tensor indices, context.output(1, DataType::i64, shape));
  if (values.elements() == 0) return {};
  std::int64_t inner = 1;
  for (int i = axis + 1; i < data.rank(); ++i) inner *= data.dim(i);
  std::vector<std::int64_t> order(static_cast<std::size_t>(extent));
  return dispatch_numeric(data.type(), "TopK", [&]<class T>(TypeTag<T>) -> Status {
    for (std::int64_t line = 0; line < data.elements() / extent; ++line) {
      const std::int64_t outer = line / inner, at = line % inner;
      const T* src = data.data<T>() + outer * extent * inner + at;
      top_of_line(src, inner, order, k, largest);
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int64_t to = (outer * k + i) * inner + at, from = order[static_cast<std::size_t>(i)];
        values.data<T>()[to] = src[from * inner];
        indices.data<std::int64_t>()[to] = from;
      }
    }
    return {};
  });
}

}  // namespace fovea::ops
