// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor_writer.h"

#include "base/onnx_data_type.h"

namespace fovea::onnx {

namespace {

int bits_of_packed(DataType type) {
  switch (type) {
    case DataType::i4: case DataType::u4: case DataType::f4e2m1: return 4;
    case DataType::i2: case DataType::u2: return 2;
    default: return 8;
  }
}

void write_tensor_type(DataType element, const std::optional<SymbolicShape>& shape, proto::TypeProto& message) {
  auto& tensor = *message.mutable_tensor_type();
  tensor.set_elem_type(static_cast<std::int32_t>(onnx_number(element)));
  if (!shape) return;
  tensor.mutable_shape();
  for (const Dim& dim : *shape) {
    auto& entry = *tensor.mutable_shape()->add_dim();
    if (dim.is_constant()) {
      entry.set_dim_value(dim.constant());
    } else {
      entry.set_dim_param(dim.to_string());
    }
  }
}

}  // namespace

void write_tensor_header(const Tensor& tensor, proto::TensorProto& message) {
  message.set_data_type(static_cast<std::int32_t>(onnx_number(tensor.type())));
  for (const std::int64_t extent : tensor.shape()) message.add_dims(extent);
}

std::string packed_bytes(const Tensor& tensor) {
  const int bits = bits_of_packed(tensor.type());
  const auto* data = tensor.data<std::uint8_t>();
  if (bits == 8) return std::string(reinterpret_cast<const char*>(data), tensor.bytes());
  const int per_byte = 8 / bits;
  std::string packed(static_cast<std::size_t>((tensor.elements() + per_byte - 1) / per_byte), '\0');
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    char& byte = packed[static_cast<std::size_t>(i / per_byte)];
    byte = static_cast<char>(byte | ((data[i] & ((1 << bits) - 1)) << (bits * static_cast<int>(i % per_byte))));
  }
  return packed;
}

void write_tensor(const Tensor& tensor, proto::TensorProto& message) {
  write_tensor_header(tensor, message);
  if (tensor.type() == DataType::string) {
    for (std::int64_t i = 0; i < tensor.elements(); ++i) message.add_string_data(tensor.data<std::string>()[i]);
  } else {
    message.set_raw_data(packed_bytes(tensor));
  }
}

void write_type(const ValueType& type, const std::optional<SymbolicShape>& shape, proto::TypeProto& message) {
  switch (type.kind) {
    case ValueType::Kind::Tensor: write_tensor_type(type.element, shape, message); break;
    case ValueType::Kind::Sequence: write_tensor_type(type.element, {}, *message.mutable_sequence_type()->mutable_elem_type()); break;
    case ValueType::Kind::Optional: write_tensor_type(type.element, {}, *message.mutable_optional_type()->mutable_elem_type()); break;
    case ValueType::Kind::OptionalSequence:
      write_tensor_type(type.element, {}, *message.mutable_optional_type()->mutable_elem_type()->mutable_sequence_type()->mutable_elem_type());
      break;
  }
}

}  // namespace fovea::onnx
