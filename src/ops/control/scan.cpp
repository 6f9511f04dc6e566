// SPDX-License-Identifier: Apache-2.0
// Scan: schema and shape rule. Node inputs: states, scanned tensors, captures; body inputs: states, one slice of each
// scanned tensor, captures; body outputs: states, slices of the scan outputs.
#include "ops/control/body_facts.h"

namespace fovea::ops {

namespace {

Status infer_scan(InferContext& context) {
  if (context.num_bodies() != 1) return invalid_model("expected 1 body, found ", context.num_bodies());
  const int declared = declared_inputs(context);
  const std::int64_t scans = context.attributes().get_int("num_scan_inputs");
  if (scans < 1 || scans > declared) return invalid_argument("num_scan_inputs is ", scans, " of ", declared, " inputs");
  const int states = declared - static_cast<int>(scans);
  const std::vector<std::int64_t> axes = context.attributes().get_ints("scan_input_axes");
  if (!axes.empty() && static_cast<std::int64_t>(axes.size()) != scans) return invalid_argument("scan_input_axes has ", axes.size(), " entries for ", scans, " inputs");

  std::vector<BodyValue> inputs;
  for (int i = 0; i < states; ++i) inputs.push_back(shape_of_input(context, i));
  std::optional<Dim> length;
  for (int i = states; i < declared; ++i) {
    BodyValue slice = shape_of_input(context, i);
    if (slice.shape) {
      const std::int64_t given = axes.empty() ? 0 : axes[static_cast<std::size_t>(i - states)];
      FOVEA_ASSIGN(const int axis, normalize_axis(given, static_cast<int>(slice.shape->size())));
      const Dim extent = (*slice.shape)[static_cast<std::size_t>(axis)];
      if (length && length->is_constant() && extent.is_constant() && !(*length == extent)) {
        return invalid_argument("scanned axes have extents ", length->constant(), " and ", extent.constant());
      }
      if (!length || !length->is_constant()) length = extent;
      slice.shape->erase(slice.shape->begin() + axis);
    }
    inputs.push_back(std::move(slice));
  }
  append_captures(context, inputs);
  FOVEA_ASSIGN(const auto outputs, context.infer_body(0, inputs));

  const std::vector<std::int64_t> output_axes = context.attributes().get_ints("scan_output_axes");
  const std::vector<std::string> outer = outer_symbols(context);
  for (int i = 0; i < context.num_outputs(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (at >= outputs.size()) return invalid_model("the body has too few outputs");
    set_type_if_known(context, i, outputs[at].type);
    if (!outputs[at].shape) continue;
    // States keep their shape from step to step.
    SymbolicShape shape;
    for (const Dim& dim : *outputs[at].shape) shape.push_back(seen_from_outside(context, dim, outer, "scan"));
    if (i >= states) {
      const auto k = static_cast<std::size_t>(i - states);
      FOVEA_ASSIGN(const int axis, normalize_axis(k < output_axes.size() ? output_axes[k] : 0, static_cast<int>(shape.size()) + 1));
      shape.insert(shape.begin() + axis, length ? *length : context.fresh_symbol("scan"));
    }
    context.set_output_shape(i, std::move(shape));
  }
  return {};
}

}  // namespace

OperatorSchema scan_schema() {
  return {.name = "Scan",
          .since = 8,
          .min_inputs = 1,
          .max_inputs = kVariadic,
          .min_outputs = 1,
          .max_outputs = kVariadic,
          .attributes = {{"body", AttributeType::Graph, true},
                         {"num_scan_inputs", AttributeType::Int, true},
                         {"scan_input_axes", AttributeType::Ints, false, "all 0"},
                         {"scan_input_directions", AttributeType::Ints, false, "all 0 (forward)"},
                         {"scan_output_axes", AttributeType::Ints, false, "all 0"},
                         {"scan_output_directions", AttributeType::Ints, false, "all 0 (append)"},
                         {"captures", AttributeType::Int, false, "0"}},
          .infer = infer_scan,
          .traits = kHasBodies,
          .summary = "runs a body over the slices of tensors"};
}

}  // namespace fovea::ops
