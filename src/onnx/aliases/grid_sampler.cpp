// SPDX-License-Identifier: Apache-2.0
// GridSample as mmcv and mmdeploy write it, with numbers for modes. Ties of nearest go to the even element, as ONNX and
// PyTorch have it; the plugins of mmcv round them away from zero.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

/// The spelling for a number, replacing attribute `from` by `to`.
Status spell(Upgrade& u, std::string_view from, std::string_view to, std::span<const std::string_view> spellings) {
  const std::int64_t number = u.take_int(from).value_or(0);
  if (number >= 0 && number < static_cast<std::int64_t>(spellings.size())) {
    u.node.attributes.set(std::string(to), std::string(spellings[static_cast<std::size_t>(number)]));
    return {};
  }
  std::string allowed;
  for (std::size_t i = 0; i < spellings.size(); ++i) allowed += str_cat(i == 0 ? "" : ", ", i, " (", spellings[i], ")");
  return invalid_model(from, ": expected ", allowed, "; found ", number);
}

Status translate(Upgrade& u) {
  constexpr std::string_view kModes[] = {"linear", "nearest", "cubic"}, kPaddings[] = {"zeros", "border", "reflection"};
  FOVEA_RETURN_IF_ERROR(spell(u, "interpolation_mode", "mode", kModes));
  return spell(u, "padding_mode", "padding_mode", kPaddings);
}

}  // namespace

Alias mmcv_grid_sampler() {
  return {.form = {.name = "grid_sampler", .min_inputs = 2, .max_inputs = 2,
                   .attributes = {{.name = "interpolation_mode", .default_text = "0"}, {.name = "padding_mode", .default_text = "0"},
                                  {.name = "align_corners", .default_text = "0"}}},
          .op = "GridSample", .translate = translate};
}

}  // namespace fovea::onnx::aliases
