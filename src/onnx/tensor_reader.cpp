// SPDX-License-Identifier: Apache-2.0
#include "onnx/tensor_reader.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include "base/checked_math.h"
#include "base/onnx_data_type.h"
#include "onnx/seed_rule.h"

namespace fovea::onnx {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and copied as it is");

namespace {

// Elements that share one byte in a file: 2 for 4-bit types, 4 for 2-bit types, else 1.
int packed_per_byte(DataType type) {
  switch (type) {
    case DataType::i4: case DataType::u4: case DataType::f4e2m1: return 2;
    case DataType::i2: case DataType::u2: return 4;
    default: return 1;
  }
}

std::int64_t stored_bytes(DataType type, std::int64_t elements) {
  const int per_byte = packed_per_byte(type);
  return per_byte > 1 ? (elements + per_byte - 1) / per_byte : elements * static_cast<std::int64_t>(size_of(type));
}

// Lowest bits first; signed types are sign-extended to a whole byte.
void unpack(DataType type, const std::uint8_t* packed, std::int64_t elements, std::uint8_t* out) {
  const int per_byte = packed_per_byte(type), bits = 8 / per_byte;
  const int sign = type == DataType::i4 || type == DataType::i2 ? 1 << (bits - 1) : 0;
  for (std::int64_t i = 0; i < elements; ++i) {
    const int code = (packed[i / per_byte] >> (bits * static_cast<int>(i % per_byte))) & ((1 << bits) - 1);
    out[i] = static_cast<std::uint8_t>((code ^ sign) - sign);
  }
}

void decode_raw(DataType type, const std::uint8_t* raw, Tensor& tensor) {
  const std::int64_t elements = tensor.elements();
  auto* out = tensor.data<std::uint8_t>();
  if (elements == 0) return;
  if (packed_per_byte(type) > 1) {
    unpack(type, raw, elements, out);
  } else if (type == DataType::boolean) {
    for (std::int64_t i = 0; i < elements; ++i) out[i] = raw[i] != 0;  // a bool of any other value is undefined behaviour
  } else {
    std::memcpy(out, raw, tensor.bytes());
  }
}

Status wrong_count(const char* field, std::int64_t found, std::int64_t expected) {
  return invalid_model("expected ", expected, " values in ", field, ", found ", found);
}

template <class T, class Field>
Status decode_values(const Field& field, const char* name, Tensor& tensor, std::int64_t per_element = 1) {
  const std::int64_t expected = tensor.elements() * per_element;
  if (field.size() != expected) return wrong_count(name, field.size(), expected);
  T* out = tensor.data<T>();
  for (int i = 0; i < field.size(); ++i) out[i] = static_cast<T>(field.Get(i));
  return {};
}

// int32_data of a narrower type: the value, or the bits of a 16-bit or 8-bit float.
template <class T>
Status decode_narrow(const proto::TensorProto& message, Tensor& tensor) {
  constexpr std::int64_t kLow = -(std::int64_t{1} << (8 * sizeof(T) - 1)), kHigh = (std::int64_t{1} << (8 * sizeof(T))) - 1;
  for (const std::int32_t value : message.int32_data()) {
    if (value < kLow || value > kHigh) return invalid_model("value ", value, " in int32_data does not fit in ", sizeof(T), " byte(s)");
  }
  return decode_values<T>(message.int32_data(), "int32_data", tensor);
}

Status decode_typed(const proto::TensorProto& message, DataType type, Tensor& tensor) {
  switch (type) {
    case DataType::f32: return decode_values<float>(message.float_data(), "float_data", tensor);
    case DataType::c64: return decode_values<float>(message.float_data(), "float_data", tensor, 2);
    case DataType::f64: return decode_values<double>(message.double_data(), "double_data", tensor);
    case DataType::c128: return decode_values<double>(message.double_data(), "double_data", tensor, 2);
    case DataType::i64: return decode_values<std::int64_t>(message.int64_data(), "int64_data", tensor);
    case DataType::u64: return decode_values<std::uint64_t>(message.uint64_data(), "uint64_data", tensor);
    case DataType::u32:
      for (const std::uint64_t value : message.uint64_data()) {
        if (value > std::numeric_limits<std::uint32_t>::max()) return invalid_model("value ", value, " in uint64_data does not fit in 4 bytes");
      }
      return decode_values<std::uint32_t>(message.uint64_data(), "uint64_data", tensor);
    case DataType::i32: return decode_values<std::int32_t>(message.int32_data(), "int32_data", tensor);
    case DataType::f16: case DataType::bf16: case DataType::i16: case DataType::u16: return decode_narrow<std::uint16_t>(message, tensor);
    case DataType::boolean:
      if (message.int32_data_size() != tensor.elements()) return wrong_count("int32_data", message.int32_data_size(), tensor.elements());
      for (int i = 0; i < message.int32_data_size(); ++i) tensor.data<std::uint8_t>()[i] = message.int32_data(i) != 0;
      return {};
    case DataType::string:
      if (message.string_data_size() != tensor.elements()) return wrong_count("string_data", message.string_data_size(), tensor.elements());
      for (int i = 0; i < message.string_data_size(); ++i) tensor.data<std::string>()[i] = message.string_data(i);
      return {};
    default: break;
  }
  if (packed_per_byte(type) == 1) return decode_narrow<std::uint8_t>(message, tensor);
  const std::int64_t expected = stored_bytes(type, tensor.elements());
  if (message.int32_data_size() != expected) return wrong_count("int32_data", message.int32_data_size(), expected);
  std::vector<std::uint8_t> packed(message.int32_data().begin(), message.int32_data().end());
  unpack(type, packed.data(), tensor.elements(), tensor.data<std::uint8_t>());
  return {};
}

// Values the typed fields hold: an upper bound for what may be allocated.
std::int64_t stored_values(const proto::TensorProto& m) {
  return std::int64_t{m.float_data_size()} + m.int32_data_size() + m.int64_data_size() + m.double_data_size() + m.uint64_data_size() + m.string_data_size();
}

Result<std::int64_t> parse_number(const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0) {
    return invalid_model("external data: expected a number for '", key, "', found ", in_quotes(text));
  }
  return value;
}

Result<Shape> read_shape(const google::protobuf::RepeatedField<std::int64_t>& dims) {
  if (dims.size() > kMaxRank) return unsupported("tensor of rank ", dims.size(), ": at most ", kMaxRank, " dimensions are supported");
  const std::span<const std::int64_t> extents(dims.data(), static_cast<std::size_t>(dims.size()));
  if (const auto elements = checked_elements(extents); !elements) return invalid_model(elements.status().message());
  return Shape(extents);
}

}  // namespace

