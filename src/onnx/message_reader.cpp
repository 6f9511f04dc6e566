// SPDX-License-Identifier: Apache-2.0
#include "onnx/message_reader.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>

#include <climits>
#include <string_view>

namespace fovea::onnx {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::io::CodedInputStream;

// Walks the wire form along the message's descriptor and counts what will become an object of its own.
class PieceCounter {
 public:
  Status count(CodedInputStream& in, const Descriptor& type, int depth) {
    if (depth > kMaxMessageDepth) return resource_exhausted("messages are nested more than ", kMaxMessageDepth, " deep");
    for (std::uint32_t tag = in.ReadTag(); tag != 0; tag = in.ReadTag()) {
      const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
      const bool scalar = field && field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE && field->cpp_type() != FieldDescriptor::CPPTYPE_STRING;
      if (!scalar && ++pieces_ > kMaxPieces) return resource_exhausted("more than ", kMaxPieces, " messages and strings");
      if (!skip(in, tag & 7)) return malformed(in);
      if (scalar && field->is_repeated()) FOVEA_RETURN_IF_ERROR(expand(*field));
      if (length_ < 0) continue;
      if (field && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        const auto limit = in.PushLimit(length_);
        FOVEA_RETURN_IF_ERROR(count(in, *field->message_type(), depth + 1));
        if (in.BytesUntilLimit() != 0) return malformed(in);
        in.PopLimit(limit);
      } else {
        const void* data = nullptr;
        int available = 0;
        if (length_ > 0 && (!in.GetDirectBufferPointer(&data, &available) || available < length_)) return malformed(in);
        // Names travel into messages, JSON and engine files, which must be able to rely on them.
        if (field && field->type() == FieldDescriptor::TYPE_STRING && !is_utf8({static_cast<const char*>(data), static_cast<std::size_t>(length_)})) {
          return invalid_model("the field ", field->full_name(), " at offset ", in.CurrentPosition(), " is not valid UTF-8");
        }
        in.Skip(length_);
      }
    }
    return in.ConsumedEntireMessage() ? Status() : malformed(in);
  }

 private:
  // Numbers of one byte in the file take four or eight in memory.
  Status expand(const FieldDescriptor& field) {
    const bool wide = field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 || field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
    const bool fixed = field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT || field.cpp_type() == FieldDescriptor::CPPTYPE_DOUBLE;
    const std::int64_t factor = fixed ? 1 : wide ? 8 : 4;
    expanded_bytes_ += length_ < 0 ? 8 : length_ * factor;
    return expanded_bytes_ <= kMaxExpandedBytes ? Status() : resource_exhausted("numbers that take more than ", kMaxExpandedBytes, " bytes once they are read");
  }
  // Consumes a fixed-size value, or reads the length of a sized one into length_.
  bool skip(CodedInputStream& in, std::uint32_t wire_type) {
    std::uint64_t number = 0;
    std::uint32_t length = 0;
    length_ = -1;
    switch (wire_type) {
      case 0: return in.ReadVarint64(&number);
      case 1: return in.Skip(8);
      case 5: return in.Skip(4);
      case 2:
        if (!in.ReadVarint32(&length) || length > INT_MAX) return false;
        length_ = static_cast<int>(length);
        return true;
      default: return false;  // groups: ONNX never used them
    }
  }
  static Status malformed(const CodedInputStream& in) {
    return {ErrorCode::InvalidModel, str_cat("not an ONNX protobuf message: bad bytes at offset ", in.CurrentPosition()),
            "the file may be cut off, or be another format"};
  }

  std::int64_t pieces_ = 0, expanded_bytes_ = 0;
  int length_ = -1;
};

CodedInputStream open_stream(std::span<const std::byte> bytes) {
  return CodedInputStream(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    const int more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
    if (more < 0 || text.size() - i < static_cast<std::size_t>(more)) return false;
    for (int k = 0; k < more; ++k) {
      if ((static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]) & 0xc0) != 0x80) return false;
    }
    // Overlong three- and four-byte forms, surrogates, and what lies beyond U+10FFFF.
    const auto next = more > 0 ? static_cast<unsigned char>(text[i]) : 0;
    if ((lead == 0xe0 && next < 0xa0) || (lead == 0xed && next >= 0xa0) || (lead == 0xf0 && next < 0x90) || (lead == 0xf4 && next >= 0x90)) return false;
    i += static_cast<std::size_t>(more);
  }
  return true;
}

Status read_message(std::span<const std::byte> bytes, google::protobuf::Message& message) {
  const google::protobuf::LogSilencer silencer;  // it would print lines of its own about bad messages
  if (bytes.size() > INT_MAX) {
    return {ErrorCode::ResourceExhausted, str_cat("message of ", bytes.size(), " bytes: protobuf's limit is 2 GiB"),
            "store the weights as external data"};
  }
  {
    CodedInputStream in = open_stream(bytes);
    in.SetTotalBytesLimit(INT_MAX);
    PieceCounter counter;
    FOVEA_RETURN_IF_ERROR(counter.count(in, *message.GetDescriptor(), 0));
  }
  CodedInputStream in = open_stream(bytes);
  in.SetTotalBytesLimit(INT_MAX);
  in.SetRecursionLimit(kMaxMessageDepth + 1);
  if (!message.ParseFromCodedStream(&in) || !in.ConsumedEntireMessage()) {
    return {ErrorCode::InvalidModel, "not an ONNX protobuf message", "the file may be cut off, or be another format"};
  }
  return {};
}

Result<ModelMessage> read_model_message(std::span<const std::byte> bytes) {
  ModelMessage result;
  result.arena = std::make_unique<google::protobuf::Arena>();
  result.model = google::protobuf::Arena::CreateMessage<proto::ModelProto>(result.arena.get());
  FOVEA_RETURN_IF_ERROR(read_message(bytes, *result.model));
  return result;
}

}  // namespace fovea::onnx
