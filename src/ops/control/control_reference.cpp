// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan over the bodies that the executor runs. A Loop may run as long as its model says: there is no
// hidden limit, but each iteration's scan outputs are allocated with checked sizes.
#include <limits>

#include "ops/control/stack.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

Result<bool> condition(std::string_view op, const Datum& datum) {
  if (datum.kind != Datum::Kind::Tensor || datum.tensor.type() != DataType::boolean || datum.tensor.elements() != 1) {
    return invalid_argument(op, ": the condition must be one bool");
  }
  return datum.tensor.data<std::uint8_t>()[0] != 0;
}

Result<Datum> scalar(DataType type, std::int64_t value) {
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, {}));
  if (type == DataType::boolean) tensor.data<std::uint8_t>()[0] = value != 0;
  else tensor.data<std::int64_t>()[0] = value;
  return Datum(std::move(tensor));
}

/// Attribute lists of Scan may be shorter than their subjects: the rest is 0.
std::int64_t entry(const std::vector<std::int64_t>& list, std::size_t i) { return i < list.size() ? list[i] : 0; }

DataType stacked_type(const std::vector<Datum>& items) { return items.empty() ? DataType::f32 : items[0].tensor.type(); }

}  // namespace

Status if_else_reference(KernelContext& context) {
  if (!context.bodies()) return internal_error("If: no bodies");
  FOVEA_ASSIGN(const bool taken, condition("If", context.datum(0)));
  std::vector<Datum> captures;
  for (int i = 1; i < context.num_inputs(); ++i) captures.push_back(context.datum(i));
  FOVEA_ASSIGN(const std::vector<Datum> results, context.bodies()->run(taken ? 0 : 1, std::move(captures)));
  for (int i = 0; i < context.num_outputs() && static_cast<std::size_t>(i) < results.size(); ++i) context.set_output(i, results[static_cast<std::size_t>(i)]);
  return {};
}

Status loop_reference(KernelContext& context) {
  if (!context.bodies()) return internal_error("Loop: no bodies");
  const auto captures = static_cast<int>(context.attributes().get_int("captures", 0));
  const int carried = context.num_inputs() - 2 - captures;
  const int scanned = context.bodies()->num_outputs(0) - 1 - carried;
  if (captures < 0 || carried < 0 || scanned < 0 || context.num_outputs() > carried + scanned) {
    return invalid_argument("Loop: the body's ", context.bodies()->num_outputs(0), " outputs do not fit ", carried, " carried values");
  }
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();
  if (context.has_input(0)) {
    if (context.input(0).type() != DataType::i64 || context.input(0).elements() != 1) return invalid_argument("Loop: the trip count must be one i64");
    limit = context.input(0).data<std::int64_t>()[0];
  }
  bool go = true;
  if (context.has_input(1)) {
    FOVEA_ASSIGN(go, condition("Loop", context.datum(1)));
  }
  std::vector<Datum> state;
  for (int i = 0; i < carried; ++i) state.push_back(context.datum(2 + i));
  std::vector<std::vector<Datum>> scans(static_cast<std::size_t>(scanned));
  for (std::int64_t iteration = 0; iteration < limit && go; ++iteration) {
    std::vector<Datum> inputs;
    FOVEA_ASSIGN(Datum counter, scalar(DataType::i64, iteration));
    FOVEA_ASSIGN(Datum flag, scalar(DataType::boolean, 1));
    inputs.push_back(std::move(counter));
    inputs.push_back(std::move(flag));
    inputs.insert(inputs.end(), state.begin(), state.end());
    for (int i = 0; i < captures; ++i) inputs.push_back(context.datum(2 + carried + i));
    FOVEA_ASSIGN(std::vector<Datum> results, context.bodies()->run(0, std::move(inputs)));
    FOVEA_ASSIGN(go, condition("Loop", results[0]));
    for (int i = 0; i < carried; ++i) state[static_cast<std::size_t>(i)] = results[static_cast<std::size_t>(1 + i)];
    for (int i = 0; i < scanned; ++i) scans[static_cast<std::size_t>(i)].push_back(results[static_cast<std::size_t>(1 + carried + i)]);
  }
  for (int i = 0; i < context.num_outputs(); ++i) {
    if (i < carried) {
      context.set_output(i, state[static_cast<std::size_t>(i)]);
      continue;
    }
    const auto& items = scans[static_cast<std::size_t>(i - carried)];
    FOVEA_ASSIGN(Datum stacked, stack("Loop", items, stacked_type(items), 0, false));
    context.set_output(i, std::move(stacked));
  }
  return {};
}

Status scan_reference(KernelContext& context) {
  if (!context.bodies()) return internal_error("Scan: no bodies");
  const auto captures = static_cast<int>(context.attributes().get_int("captures", 0));
  const auto scanned = static_cast<int>(context.attributes().get_int("num_scan_inputs"));
  const int states = context.num_inputs() - captures - scanned;
  const int outputs = context.bodies()->num_outputs(0);
  if (scanned < 1 || captures < 0 || states < 0 || outputs < states || context.num_outputs() > outputs) {
    return invalid_argument("Scan: num_scan_inputs is ", scanned, " for ", context.num_inputs() - captures, " inputs and ", outputs, " body outputs");
  }
  const std::vector<std::int64_t> in_axes = context.attributes().get_ints("scan_input_axes"), in_back = context.attributes().get_ints("scan_input_directions");
  const std::vector<std::int64_t> out_axes = context.attributes().get_ints("scan_output_axes"), out_back = context.attributes().get_ints("scan_output_directions");
  std::vector<int> axes;
  std::int64_t length = -1;
  for (int i = 0; i < scanned; ++i) {
    const Tensor& x = context.input(states + i);
    FOVEA_ASSIGN(const int axis, scan_axis("Scan", entry(in_axes, static_cast<std::size_t>(i)), x.rank()));
    if (length >= 0 && x.dim(axis) != length) return invalid_argument("Scan: input ", states + i, " has ", x.dim(axis), " slices, others ", length);
    length = x.dim(axis);
    axes.push_back(axis);
  }
  std::vector<Datum> state;
  for (int i = 0; i < states; ++i) state.push_back(context.datum(i));
  std::vector<std::vector<Datum>> scans(static_cast<std::size_t>(outputs - states));
  for (std::int64_t iteration = 0; iteration < length; ++iteration) {
    std::vector<Datum> inputs = state;
    for (int i = 0; i < scanned; ++i) {
      const bool back = entry(in_back, static_cast<std::size_t>(i)) != 0;
      FOVEA_ASSIGN(Tensor slice, take_slice(context.input(states + i), axes[static_cast<std::size_t>(i)], back ? length - 1 - iteration : iteration));
      inputs.emplace_back(std::move(slice));
    }
    for (int i = 0; i < captures; ++i) inputs.push_back(context.datum(states + scanned + i));
    FOVEA_ASSIGN(std::vector<Datum> results, context.bodies()->run(0, std::move(inputs)));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (i < state.size()) state[i] = results[i];
      else scans[i - state.size()].push_back(results[i]);
    }
  }
  for (int i = 0; i < context.num_outputs(); ++i) {
    if (i < states) {
      context.set_output(i, state[static_cast<std::size_t>(i)]);
      continue;
    }
    const auto k = static_cast<std::size_t>(i - states);
    FOVEA_ASSIGN(Datum stacked, stack("Scan", scans[k], stacked_type(scans[k]), entry(out_axes, k), entry(out_back, k) != 0));
    context.set_output(i, std::move(stacked));
  }
  return {};
}

}  // namespace fovea::ops
