// SPDX-License-Identifier: Apache-2.0
// Range: schema and shape rule.
#include <cmath>

#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Result<std::optional<std::int64_t>> float_count(const InferContext& context) {
  double bounds[3];
  for (int i = 0; i < 3; ++i) {
    const Tensor* constant = context.input_constant(i);
    if (!constant || constant->elements() != 1) return std::optional<std::int64_t>();
    if (constant->type() == DataType::f32) bounds[i] = static_cast<double>(*constant->data<float>());
    else if (constant->type() == DataType::f64) bounds[i] = *constant->data<double>();
    else return std::optional<std::int64_t>();
  }
  if (bounds[2] == 0) return invalid_argument("delta is 0");
  const double count = std::ceil((bounds[1] - bounds[0]) / bounds[2]);
  if (!(std::abs(count) < 0x1p62)) return invalid_argument("the range from ", bounds[0], " to ", bounds[1], " has no finite length");
  return std::optional(static_cast<std::int64_t>(std::max(count, 0.0)));
}

Status infer_range(InferContext& context) {
  context.set_output_type(0, context.input_type(0));
  const auto start = known_dims(context, 0), limit = known_dims(context, 1), delta = known_dims(context, 2);
  const bool known = start && limit && delta && start->size() == 1 && limit->size() == 1 && delta->size() == 1;
  if (!known) {
    FOVEA_ASSIGN(const auto count, float_count(context));
    context.set_output_shape(0, {count ? Dim(*count) : context.fresh_symbol("range")});
    return {};
  }
  const Dim &first = (*start)[0], &last = (*limit)[0], &step = (*delta)[0];
  if (step == Dim(0)) return invalid_argument("delta is 0");
  const auto huge = [](const Dim& dim) { return dim.is_constant() && (dim.constant() >> 40 > 0 || dim.constant() >> 40 < -1); };
  if (!step.is_constant() || huge(first) || huge(last) || huge(step)) {
    context.set_output_shape(0, {context.fresh_symbol("range")});
    return {};
  }
  // max(0, ceil((last - first) / step)); a symbol by itself is an extent and not negative.
  const Dim span = last - first;
  Dim count = step.constant() > 0 ? ceil_div(span, step) : ceil_div(Dim(-1) * span, Dim(-1) * step);
  if (count.is_constant()) count = Dim(std::max<std::int64_t>(count.constant(), 0));
  else if (!(step == Dim(1) && first == Dim(0))) count = max(count, Dim(0));
  if (count.is_constant() && count.constant() <= 64) {
    std::vector<Dim> values;
    for (std::int64_t i = 0; i < count.constant(); ++i) values.push_back(first + Dim(i) * step);
    context.set_output_value(0, std::move(values));
  }
  context.set_output_shape(0, {count});
  return {};
}

}  // namespace

OperatorSchema range_schema() {
  return {.name = "Range",
          .min_inputs = 3,
          .max_inputs = 3,
          .types = kFloatTypes | types(DataType::i16, DataType::i32, DataType::i64),
          .infer = infer_range,
          .summary = "start, start + delta, ... up to but not including limit"};
}

}  // namespace fovea::ops
