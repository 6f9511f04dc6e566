// SPDX-License-Identifier: Apache-2.0
#include "plugins/border.h"

#include <algorithm>

namespace fovea::plugins {

namespace {

// The plain enumeration is written out in C; here is the proof that it says the same.
static_assert(FOVEA_F32 == static_cast<int>(DataType::f32) && FOVEA_F16 == static_cast<int>(DataType::f16) && FOVEA_BF16 == static_cast<int>(DataType::bf16) &&
              FOVEA_F64 == static_cast<int>(DataType::f64) && FOVEA_I8 == static_cast<int>(DataType::i8) && FOVEA_U8 == static_cast<int>(DataType::u8) &&
              FOVEA_I16 == static_cast<int>(DataType::i16) && FOVEA_U16 == static_cast<int>(DataType::u16) && FOVEA_I32 == static_cast<int>(DataType::i32) &&
              FOVEA_U32 == static_cast<int>(DataType::u32) && FOVEA_I64 == static_cast<int>(DataType::i64) && FOVEA_U64 == static_cast<int>(DataType::u64) &&
              FOVEA_BOOL == static_cast<int>(DataType::boolean) && FOVEA_C64 == static_cast<int>(DataType::c64) && FOVEA_C128 == static_cast<int>(DataType::c128) &&
              FOVEA_F8E4M3FN == static_cast<int>(DataType::f8e4m3fn) && FOVEA_F8E4M3FNUZ == static_cast<int>(DataType::f8e4m3fnuz) &&
              FOVEA_F8E5M2 == static_cast<int>(DataType::f8e5m2) && FOVEA_F8E5M2FNUZ == static_cast<int>(DataType::f8e5m2fnuz) &&
              FOVEA_F8E8M0 == static_cast<int>(DataType::f8e8m0) && FOVEA_F4E2M1 == static_cast<int>(DataType::f4e2m1) && FOVEA_I4 == static_cast<int>(DataType::i4) &&
              FOVEA_U4 == static_cast<int>(DataType::u4) && FOVEA_I2 == static_cast<int>(DataType::i2) && FOVEA_U2 == static_cast<int>(DataType::u2));
static_assert(FOVEA_MAX_RANK == kMaxRank);
static_assert(FOVEA_INT == static_cast<int>(ops::AttributeType::Int) && FOVEA_STRINGS == static_cast<int>(ops::AttributeType::Strings));

std::string type_names(ops::TypeSet types) {
  std::string text;
  for (int type = 1; type <= static_cast<int>(DataType::u2); ++type) {
    if (types >> type & 1) text += (text.empty() ? "" : ", ") + std::string(name(static_cast<DataType>(type)));
  }
  return text;
}

}  // namespace

AttributeList::AttributeList(const Description& description, const Attributes& given) {
  for (const AttributeRow& row : description.attributes) {
    const AttributeValue* value = given.find(row.name);
    fovea_attribute plain = {};
    plain.name = row.name.c_str();
    plain.type = static_cast<std::int32_t>(row.type);
    plain.given = value != nullptr;
    if (!value) value = &row.fallback;
    if (const auto* v = std::get_if<std::int64_t>(value)) plain.i = *v;
    if (const auto* v = std::get_if<double>(value)) plain.f = *v;
    if (const auto* v = std::get_if<std::string>(value)) plain.s = v->c_str();
    // An empty list has no type of its own in ONNX, so it may be held as one of another type.
    if (const auto* v = std::get_if<std::vector<std::int64_t>>(value)) plain.ints = v->data(), plain.count = static_cast<std::int64_t>(v->size());
    if (const auto* v = std::get_if<std::vector<double>>(value)) plain.floats = v->data(), plain.count = static_cast<std::int64_t>(v->size());
    if (const auto* v = std::get_if<std::vector<std::string>>(value)) {
      auto& texts = texts_.emplace_back();
      for (const std::string& text : *v) texts.push_back(text.c_str());
      plain.strings = texts.data();
      plain.count = static_cast<std::int64_t>(texts.size());
    }
    if (!plain.s) plain.s = "";
    rows_.push_back(plain);
  }
}

fovea_tensor plain_tensor(const TensorDesc& desc, const void* data) {
  fovea_tensor plain = {};
  plain.type = static_cast<std::int32_t>(desc.type);
  if (desc.type == DataType::undefined) return plain;
  plain.rank = desc.shape.rank();
  std::copy(desc.shape.begin(), desc.shape.end(), plain.extents);
  std::copy(desc.strides.begin(), desc.strides.end(), plain.strides);
  plain.data = const_cast<void*>(data);
  return plain;
}

Status check_input_type(const Description& description, int input, ValueType type) {
  const Port& port = description.input(input);
  if (type.kind != ValueType::Kind::Tensor) return unsupported("input ", input, " ('", port.name, "') is not a tensor");
  if (type.element == DataType::undefined || (port.types & ops::type_bit(type.element))) return {};
  return unsupported("input ", input, " ('", port.name, "') of type ", name(type.element), " is not supported; it takes ", type_names(port.types));
}

Status check_input_types(const Description& description, std::span<const TensorDesc> inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].type == DataType::undefined) continue;
    FOVEA_RETURN_IF_ERROR(check_input_type(description, static_cast<int>(i), {ValueType::Kind::Tensor, inputs[i].type}));
  }
  return {};
}

const Description& description_of(std::string_view op) {
  const ops::UserOperator* found = ops::find_user_operator(op);
  FOVEA_CHECK(found != nullptr);
  return static_cast<const Description&>(*found);  // plugins are the only ones who add user operators
}

PlainProblem::PlainProblem(const Description& description, const Problem& problem) : attributes_(description, problem.attributes) {
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    inputs_.push_back(plain_tensor(problem.inputs[i], problem.is_constant(static_cast<int>(i)) ? problem.constants[i].raw() : nullptr));
  }
  for (const TensorDesc& output : problem.outputs) outputs_.push_back(plain_tensor(output, nullptr));
  plain_.struct_size = sizeof plain_;
  plain_.device = FOVEA_CPU;
  plain_.threads = problem.threads;
  plain_.num_inputs = static_cast<std::int32_t>(inputs_.size());
  plain_.num_outputs = static_cast<std::int32_t>(outputs_.size());
  plain_.num_attributes = attributes_.size();
  plain_.inputs = inputs_.data();
  plain_.outputs = outputs_.data();
  plain_.attributes = attributes_.data();
}

void PlainProblem::set_data(const void* const* inputs, void* const* outputs) {
  for (std::size_t i = 0; i < inputs_.size(); ++i) inputs_[i].data = const_cast<void*>(inputs[i]);
  for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].data = outputs[i];
}

Status to_status(const Description& description, std::string_view what, fovea_code code, fovea_message& why) {
  if (code == FOVEA_OK) return {};
  why.text[sizeof why.text - 1] = '\0';
  std::string text = why.text;
  if (text.empty()) text = str_cat(what, " failed and does not say why");
  text = str_cat("plugin '", description.plugin, "': ", text);
  switch (code) {
    case FOVEA_INVALID: return invalid_model(text);
    case FOVEA_UNSUPPORTED: return unsupported(text);
    case FOVEA_OUT_OF_MEMORY: return resource_exhausted(text);
    default: return unsupported(text, " (", what, " answered with the unknown code ", code, ")");
  }
}

}  // namespace fovea::plugins