std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (const char c : name.substr(0, 100)) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return text + (name.size() > 100 ? "...'" : "'");
}

Status TensorReader::charge(DataType type, const Shape& shape) {
  std::int64_t bytes = 0;
  if (!checked_mul(shape.elements(), static_cast<std::int64_t>(size_of(type)), bytes)) return invalid_model("shape ", shape.to_string(), " overflows");
  if (bytes > bytes_left_) {
    return Status(ErrorCode::ResourceExhausted, str_cat("weights need more than the limit of ", limit_, " bytes"), "raise max_weight_bytes if the model is trusted");
  }
  bytes_left_ -= bytes;
  return {};
}

Result<Tensor> TensorReader::allocate(DataType type, const Shape& shape) {
  FOVEA_RETURN_IF_ERROR(charge(type, shape));
  return Tensor::allocate(type, shape);
}

Result<Tensor> TensorReader::read_external(const proto::TensorProto& message, DataType type, const Shape& shape) {
  if (type == DataType::string) return invalid_model("strings cannot be external data");
  for (const auto& entry : message.external_data()) {
    if (entry.key() == "location" && entry.value() == kSeedLocation) return make_seeded(message, type, shape);
  }
  std::string location;
  std::int64_t offset = 0;
  const std::int64_t bytes = stored_bytes(type, shape.elements());
  for (const auto& entry : message.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") {
      FOVEA_ASSIGN(offset, parse_number("offset", entry.value()));
    } else if (entry.key() == "length") {
      FOVEA_ASSIGN(const std::int64_t length, parse_number("length", entry.value()));
      if (length != bytes) return invalid_model("external data: shape ", shape.to_string(), " of ", name(type), " needs ", bytes, " bytes, 'length' says ", length);
    }
  }
  FOVEA_ASSIGN(const ExternalData::Piece piece, external_.read(location, offset, bytes));
  const auto* data = reinterpret_cast<const std::uint8_t*>(piece.bytes.data());
  const bool as_stored = packed_per_byte(type) == 1 && type != DataType::boolean;
  if (as_stored && bytes > 0 && reinterpret_cast<std::uintptr_t>(data) % 64 == 0) {
    FOVEA_RETURN_IF_ERROR(charge(type, shape));
    return Tensor::share(type, shape, const_cast<std::uint8_t*>(data), piece.file);
  }
  FOVEA_ASSIGN(Tensor tensor, allocate(type, shape));
  decode_raw(type, data, tensor);
  return tensor;
}

