// SPDX-License-Identifier: Apache-2.0
// Range: element i is start + i * delta; ceil((limit - start) / delta) elements.
#include <cmath>

#include "base/float_types.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

// T: element type, Wide: the type that start + i * delta is computed in.
template <class T, class Wide>
Status range(KernelContext& context) {
  for (int i = 0; i < 3; ++i) {
    if (context.input(i).elements() != 1 || context.input(i).type() != context.input(0).type()) {
      return invalid_argument("start, limit and delta must be single elements of one type");
    }
  }
  const auto start = static_cast<Wide>(*context.input(0).data<T>());
  const auto limit = static_cast<Wide>(*context.input(1).data<T>());
  const auto delta = static_cast<Wide>(*context.input(2).data<T>());
  if (delta == 0) return invalid_argument("delta is 0");
  std::int64_t count = 0;
  if constexpr (std::is_integral_v<Wide>) {
    Wide span = 0;
    if (__builtin_sub_overflow(limit, start, &span)) return invalid_argument("the range is too long");
    // Same signs: round up; else the range is empty.
    if ((span > 0) == (delta > 0) && span != 0) count = (span - (delta > 0 ? 1 : -1)) / delta + 1;
  } else {
    const double wanted = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) / static_cast<double>(delta));
    if (!(std::abs(wanted) < 0x1p62)) return invalid_argument("the range from ", start, " to ", limit, " has no finite length");
    count = static_cast<std::int64_t>(std::max(wanted, 0.0));
  }
  FOVEA_ASSIGN(Tensor output, context.output(0, context.input(0).type(), {count}));
  T* out = output.data<T>();
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(start + static_cast<Wide>(i) * delta);
  return {};
}

}  // namespace

Status range_reference(KernelContext& context) {
  switch (context.input(0).type()) {
    case DataType::f32: return range<float, double>(context);
    case DataType::f64: return range<double, double>(context);
    case DataType::f16: return range<Half, float>(context);
    case DataType::bf16: return range<BFloat16, float>(context);
    case DataType::i16: return range<std::int16_t, std::int64_t>(context);
    case DataType::i32: return range<std::int32_t, std::int64_t>(context);
    case DataType::i64: return range<std::int64_t, std::int64_t>(context);
    default: return unsupported("element type ", name(context.input(0).type()));
  }
}

}  // namespace fovea::ops
