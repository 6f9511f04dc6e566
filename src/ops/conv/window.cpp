// SPDX-License-Identifier: Apache-2.0
// Window arithmetic. Attributes are bounded by 2^31-1 and extents by 2^48, so spans (below 2^62) and their
// sums with extents cannot overflow; products with extents are checked.
#include "ops/conv/window.h"

#include <algorithm>

#include "base/checked_math.h"

namespace fovea::ops {

namespace {

constexpr std::int64_t kMaxAttribute = INT32_MAX;
constexpr std::int64_t kMaxExtent = std::int64_t{1} << 48;

Result<AutoPad> parse_auto_pad(const Attributes& attributes) {
  const std::string text = attributes.get_string("auto_pad", "NOTSET");
  if (text == "NOTSET" || text.empty()) return AutoPad::NotSet;
  if (text == "VALID") return AutoPad::Valid;
  if (text == "SAME_UPPER") return AutoPad::SameUpper;
  if (text == "SAME_LOWER") return AutoPad::SameLower;
  return invalid_model("auto_pad: expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, found '", text, "'");
}

Status check_extent(int axis, std::int64_t input) {
  if (input >= 0 && input <= kMaxExtent) return {};
  return invalid_argument("spatial axis ", axis, ": extent ", input, " is outside 0..2^48");
}

/// Splits `total` into begin and end; SAME_UPPER puts the odd one at the end.
void split_pads(std::int64_t total, bool odd_at_end, WindowAxis& axis) {
  axis.pad_begin = odd_at_end ? total / 2 : total - total / 2;
  axis.pad_end = total - axis.pad_begin;
}

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a > 0 ? (a - 1) / b + 1 : -(-a / b); }

WindowAxis take(const WindowParams& window, int axis, std::int64_t input) {
  const auto a = static_cast<std::size_t>(axis);
  FOVEA_CHECK(a < window.kernel.size());
  return {.input = input, .kernel = window.kernel[a], .stride = window.strides[a], .dilation = window.dilations[a],
          .pad_begin = window.pads_begin[a], .pad_end = window.pads_end[a]};
}

bool is_same(AutoPad auto_pad) { return auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower; }

}  // namespace

Result<std::vector<std::int64_t>> parse_ints(const Attributes& attributes, std::string_view name, int count,
                                             std::int64_t low, std::int64_t fallback) {
  const auto wanted = static_cast<std::size_t>(count);
  std::vector<std::int64_t> values = attributes.get_ints(name);
  if (values.empty()) values.assign(wanted, fallback);
  if (values.size() != wanted) return invalid_model(name, ": expected ", count, " numbers, found ", values.size());
  for (std::int64_t value : values) {
    if (value < low || value > kMaxAttribute) {
      return invalid_model(name, ": expected numbers in ", low, "..", kMaxAttribute, ", found ", value);
    }
  }
  return values;
}

Result<WindowParams> WindowParams::parse(const Attributes& attributes, int rank) {
  if (rank < 3) return invalid_model("input 0: expected rank 3 or more (batch, channels, spatial axes), found ", rank);
  const int spatial = rank - 2;
  WindowParams window;
  FOVEA_ASSIGN(window.auto_pad, parse_auto_pad(attributes));
  window.ceil_mode = attributes.get_int("ceil_mode", 0) != 0;
  if (!attributes.get_ints("kernel_shape").empty()) {
    FOVEA_ASSIGN(window.kernel, parse_ints(attributes, "kernel_shape", spatial, 1, 1));
  }
  FOVEA_ASSIGN(window.strides, parse_ints(attributes, "strides", spatial, 1, 1));
  FOVEA_ASSIGN(window.dilations, parse_ints(attributes, "dilations", spatial, 1, 1));
  FOVEA_ASSIGN(std::vector<std::int64_t> pads, parse_ints(attributes, "pads", 2 * spatial, 0, 0));
  if (window.auto_pad != AutoPad::NotSet) std::fill(pads.begin(), pads.end(), 0);
  window.pads_begin.assign(pads.begin(), pads.begin() + spatial);
  window.pads_end.assign(pads.begin() + spatial, pads.end());
  return window;
}

Status WindowParams::set_kernel(std::span<const std::int64_t> extents) {
  if (static_cast<int>(extents.size()) != spatial_rank()) {
    return invalid_model("weights: expected ", spatial_rank(), " spatial axes, found ", extents.size());
  }
  for (std::size_t i = 0; i < extents.size(); ++i) {
    if (extents[i] < 1 || extents[i] > kMaxAttribute) {
      return invalid_model("weights: spatial extent ", extents[i], " is outside 1..", kMaxAttribute);
    }
    if (!kernel.empty() && kernel[i] != extents[i]) {
      return invalid_model("kernel_shape: axis ", i, " is ", kernel[i], " but the weights have ", extents[i]);
    }
  }
  kernel.assign(extents.begin(), extents.end());
  return {};
}

