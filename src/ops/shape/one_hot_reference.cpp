// SPDX-License-Identifier: Apache-2.0
// OneHot: a new axis of extent `depth`; on_value where its index equals the element of `indices`, off_value
// elsewhere. An index outside [-depth, depth) sets nothing.
#include <cmath>

#include "base/element_types.h"
#include "ops/axis.h"
#include "ops/fill.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

// Elements of any numeric type as integers; fractions are cut off, as a cast does.
Result<std::vector<std::int64_t>> as_integers(const Tensor& tensor, const char* what) {
  std::vector<std::int64_t> integers;
  integers.reserve(static_cast<std::size_t>(tensor.elements()));
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(tensor.type(), what, [&]<class T>(TypeTag<T>) -> Status {
    for (const T& value : tensor.values<T>()) {
      if constexpr (kIsFloat<T>) {
        const double number = std::trunc(static_cast<double>(value));
        if (!(std::abs(number) < 0x1p62)) return invalid_argument(what, ": found ", number);
        integers.push_back(static_cast<std::int64_t>(number));
      } else {
        integers.push_back(static_cast<std::int64_t>(value));
      }
    }
    return {};
  }));
  return integers;
}

}  // namespace

Status one_hot_reference(KernelContext& context) {
  const Tensor& indices = context.input(0);
  const Tensor& values = context.input(2);
  FOVEA_ASSIGN(const int axis, normalize_axis(context.attributes().get_int("axis", -1), indices.rank() + 1));
  FOVEA_ASSIGN(const auto depths, as_integers(context.input(1), "depth"));
  if (depths.size() != 1 || depths[0] < 0) return invalid_argument("depth: expected one number that is not negative");
  if (values.rank() != 1 || values.elements() != 2) return invalid_argument("values: expected [off, on], found shape ", values.shape().to_string());
  FOVEA_ASSIGN(const auto picked, as_integers(indices, "indices"));
  const std::int64_t depth = depths[0];
  std::vector<std::int64_t> dims = indices.shape().to_vector();
  dims.insert(dims.begin() + axis, depth);
  FOVEA_ASSIGN(const Shape shape, make_shape(dims));
  FOVEA_ASSIGN(Tensor output, context.output(0, values.type(), shape));
  fill(output, values);
  std::int64_t inner = 1;
  for (int i = axis; i < indices.rank(); ++i) inner *= indices.dim(i);
  with_storage(values.type(), [&](auto* tag) {
    using T = std::remove_pointer_t<decltype(tag)>;
    const T on = values.data<T>()[1];
    for (std::size_t i = 0; i < picked.size(); ++i) {
      if (picked[i] < -depth || picked[i] >= depth) continue;
      const std::int64_t at = picked[i] < 0 ? picked[i] + depth : picked[i];
      const auto flat = static_cast<std::int64_t>(i);
      output.data<T>()[(flat / inner * depth + at) * inner + flat % inner] = on;
    }
  });
  return {};
}

}  // namespace fovea::ops
