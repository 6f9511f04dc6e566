// SPDX-License-Identifier: Apache-2.0
#include "ops/control/stacked_outputs.h"

#include "base/strided_copy.h"
#include "ops/axis.h"

namespace fovea::ops {

namespace {
// A loop that never ends must not eat the machine: no real network stacks this much.
constexpr std::int64_t kMaxBytes = std::int64_t{4} << 30;
constexpr std::int64_t kMaxSlices = std::int64_t{1} << 24;
}  // namespace

Status StackedOutput::add(const Datum& datum) {
  if (datum.kind != Datum::Kind::Tensor) return invalid_argument("a scan output must be a tensor");
  const Tensor& slice = datum.tensor;
  if (!slices_.empty() && (slice.type() != slices_[0].type() || !(slice.shape() == slices_[0].shape()))) {
    return invalid_argument("scan output: iteration ", slices_.size(), " gives ", name(slice.type()), " ", slice.shape().to_string(),
                            ", the first gave ", name(slices_[0].type()), " ", slices_[0].shape().to_string());
  }
  const auto count = static_cast<std::int64_t>(slices_.size()) + 1;
  if (count > kMaxSlices || static_cast<std::int64_t>(slice.bytes()) > kMaxBytes / count) {
    return resource_exhausted("scan output grows beyond ", kMaxBytes >> 30, " GiB or ", kMaxSlices, " iterations");
  }
  slices_.push_back(slice);
  return {};
}

Status StackedOutput::write(KernelContext& context, int i, std::int64_t axis, bool reversed, int body_output) const {
  DataType type = DataType::undefined;
  std::vector<std::int64_t> dims;
  if (!slices_.empty()) {
    type = slices_[0].type();
    dims = slices_[0].shape().to_vector();
  } else {
    type = context.bodies()->output_type(0, body_output).element;
    if (type == DataType::undefined) return unsupported("the loop runs not once, and the type of scan output ", i, " is not known");
    for (const Dim& dim : context.bodies()->output_shape(0, body_output).value_or(SymbolicShape())) {
      dims.push_back(dim.is_constant() ? dim.constant() : 0);
    }
  }
  FOVEA_ASSIGN(const int at, normalize_axis(axis, static_cast<int>(dims.size()) + 1));
  const auto count = static_cast<std::int64_t>(slices_.size());
  dims.insert(dims.begin() + at, count);
  FOVEA_ASSIGN(const Shape shape, make_shape(dims));
  FOVEA_ASSIGN(Tensor output, context.output(i, type, shape));
  if (output.elements() == 0) return {};
  const Shape strides = dense_strides(shape);
  std::vector<std::int64_t> dst_strides = strides.to_vector();
  dst_strides.erase(dst_strides.begin() + at);
  for (std::int64_t s = 0; s < count; ++s) {
    const Tensor& slice = slices_[static_cast<std::size_t>(reversed ? count - 1 - s : s)];
    strided_copy(type, slice.shape().dims(), slice.raw(), dense_strides(slice.shape()).dims(),
                 element_at(type, output.raw(), s * strides[at]), dst_strides);
  }
  return {};
}

}  // namespace fovea::ops
