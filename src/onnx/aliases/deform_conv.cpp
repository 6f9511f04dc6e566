// SPDX-License-Identifier: Apache-2.0
// DeformConv under the names of mmcv, mmdeploy and torchvision. Offsets have the same layout everywhere (y before x,
// tap by tap, group by group); inputs stand in another order, and pads are given per axis instead of per side.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

using ops::AttributeSpec;
using ops::AttributeType;

using Numbers = std::vector<std::int64_t>;

/// One number for both axes, or two (height, width).
Result<Numbers> per_axis(Upgrade& u, std::string_view name, std::int64_t fallback) {
  Numbers values = u.take_ints(name).value_or(Numbers{fallback});
  if (values.size() == 1) values.push_back(values[0]);
  if (values.size() == 2) return values;
  return invalid_model(name, ": expected 1 or 2 numbers (height, width), found ", values.size());
}

/// The same, or four: each axis twice (height, height, width, width), as mmdeploy writes them, or side by side as in ONNX.
Result<Numbers> padding_per_axis(Upgrade& u) {
  const Numbers values = u.take_ints("padding").value_or(Numbers{0});
  if (values.size() == 1) return Numbers{values[0], values[0]};
  if (values.size() == 2) return values;
  if (values.size() == 4 && values[0] == values[1] && values[2] == values[3]) return Numbers{values[0], values[2]};
  if (values.size() == 4 && values[0] == values[2] && values[1] == values[3]) return Numbers{values[0], values[1]};
  std::string found;
  for (const std::int64_t value : values) found += str_cat(found.empty() ? "" : ", ", value);
  return invalid_model("padding: expected 1 or 2 numbers (height, width), or 4 as height, height, width, width; found ", found);
}

/// One number under any of its names; two names must agree.
Result<std::int64_t> take_group(Upgrade& u, std::initializer_list<std::string_view> names) {
  std::optional<std::int64_t> group;
  for (const std::string_view name : names) {
    const std::optional<std::int64_t> value = u.take_int(name);
    if (value && group && *value != *group) return invalid_model(name, ": expected ", *group, " as under another name of it, found ", *value);
    if (value) group = value;
  }
  return group.value_or(1);
}

void set_geometry(ir::Node& node, Numbers strides, const Numbers& pads, Numbers dilations,
                  std::int64_t group, std::int64_t offset_group) {
  node.attributes.set("strides", std::move(strides));
  node.attributes.set("pads", Numbers{pads[0], pads[1], pads[0], pads[1]});
  node.attributes.set("dilations", std::move(dilations));
  node.attributes.set("group", group);
  node.attributes.set("offset_group", offset_group);
}

Status take_mmcv_geometry(Upgrade& u) {
  FOVEA_ASSIGN(Numbers strides, per_axis(u, "stride", 1));
  FOVEA_ASSIGN(const Numbers pads, padding_per_axis(u));
  FOVEA_ASSIGN(Numbers dilations, per_axis(u, "dilation", 1));
  FOVEA_ASSIGN(const std::int64_t group, take_group(u, {"groups", "group"}));
  FOVEA_ASSIGN(const std::int64_t offset_group, take_group(u, {"deform_groups", "deformable_groups", "deform_group", "deformable_group"}));
  u.node.attributes = {};  // im2col_step and bias only say how to compute
  set_geometry(u.node, std::move(strides), pads, std::move(dilations), group, offset_group);
  return {};
}

std::vector<AttributeSpec> mmcv_attributes() {
  return {{.name = "stride", .type = AttributeType::Ints, .default_text = "1, 1"},
          {.name = "padding", .type = AttributeType::Ints, .default_text = "0, 0"},
          {.name = "dilation", .type = AttributeType::Ints, .default_text = "1, 1"},
          {.name = "groups", .default_text = "1"},
          {.name = "group", .default_text = "1"},
          {.name = "deform_groups", .default_text = "1"},
          {.name = "deformable_groups", .default_text = "1"},
          {.name = "deform_group", .default_text = "1"},
          {.name = "deformable_group", .default_text = "1"},
          {.name = "im2col_step", .default_text = "no effect on the result"},
          {.name = "bias", .default_text = "no effect on the result"}};
}

std::vector<Renaming> mmcv_names() {
  return {{"strides", {"stride"}},
          {"pads", {"padding"}},
          {"dilations", {"dilation"}},
          {"group", {"groups", "group"}},
          {"offset_group", {"deform_groups", "deformable_groups", "deform_group", "deformable_group"}}};
}

// x, offset, weight
Status translate_mmcv(Upgrade& u) {
  constexpr int kOrder[] = {0, 2, 1};
  reorder_inputs(u.node, kOrder);
  return take_mmcv_geometry(u);
}

// x, offset, mask, weight, bias
Status translate_mmcv_modulated(Upgrade& u) {
  constexpr int kOrder[] = {0, 3, 1, 4, 2};
  reorder_inputs(u.node, kOrder);
  return take_mmcv_geometry(u);
}

// input, weight, offset, mask, bias; the mask counts only with use_mask
Status translate_torchvision(Upgrade& u) {
  const bool use_mask = u.take_int("use_mask").value_or(1) != 0;
  const int order[] = {0, 1, 2, 4, use_mask ? 3 : -1};
  reorder_inputs(u.node, order);
  const auto pair = [&](const char* h, const char* w, std::int64_t fallback) {
    return Numbers{u.take_int(h).value_or(fallback), u.take_int(w).value_or(fallback)};
  };
  const auto strides = pair("stride_h", "stride_w", 1), pads = pair("pad_h", "pad_w", 0), dilations = pair("dilation_h", "dilation_w", 1);
  const std::int64_t group = u.take_int("groups").value_or(1), offset_group = u.take_int("offset_groups").value_or(1);
  set_geometry(u.node, strides, pads, dilations, group, offset_group);
  return {};
}

}  // namespace

Alias mmcv_deform_conv() {
  return {.form = {.name = "MMCVDeformConv2d", .min_inputs = 3, .max_inputs = 3, .types = ops::kFloatTypes, .attributes = mmcv_attributes()},
          .op = "DeformConv", .translate = translate_mmcv, .renamed = mmcv_names()};
}

Alias mmcv_modulated_deform_conv() {
  return {.form = {.name = "MMCVModulatedDeformConv2d", .min_inputs = 4, .max_inputs = 5, .types = ops::kFloatTypes, .attributes = mmcv_attributes()},
          .op = "DeformConv", .translate = translate_mmcv_modulated, .renamed = mmcv_names()};
}

Alias torchvision_deform_conv() {
  return {.form = {.name = "deform_conv2d", .min_inputs = 3, .max_inputs = 5, .types = ops::kFloatTypes,
                   .attributes = {{.name = "stride_h", .default_text = "1"}, {.name = "stride_w", .default_text = "1"},
                                  {.name = "pad_h", .default_text = "0"}, {.name = "pad_w", .default_text = "0"},
                                  {.name = "dilation_h", .default_text = "1"}, {.name = "dilation_w", .default_text = "1"},
                                  {.name = "groups", .default_text = "1"}, {.name = "offset_groups", .default_text = "1"},
                                  {.name = "use_mask", .default_text = "1"}}},
          .domains = {"torchvision"}, .op = "DeformConv", .translate = translate_torchvision,
          .renamed = {{"strides", {"stride_h", "stride_w"}}, {"pads", {"pad_h", "pad_w"}}, {"dilations", {"dilation_h", "dilation_w"}},
                      {"group", {"groups"}}, {"offset_group", {"offset_groups"}}}};
}

}  // namespace fovea::onnx::aliases
