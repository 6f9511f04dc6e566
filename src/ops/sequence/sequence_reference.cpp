// SPDX-License-Identifier: Apache-2.0
// The operators on sequences. Sequences are never changed: each operator makes a new list that shares the tensors.
#include "base/onnx_data_type.h"
#include "ops/sequence/sequence_items.h"

namespace fovea::ops {

Status sequence_at_reference(KernelContext& context) {
  FOVEA_ASSIGN(const auto* items, sequence_items(context, 0));
  FOVEA_ASSIGN(const std::int64_t position, int_value(context.input(1), "position"));
  FOVEA_ASSIGN(const std::int64_t at, normalize_index(position, static_cast<std::int64_t>(items->size())));
  context.set_output(0, (*items)[static_cast<std::size_t>(at)]);
  return {};
}

Status sequence_construct_reference(KernelContext& context) {
  std::vector<Datum> items;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (context.input(i).type() != context.input(0).type()) {
      return invalid_argument("input ", i, " has type ", name(context.input(i).type()), ", input 0 ", name(context.input(0).type()));
    }
    items.push_back(context.datum(i));
  }
  return set_sequence(context, 0, std::move(items), context.input(0).type());
}

Status sequence_empty_reference(KernelContext& context) {
  const std::int64_t number = context.attributes().get_int("dtype", 1);
  if (data_type_from_onnx(number) == DataType::undefined) return invalid_argument("dtype ", number, " is not an element type");
  return set_sequence(context, 0, {}, data_type_from_onnx(number));
}

Status sequence_erase_reference(KernelContext& context) {
  FOVEA_ASSIGN(const auto* items, sequence_items(context, 0));
  std::int64_t position = -1;
  if (context.has_input(1)) {
    FOVEA_ASSIGN(position, int_value(context.input(1), "position"));
  }
  FOVEA_ASSIGN(const std::int64_t at, normalize_index(position, static_cast<std::int64_t>(items->size())));
  std::vector<Datum> left = *items;
  left.erase(left.begin() + at);
  return set_sequence(context, 0, std::move(left), context.datum(0).element_type);
}

Status sequence_insert_reference(KernelContext& context) {
  FOVEA_ASSIGN(const auto* items, sequence_items(context, 0));
  const auto length = static_cast<std::int64_t>(items->size());
  const DataType type = context.input(1).type(), element = context.datum(0).element_type;
  if (element != DataType::undefined && element != type) {
    return invalid_argument("a tensor of type ", name(type), " does not fit a sequence of ", name(element));
  }
  std::int64_t position = length;
  if (context.has_input(2)) {
    FOVEA_ASSIGN(position, int_value(context.input(2), "position"));
    if (position < -length || position > length) return invalid_argument("position ", position, " is out of range for ", length, " elements");
    if (position < 0) position += length;
  }
  std::vector<Datum> longer = *items;
  longer.insert(longer.begin() + position, context.datum(1));
  return set_sequence(context, 0, std::move(longer), type);
}

Status sequence_length_reference(KernelContext& context) {
  FOVEA_ASSIGN(const auto* items, sequence_items(context, 0));
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::i64, {}));
  *output.data<std::int64_t>() = static_cast<std::int64_t>(items->size());
  return {};
}

}  // namespace fovea::ops
