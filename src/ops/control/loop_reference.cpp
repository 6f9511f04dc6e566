// SPDX-License-Identifier: Apache-2.0
// Loop:
//   for (i = 0; i < trip_count && condition; ++i) condition, carried.., scanned.. = body(i, condition, carried.., captures..)
// A missing trip count is no limit, a missing condition starts as true. There is no hidden limit to the iterations,
// but what they stack up is limited.
#include <limits>

#include "ops/axis.h"
#include "ops/control/stacked_outputs.h"

namespace fovea::ops {

namespace {

Result<bool> bool_value(const Datum& datum, const char* what) {
  if (datum.kind != Datum::Kind::Tensor || datum.tensor.type() != DataType::boolean || datum.tensor.elements() != 1) {
    return invalid_argument(what, ": expected one bool");
  }
  return *datum.tensor.data<std::uint8_t>() != 0;
}

}  // namespace

Status loop_reference(KernelContext& context) {
  const std::int64_t captures = context.attributes().get_int("captures");
  const int declared = context.num_inputs() - static_cast<int>(captures);
  if (captures < 0 || declared < 2) return invalid_argument("captures is ", captures, " of ", context.num_inputs(), " inputs");
  if (!context.bodies()) return internal_error("Loop: no body to run");
  const auto carried_count = static_cast<std::size_t>(declared - 2);

  std::int64_t trips = std::numeric_limits<std::int64_t>::max();
  if (context.has_input(0)) {
    FOVEA_ASSIGN(trips, int_value(context.input(0), "trip count"));
  }
  bool condition = true;
  if (context.has_input(1)) {
    FOVEA_ASSIGN(condition, bool_value(context.datum(1), "condition"));
  }
  std::vector<Datum> carried;
  for (int i = 2; i < declared; ++i) carried.push_back(context.datum(i));
  const int body_outputs = context.bodies()->num_outputs(0);
  if (body_outputs < static_cast<int>(carried_count) + 1 || context.num_outputs() > body_outputs - 1) {
    return invalid_argument("the body has ", body_outputs, " outputs for ", carried_count, " carried values and ", context.num_outputs(), " outputs");
  }
  std::vector<StackedOutput> scanned(static_cast<std::size_t>(body_outputs) - 1 - carried_count);

  for (std::int64_t i = 0; i < trips && condition; ++i) {
    FOVEA_ASSIGN(Tensor iteration, Tensor::allocate(DataType::i64, {}));
    *iteration.data<std::int64_t>() = i;
    FOVEA_ASSIGN(Tensor going_on, Tensor::allocate(DataType::boolean, {}));
    *going_on.data<std::uint8_t>() = 1;
    std::vector<Datum> inputs = {iteration, going_on};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    for (int c = declared; c < context.num_inputs(); ++c) inputs.push_back(context.datum(c));
    auto results = context.bodies()->run(0, std::move(inputs));
    if (!results.ok()) return std::move(results).status().with_context(str_cat("iteration ", i));
    FOVEA_ASSIGN(condition, bool_value((*results)[0], "condition"));
    for (std::size_t c = 0; c < carried_count; ++c) carried[c] = std::move((*results)[c + 1]);
    for (std::size_t s = 0; s < scanned.size(); ++s) FOVEA_RETURN_IF_ERROR(scanned[s].add((*results)[carried_count + 1 + s]));
  }

  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at < carried_count) context.set_output(i, carried[at]);
    else FOVEA_RETURN_IF_ERROR(scanned[at - carried_count].write(context, i, 0, false, i + 1));
  }
  return {};
}

}  // namespace fovea::ops
