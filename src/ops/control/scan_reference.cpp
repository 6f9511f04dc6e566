// SPDX-License-Identifier: Apache-2.0
// Scan:
//   for (t = 0; t < length; ++t) states.., slices_out[t].. = body(states.., slices_in[t].., captures..)
#include "base/strided_copy.h"
#include "ops/axis.h"
#include "ops/control/stacked_outputs.h"

namespace fovea::ops {

namespace {

struct Scanned {
  Tensor tensor;
  int axis = 0;
  bool backwards = false;
};

std::int64_t entry(const std::vector<std::int64_t>& list, std::size_t i) { return i < list.size() ? list[i] : 0; }

Result<Tensor> slice_of(const Scanned& scanned, std::int64_t step) {
  const Tensor& tensor = scanned.tensor;
  const Shape all = dense_strides(tensor.shape());
  Shape shape, strides;
  for (int i = 0; i < tensor.rank(); ++i) {
    if (i == scanned.axis) continue;
    shape.push_back(tensor.dim(i));
    strides.push_back(all[i]);
  }
  FOVEA_ASSIGN(Tensor slice, Tensor::allocate(tensor.type(), shape));
  if (slice.elements() == 0) return slice;
  const std::int64_t at = scanned.backwards ? tensor.dim(scanned.axis) - 1 - step : step;
  strided_copy(tensor.type(), shape.dims(), element_at(tensor.type(), tensor.raw(), at * all[scanned.axis]), strides.dims(), slice.raw(),
               dense_strides(shape).dims());
  return slice;
}

}  // namespace

Status scan_reference(KernelContext& context) {
  const Attributes& attributes = context.attributes();
  const std::int64_t captures = attributes.get_int("captures"), scans = attributes.get_int("num_scan_inputs");
  const std::int64_t declared = context.num_inputs() - captures;
  if (captures < 0 || scans < 1 || scans > declared) return invalid_argument("num_scan_inputs is ", scans, " of ", declared, " inputs");
  if (!context.bodies()) return internal_error("Scan: no body to run");
  const auto state_count = static_cast<std::size_t>(declared - scans);
  std::vector<Datum> states;
  for (std::size_t i = 0; i < state_count; ++i) states.push_back(context.datum(static_cast<int>(i)));

  const auto input_axes = attributes.get_ints("scan_input_axes"), input_directions = attributes.get_ints("scan_input_directions");
  std::vector<Scanned> scanned;
  for (std::size_t i = 0; i < static_cast<std::size_t>(scans); ++i) {
    const Tensor& tensor = context.input(static_cast<int>(state_count + i));
    FOVEA_ASSIGN(const int axis, normalize_axis(entry(input_axes, i), tensor.rank()));
    scanned.push_back({tensor, axis, entry(input_directions, i) != 0});
    if (tensor.dim(axis) != scanned[0].tensor.dim(scanned[0].axis)) {
      return invalid_argument("scanned axes have extents ", scanned[0].tensor.dim(scanned[0].axis), " and ", tensor.dim(axis));
    }
  }
  const int body_outputs = context.bodies()->num_outputs(0);
  if (body_outputs < static_cast<int>(state_count) || context.num_outputs() > body_outputs) {
    return invalid_argument("the body has ", body_outputs, " outputs for ", state_count, " states and ", context.num_outputs(), " outputs");
  }
  std::vector<StackedOutput> stacked(static_cast<std::size_t>(body_outputs) - state_count);

  const std::int64_t length = scanned[0].tensor.dim(scanned[0].axis);
  for (std::int64_t t = 0; t < length; ++t) {
    std::vector<Datum> inputs = states;
    for (const Scanned& source : scanned) {
      FOVEA_ASSIGN(Tensor slice, slice_of(source, t));
      inputs.emplace_back(std::move(slice));
    }
    for (std::int64_t c = declared; c < context.num_inputs(); ++c) inputs.push_back(context.datum(static_cast<int>(c)));
    auto results = context.bodies()->run(0, std::move(inputs));
    if (!results.ok()) return std::move(results).status().with_context(str_cat("step ", t));
    for (std::size_t s = 0; s < state_count; ++s) states[s] = std::move((*results)[s]);
    for (std::size_t k = 0; k < stacked.size(); ++k) FOVEA_RETURN_IF_ERROR(stacked[k].add((*results)[state_count + k]));
  }

  const auto output_axes = attributes.get_ints("scan_output_axes"), output_directions = attributes.get_ints("scan_output_directions");
  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at < state_count) {
      context.set_output(i, states[at]);
      continue;
    }
    const std::size_t k = at - state_count;
    FOVEA_RETURN_IF_ERROR(stacked[k].write(context, i, entry(output_axes, k), entry(output_directions, k) != 0, i));
  }
  return {};
}

}  // namespace fovea::ops