Result<WindowAxis> resolve_axis(const WindowParams& window, int axis, std::int64_t input) {
  FOVEA_RETURN_IF_ERROR(check_extent(axis, input));
  WindowAxis result = take(window, axis, input);
  if (is_same(window.auto_pad)) {
    result.output = ceil_div(input, result.stride);
    const std::int64_t reach = (result.output - 1) * result.stride + result.span();
    split_pads(std::max<std::int64_t>(reach - input, 0), window.auto_pad == AutoPad::SameUpper, result);
  } else {
    const std::int64_t room = input + result.pad_begin + result.pad_end - result.span();
    const bool round_up = window.ceil_mode && window.auto_pad == AutoPad::NotSet;
    result.output = room < 0 && !round_up ? 0 : (round_up ? ceil_div(room, result.stride) : room / result.stride) + 1;
    // A last window that would start in the padding behind the input is dropped.
    if (round_up && (result.output - 1) * result.stride >= input + result.pad_begin) --result.output;
  }
  if (result.output > 0) return result;
  return invalid_argument("spatial axis ", axis, ": kernel ", result.kernel, " with dilation ", result.dilation, " does not fit into ",
                          input, " elements with pads ", result.pad_begin, " and ", result.pad_end);
}

Result<std::vector<WindowAxis>> resolve_axes(const WindowParams& window, std::span<const std::int64_t> spatial) {
  FOVEA_CHECK(static_cast<int>(spatial.size()) == window.spatial_rank());
  std::vector<WindowAxis> axes;
  for (int i = 0; i < window.spatial_rank(); ++i) {
    FOVEA_ASSIGN(WindowAxis axis, resolve_axis(window, i, spatial[static_cast<std::size_t>(i)]));
    axes.push_back(axis);
  }
  return axes;
}

Result<Dim> output_extent(const WindowParams& window, int axis, const Dim& input) {
  if (input.is_constant()) {
    FOVEA_ASSIGN(const WindowAxis resolved, resolve_axis(window, axis, input.constant()));
    return Dim(resolved.output);
  }
  const WindowAxis w = take(window, axis, 0);
  const Dim stride(w.stride);
  if (is_same(window.auto_pad)) return ceil_div(input, stride);
  const Dim room = input + Dim(w.pad_begin + w.pad_end - w.span());
  if (!window.ceil_mode || window.auto_pad != AutoPad::NotSet) return floor_div(room, stride) + Dim(1);
  const Dim all = ceil_div(room, stride) + Dim(1);
  if (w.pad_end + w.stride <= w.span()) return all;  // no window can start behind the input
  const Dim starting_inside = ceil_div(input + Dim(w.pad_begin), stride);
  if (w.pad_end <= w.span()) return min(all, starting_inside);  // at most one can
  return max(min(all, starting_inside), all - Dim(1));
}

Result<WindowAxis> resolve_transposed_axis(const WindowParams& window, const TransposedParams& transposed, int axis,
                                           std::int64_t input) {
  FOVEA_RETURN_IF_ERROR(check_extent(axis, input));
  const auto a = static_cast<std::size_t>(axis);
  WindowAxis result = take(window, axis, input);
  std::int64_t full = 0;  // extent before cropping
  if (!checked_mul(result.stride, input - 1, full) || !checked_add(full, result.span() + transposed.output_padding[a], full)) {
    return invalid_argument("spatial axis ", axis, ": output extent overflows 63 bits");
  }
  if (!transposed.output_shape.empty() || is_same(window.auto_pad)) {
    if (transposed.output_shape.empty()) {
      if (!checked_mul(input, result.stride, result.output)) return invalid_argument("spatial axis ", axis, ": output extent overflows 63 bits");
    } else {
      result.output = transposed.output_shape[a];
    }
    split_pads(std::max<std::int64_t>(full - result.output, 0), window.auto_pad == AutoPad::SameUpper, result);
  } else {
    result.output = full - result.pad_begin - result.pad_end;
  }
  if (result.output > 0) return result;
  return invalid_argument("spatial axis ", axis, ": pads ", result.pad_begin, " and ", result.pad_end, " leave nothing of ", full,
                          " output elements");
}

Result<Dim> transposed_output_extent(const WindowParams& window, const TransposedParams& transposed, int axis,
                                     const Dim& input) {
  const auto a = static_cast<std::size_t>(axis);
  if (input.is_constant()) {
    FOVEA_ASSIGN(const WindowAxis resolved, resolve_transposed_axis(window, transposed, axis, input.constant()));
    return Dim(resolved.output);
  }
  if (!transposed.output_shape.empty()) return Dim(transposed.output_shape[a]);
  const WindowAxis w = take(window, axis, 0);
  if (is_same(window.auto_pad)) return input * Dim(w.stride);
  return (input - Dim(1)) * Dim(w.stride) + Dim(w.span() + transposed.output_padding[a] - w.pad_begin - w.pad_end);
}

TapRange tap_range(const WindowAxis& axis, std::int64_t tap) {
  const std::int64_t offset = tap * axis.dilation - axis.pad_begin;
  const std::int64_t begin = std::max<std::int64_t>(ceil_div(-offset, axis.stride), 0);
  const std::int64_t end = std::min(ceil_div(axis.input - offset, axis.stride), axis.output);
  return {begin, std::max(begin, end), offset};
}

std::vector<WindowAxis> as_three_axes(std::vector<WindowAxis> axes) {
  FOVEA_CHECK(axes.size() <= 3);
  axes.insert(axes.begin(), 3 - axes.size(), WindowAxis{});
  return axes;
}

}  // namespace fovea::ops