Result<Tensor> TensorReader::make_seeded(const proto::TensorProto& message, DataType type, const Shape& shape) {
  if (!seed_) {
    return Status(ErrorCode::InvalidModel, str_cat("seeded weight: expected the metadata entry '", kSeedKey, "' in the model, found none"),
                  "docs/light_onnx.md describes light files");
  }
  if (type != DataType::f32) return invalid_model("seeded weight: expected f32, found ", name(type));
  FOVEA_ASSIGN(const SeedRule rule, read_seed_rule(message));
  const std::int64_t bytes = stored_bytes(type, shape.elements());
  if (bytes > kMaxSeededBytes - seeded_bytes_) return resource_exhausted("seeded weights need more than the limit of ", kMaxSeededBytes, " bytes");
  seeded_bytes_ += bytes;
  FOVEA_ASSIGN(Tensor tensor, allocate(type, shape));
  generate_seeded(*seed_, rule, {tensor.data<float>(), static_cast<std::size_t>(shape.elements())});
  return tensor;
}

Result<Tensor> TensorReader::read(const proto::TensorProto& message) {
  const DataType type = data_type_from_onnx(message.data_type());
  if (type == DataType::undefined) return invalid_model("tensor has the unknown element type ", message.data_type());
  if (message.has_segment()) return unsupported("tensors stored in segments");
  FOVEA_ASSIGN(const Shape shape, read_shape(message.dims()));
  std::int64_t unused = 0;
  if (!checked_mul(shape.elements(), 16, unused)) return invalid_model("shape ", shape.to_string(), " overflows");
  if (message.data_location() == proto::TensorProto::EXTERNAL) return read_external(message, type, shape);

  if (message.has_raw_data() && type != DataType::string && !(message.raw_data().empty() && stored_values(message) > 0)) {
    const std::int64_t bytes = stored_bytes(type, shape.elements());
    if (static_cast<std::int64_t>(message.raw_data().size()) != bytes) {
      return invalid_model("shape ", shape.to_string(), " of ", name(type), " needs ", bytes, " bytes, raw_data has ", message.raw_data().size());
    }
    FOVEA_ASSIGN(Tensor tensor, allocate(type, shape));
    decode_raw(type, reinterpret_cast<const std::uint8_t*>(message.raw_data().data()), tensor);
    return tensor;
  }
  if (shape.elements() / 4 > stored_values(message)) {
    return invalid_model("shape ", shape.to_string(), " has ", shape.elements(), " elements, the file stores ", stored_values(message));
  }
  FOVEA_ASSIGN(Tensor tensor, allocate(type, shape));
  FOVEA_RETURN_IF_ERROR(decode_typed(message, type, tensor));
  return tensor;
}

Result<Tensor> TensorReader::read_shared(const proto::TensorProto& message) {
  if (const auto known = shared_.find(&message); known != shared_.end()) return known->second;
  FOVEA_ASSIGN(Tensor tensor, read(message));
  shared_.emplace(&message, tensor);
  return tensor;
}

Result<Tensor> TensorReader::read_sparse(const proto::SparseTensorProto& message) {
  FOVEA_ASSIGN(const Tensor values, read(message.values()));
  FOVEA_ASSIGN(const Tensor indices, read(message.indices()));
  FOVEA_ASSIGN(const Shape shape, read_shape(message.dims()));
  const std::int64_t count = values.elements();
  const bool linear = indices.rank() == 1;
  if (values.rank() != 1 || indices.type() != DataType::i64 || !(linear || indices.rank() == 2) || indices.dim(0) != count ||
      (!linear && indices.dim(1) != shape.rank())) {
    return invalid_model("sparse tensor: expected values [n] and i64 indices [n] or [n, rank], found ", values.shape().to_string(), " and ",
                         name(indices.type()), " ", indices.shape().to_string());
  }
  FOVEA_ASSIGN(Tensor dense, allocate(values.type(), shape));
  const auto* index = indices.data<std::int64_t>();
  std::int64_t previous = -1;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t position = linear ? index[i] : 0;
    for (int axis = 0; !linear && axis < shape.rank(); ++axis) {
      const std::int64_t at = index[i * shape.rank() + axis];
      if (at < 0 || at >= shape[axis]) return invalid_model("sparse tensor: index ", at, " is out of range for extent ", shape[axis]);
      position = position * shape[axis] + at;
    }
    if (position <= previous || position >= shape.elements()) {
      return invalid_model("sparse tensor: index ", position, " is out of range or not ascending (", shape.elements(), " elements)");
    }
    previous = position;
    if (values.type() == DataType::string) {
      dense.data<std::string>()[position] = values.data<std::string>()[i];
    } else {
      const std::size_t size = size_of(values.type());
      std::memcpy(dense.data<std::byte>() + static_cast<std::size_t>(position) * size, values.data<std::byte>() + static_cast<std::size_t>(i) * size, size);
    }
  }
  return dense;
}

}  // namespace fovea::onnx
