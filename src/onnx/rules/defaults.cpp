// SPDX-License-Identifier: Apache-2.0
// Operators whose newest form only lost or changed a default.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status concat_axis(Upgrade& u) {
  if (!u.node.attributes.has("axis")) u.node.attributes.set("axis", std::int64_t{1});
  return {};
}

Status selu_constants(Upgrade& u) {
  if (!u.node.attributes.has("alpha")) u.node.attributes.set("alpha", 1.6732);
  if (!u.node.attributes.has("gamma")) u.node.attributes.set("gamma", 1.0507);
  return {};
}

// Before half-pixel centres were the default.
Status roi_align_corners(Upgrade& u) {
  u.node.attributes.set("coordinate_transformation_mode", std::string("output_half_pixel"));
  return {};
}

Status grid_sample_mode(Upgrade& u) {
  const auto mode = u.take_string("mode");
  if (mode) u.node.attributes.set("mode", *mode == "bilinear" ? "linear" : *mode == "bicubic" ? "cubic" : *mode);
  return {};
}

// p was a float.
Status lp_pool_p(Upgrade& u) {
  const auto p = u.take_float("p");
  if (!p) return {};
  if (*p < 1 || *p > 64 || *p != static_cast<double>(static_cast<std::int64_t>(*p))) return unsupported("p = ", *p, ": expected a whole number");
  u.node.attributes.set("p", static_cast<std::int64_t>(*p));
  return {};
}

// Said which outputs to make; their names in the output list say the same.
Status rnn_output_sequence(Upgrade& u) {
  u.take_int("output_sequence");
  return {};
}

Status scatter_name(Upgrade& u) {
  u.node.op = "ScatterElements";
  return {};
}

}  // namespace fovea::onnx::rules
