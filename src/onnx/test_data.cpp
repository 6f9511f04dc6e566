// SPDX-License-Identifier: Apache-2.0
#include "onnx/test_data.h"

#include "base/file.h"
#include "base/onnx_data_type.h"
#include "onnx/tensor_reader.h"

namespace fovea::onnx {

namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{4} << 30;

Result<Datum> read_sequence(const proto::SequenceProto& message, TensorReader& reader);

Result<Datum> read_tensor(const proto::TensorProto& message, TensorReader& reader) {
  FOVEA_ASSIGN(Tensor tensor, reader.read(message));
  return Datum(std::move(tensor));
}

Result<Datum> read_sequence(const proto::SequenceProto& message, TensorReader& reader) {
  std::vector<Datum> items;
  DataType element = DataType::undefined;
  for (const proto::TensorProto& item : message.tensor_values()) {
    FOVEA_ASSIGN(Datum datum, read_tensor(item, reader));
    element = datum.tensor.type();
    items.push_back(std::move(datum));
  }
  for (const proto::SequenceProto& item : message.sequence_values()) {
    FOVEA_ASSIGN(Datum datum, read_sequence(item, reader));
    items.push_back(std::move(datum));
  }
  return Datum::make_sequence(std::move(items), element);
}

Result<Datum> read_optional(const proto::OptionalProto& message, TensorReader& reader) {
  if (message.has_tensor_value()) return read_tensor(message.tensor_value(), reader);
  if (message.has_sequence_value()) return read_sequence(message.sequence_value(), reader);
  return Datum();
}

template <class Message, class Read>
Result<Datum> read_as(std::span<const std::byte> bytes, Read read) {
  google::protobuf::Arena arena;
  auto* message = google::protobuf::Arena::CreateMessage<Message>(&arena);
  FOVEA_RETURN_IF_ERROR(read_message(bytes, *message));
  TensorReader reader({}, kMaxBytes);
  return read(*message, reader);
}

}  // namespace

Result<Datum> read_test_value(const std::filesystem::path& file, const ValueType& type) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file, kMaxBytes));
  Result<Datum> datum = Datum();
  switch (type.kind) {
    case ValueType::Kind::Tensor: datum = read_as<proto::TensorProto>(mapped->bytes(), read_tensor); break;
    case ValueType::Kind::Sequence: datum = read_as<proto::SequenceProto>(mapped->bytes(), read_sequence); break;
    case ValueType::Kind::Optional:
    case ValueType::Kind::OptionalSequence: datum = read_as<proto::OptionalProto>(mapped->bytes(), read_optional); break;
  }
  if (!datum.ok()) return std::move(datum).status().with_context(file.string());
  if (datum->kind == Datum::Kind::Sequence && datum->element_type == DataType::undefined) datum->element_type = type.element;
  // The tensors' bytes are copies: the mapping ends here.
  return datum;
}

}  // namespace fovea::onnx
