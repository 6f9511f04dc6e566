// SPDX-License-Identifier: Apache-2.0
// DFT and STFT: schemas and shape rules.
#include "ops/signal/dft.h"

#include "ops/known_values.h"

namespace fovea::ops {

namespace {

std::optional<Dim> known_dim(const InferContext& context, int i) {
  const auto dims = known_dims(context, i);
  if (!dims || dims->size() != 1) return std::nullopt;
  return dims->front();
}

Status infer_dft(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* x = context.input_shape(0);
  if (!x) return {};
  const DftParams params = DftParams::parse(context.attributes());
  const int rank = static_cast<int>(x->size());
  std::int64_t raw_axis = -2;
  if (context.has_input(2)) {
    const auto values = known_ints(context, 2);
    if (!values || values->size() != 1) {
      SymbolicShape y = unknown_shape(context, rank - 1, "dft");
      y.push_back(Dim(params.numbers_out()));
      context.set_output_shape(0, std::move(y));
      return {};
    }
    raw_axis = values->front();
  }
  FOVEA_ASSIGN(const int axis, dft_axis(raw_axis, rank));
  SymbolicShape y = *x;
  Dim& bins = y[static_cast<std::size_t>(axis)];
  if (context.has_input(1)) {
    const auto length = known_dim(context, 1);
    bins = length ? *length : context.fresh_symbol("dft_length");
  } else if (params.inverse && params.onesided) {
    bins = (bins - Dim(1)) * Dim(2);
  }
  if (params.onesided && !params.inverse) bins = floor_div(bins, Dim(2)) + Dim(1);
  y.back() = Dim(params.numbers_out());
  context.set_output_shape(0, std::move(y));
  return {};
}

Status infer_stft(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* signal = context.input_shape(0);
  if (!signal) return {};
  if (signal->size() != 3) return invalid_model("signal: expected [batch, length, 1 or 2], found ", to_string(*signal));
  std::optional<Dim> frame;
  if (context.has_input(3)) frame = known_dim(context, 3);
  else if (!context.has_input(2)) frame = (*signal)[1];
  else if (const SymbolicShape* window = context.input_shape(2); window && window->size() == 1) frame = (*window)[0];
  const auto step = known_dim(context, 1);
  if (step && step->is_constant() && step->constant() < 1) return invalid_model("frame_step: expected 1 or more, found ", step->constant());
  const Dim frames = frame && step ? floor_div((*signal)[1] - *frame, *step) + Dim(1) : context.fresh_symbol("stft_frames");
  Dim bins = frame ? *frame : context.fresh_symbol("stft_bins");
  if (context.attributes().get_int("onesided", 1) != 0) bins = floor_div(bins, Dim(2)) + Dim(1);
  context.set_output_shape(0, {(*signal)[0], frames, bins, Dim(2)});
  return {};
}

}  // namespace

OperatorSchema dft_schema() {
  return {.name = "DFT", .since = 17, .max_inputs = 3, .types = kFloatTypes,
          .attributes = {{.name = "inverse", .type = AttributeType::Int, .default_text = "0"},
                         {.name = "onesided", .type = AttributeType::Int, .default_text = "0"}},
          .infer = infer_dft, .summary = "discrete Fourier transform along one axis"};
}

OperatorSchema stft_schema() {
  return {.name = "STFT", .since = 17, .min_inputs = 2, .max_inputs = 4, .types = kFloatTypes,
          .attributes = {{.name = "onesided", .type = AttributeType::Int, .default_text = "1"}},
          .infer = infer_stft, .summary = "Fourier transforms of windows sliding over a signal"};
}

}  // namespace fovea::ops
