// SPDX-License-Identifier: Apache-2.0
// BlackmanWindow, HammingWindow, HannWindow, MelWeightMatrix: schemas and shape rules.
#include "base/onnx_data_type.h"
#include "ops/known_values.h"

namespace fovea::ops {

namespace {

Result<DataType> output_type(const InferContext& context) {
  const std::int64_t number = context.attributes().get_int("output_datatype", 1);
  const DataType type = data_type_from_onnx(number);
  if ((kNumericTypes & type_bit(type)) != 0) return type;
  return invalid_model("output_datatype: ", number, " is not the number of a float or integer type");
}

Status infer_window(InferContext& context) {
  FOVEA_ASSIGN(const DataType type, output_type(context));
  context.set_output_element(0, type);
  if (const auto size = known_dims(context, 0); size && size->size() == 1) context.set_output_shape(0, {size->front()});
  else context.set_output_shape(0, {context.fresh_symbol("window")});
  return {};
}

Status infer_mel(InferContext& context) {
  FOVEA_ASSIGN(const DataType type, output_type(context));
  const auto bins = known_dims(context, 0), length = known_dims(context, 1);
  const Dim rows = length && length->size() == 1 ? floor_div(length->front(), Dim(2)) + Dim(1) : context.fresh_symbol("spectrum");
  const Dim columns = bins && bins->size() == 1 ? bins->front() : context.fresh_symbol("mel_bins");
  context.set_output(0, type, {rows, columns});
  return {};
}

constexpr TypeSet kSizes = types(DataType::i32, DataType::i64);

OperatorSchema window(std::string_view name, std::string_view summary) {
  return {.name = name, .since = 17, .types = kSizes,
          .attributes = {{.name = "output_datatype", .type = AttributeType::Int, .default_text = "1"},
                         {.name = "periodic", .type = AttributeType::Int, .default_text = "1"}},
          .infer = infer_window, .summary = summary};
}

}  // namespace

OperatorSchema blackman_window_schema() { return window("BlackmanWindow", "Blackman window of a given size"); }
OperatorSchema hamming_window_schema() { return window("HammingWindow", "Hamming window of a given size"); }
OperatorSchema hann_window_schema() { return window("HannWindow", "Hann window of a given size"); }

OperatorSchema mel_weight_matrix_schema() {
  return {.name = "MelWeightMatrix", .since = 17, .min_inputs = 5, .max_inputs = 5, .types = kSizes,
          .attributes = {{.name = "output_datatype", .type = AttributeType::Int, .default_text = "1"}},
          .infer = infer_mel, .summary = "matrix that turns a spectrum into mel bands"};
}

}  // namespace fovea::ops
