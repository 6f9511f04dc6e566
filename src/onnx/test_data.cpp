// SPDX-License-Identifier: Apache-2.0
#include "onnx/test_data.h"

#include "base/file.h"
#include "onnx/tensor_reader.h"
#include "onnx/tensor_writer.h"

namespace fovea::onnx {

namespace {

constexpr std::int64_t kMaxBytes = std::int64_t{4} << 30;
enum ElementKind : std::int32_t { kUndefined = 0, kTensor = 1, kSequence = 3, kOptional = 5 };

template <class Message>
Result<Datum> read(const std::filesystem::path& file, Result<Datum> (*convert)(const Message&, TensorReader&)) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  Message message;
  if (Status status = read_message(mapped->bytes(), message); !status.ok()) return std::move(status).with_context(file.string());
  TensorReader tensors({}, kMaxBytes);
  auto datum = convert(message, tensors);
  if (!datum) return std::move(datum).status().with_context(file.string());
  return datum;
}

Result<Datum> from_tensor(const proto::TensorProto& message, TensorReader& tensors) {
  FOVEA_ASSIGN(Tensor tensor, tensors.read(message));
  return Datum(std::move(tensor));
}

Result<Datum> from_sequence(const proto::SequenceProto& message, TensorReader& tensors) {
  if (message.elem_type() != kTensor && message.elem_type() != kUndefined) return unsupported("sequence of something other than tensors");
  std::vector<Datum> items;
  DataType element = DataType::undefined;
  for (const auto& entry : message.tensor_values()) {
    FOVEA_ASSIGN(Datum item, from_tensor(entry, tensors));
    element = item.tensor.type();
    items.push_back(std::move(item));
  }
  return Datum::make_sequence(std::move(items), element);
}

Result<Datum> from_optional(const proto::OptionalProto& message, TensorReader& tensors) {
  switch (message.elem_type()) {
    case kUndefined: return Datum();
    case kTensor: return message.has_tensor_value() ? from_tensor(message.tensor_value(), tensors) : Datum();
    case kSequence: return message.has_sequence_value() ? from_sequence(message.sequence_value(), tensors) : Datum();
    default: return unsupported("optional of something other than a tensor or a sequence");
  }
}

void to_sequence(const Datum& value, proto::SequenceProto& message) {
  message.set_elem_type(kTensor);
  for (const Datum& item : *value.items) write_tensor(item.tensor, *message.add_tensor_values());
}

}  // namespace

Result<Datum> read_tensor_pb(const std::filesystem::path& file) { return read<proto::TensorProto>(file, from_tensor); }
Result<Datum> read_sequence_pb(const std::filesystem::path& file) { return read<proto::SequenceProto>(file, from_sequence); }
Result<Datum> read_optional_pb(const std::filesystem::path& file) { return read<proto::OptionalProto>(file, from_optional); }

Result<Datum> read_test_data(const std::filesystem::path& file, const ValueType& type) {
  switch (type.kind) {
    case ValueType::Kind::Tensor: return read_tensor_pb(file);
    case ValueType::Kind::Sequence: return read_sequence_pb(file);
    default: return read_optional_pb(file);
  }
}

Status write_test_data(const std::filesystem::path& file, const Datum& value, const ValueType& type) {
  proto::TensorProto tensor;
  proto::SequenceProto sequence;
  proto::OptionalProto optional;
  google::protobuf::Message* message = &tensor;
  const bool is_sequence = value.kind == Datum::Kind::Sequence;
  if (type.kind == ValueType::Kind::Tensor || type.kind == ValueType::Kind::Sequence) {
    if (is_sequence != (type.kind == ValueType::Kind::Sequence) || !value.present()) return invalid_argument(file.string(), ": the value is not of the declared kind");
    if (is_sequence) {
      to_sequence(value, sequence);
      message = &sequence;
    } else {
      write_tensor(value.tensor, tensor);
    }
  } else {
    message = &optional;
    optional.set_elem_type(!value.present() ? kUndefined : is_sequence ? kSequence : kTensor);
    if (is_sequence) to_sequence(value, *optional.mutable_sequence_value());
    if (value.kind == Datum::Kind::Tensor) write_tensor(value.tensor, *optional.mutable_tensor_value());
  }
  return write_file_atomically(file, message->SerializeAsString());
}

}  // namespace fovea::onnx
