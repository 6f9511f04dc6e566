// SPDX-License-Identifier: Apache-2.0
#include "onnx/attributes.h"

#include "onnx/types.h"

namespace fovea::onnx {

using Type = proto::AttributeProto;

Type::AttributeType attribute_type(const proto::AttributeProto& m) {
  if (m.type() != Type::UNDEFINED) return m.type();
  if (m.has_f()) return Type::FLOAT;
  if (m.has_i()) return Type::INT;
  if (m.has_s()) return Type::STRING;
  if (m.has_t()) return Type::TENSOR;
  if (m.has_g()) return Type::GRAPH;
  if (m.floats_size() > 0) return Type::FLOATS;
  if (m.ints_size() > 0) return Type::INTS;
  if (m.strings_size() > 0) return Type::STRINGS;
  return Type::UNDEFINED;
}

Result<AttributeValue> read_attribute(const proto::AttributeProto& m, TensorReader& tensors) {
  switch (attribute_type(m)) {
    case Type::FLOAT: return AttributeValue(static_cast<double>(m.f()));
    case Type::INT: return AttributeValue(static_cast<std::int64_t>(m.i()));
    case Type::STRING: return AttributeValue(m.s());
    case Type::FLOATS: return AttributeValue(std::vector<double>(m.floats().begin(), m.floats().end()));
    case Type::INTS: return AttributeValue(std::vector<std::int64_t>(m.ints().begin(), m.ints().end()));
    case Type::STRINGS: return AttributeValue(std::vector<std::string>(m.strings().begin(), m.strings().end()));
    case Type::TENSOR: {
      FOVEA_ASSIGN(Tensor tensor, tensors.read_shared(m.t()));
      return AttributeValue(std::move(tensor));
    }
    case Type::SPARSE_TENSOR: {
      FOVEA_ASSIGN(Tensor tensor, tensors.read_sparse(m.sparse_tensor()));
      return AttributeValue(std::move(tensor));
    }
    case Type::TYPE_PROTO: {
      Symbols symbols;
      FOVEA_ASSIGN(const DeclaredType declared, read_type(m.tp(), m.name(), symbols));
      return AttributeValue(type_text(declared.type));
    }
    case Type::UNDEFINED: return invalid_model("attribute ", in_quotes(m.name()), " has no value of a known type");
    default: return unsupported("attribute ", in_quotes(m.name()), ": lists of tensors, graphs or types");
  }
}

Result<Tensor> read_constant(std::string_view form, const proto::AttributeProto& m, TensorReader& tensors) {
  FOVEA_ASSIGN(AttributeValue value, read_attribute(m, tensors));
  const auto filled = [](DataType type, const Shape& shape, const auto& values, auto element) -> Result<Tensor> {
    FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, shape));
    for (std::size_t i = 0; i < values.size(); ++i) tensor.data<decltype(element)>()[i] = static_cast<decltype(element)>(values[i]);
    return tensor;
  };
  const auto extent = [](const auto& values) { return Shape{static_cast<std::int64_t>(values.size())}; };
  if (auto* tensor = std::get_if<Tensor>(&value); tensor && (form == "value" || form == "sparse_value")) return *tensor;
  if (auto* i = std::get_if<std::int64_t>(&value); i && form == "value_int") return filled(DataType::i64, {}, std::vector{*i}, std::int64_t{});
  if (auto* f = std::get_if<double>(&value); f && form == "value_float") return filled(DataType::f32, {}, std::vector{*f}, float{});
  if (auto* s = std::get_if<std::string>(&value); s && form == "value_string") return filled(DataType::string, {}, std::vector{*s}, std::string{});
  if (auto* v = std::get_if<std::vector<std::int64_t>>(&value); v && form == "value_ints") return filled(DataType::i64, extent(*v), *v, std::int64_t{});
  if (auto* v = std::get_if<std::vector<double>>(&value); v && form == "value_floats") return filled(DataType::f32, extent(*v), *v, float{});
  if (auto* v = std::get_if<std::vector<std::string>>(&value); v && form == "value_strings") return filled(DataType::string, extent(*v), *v, std::string{});
  return invalid_model("Constant: attribute ", in_quotes(form), " is none of value, sparse_value, value_int(s), value_float(s), value_string(s), or of another type");
}

}  // namespace fovea::onnx
