// SPDX-License-Identifier: Apache-2.0
// Payloads of constants in the text form: lists, zeros, ones, fill, rand.
#include <cmath>

#include "base/checked_math.h"
#include "base/float_types.h"
#include "ir/text_reader.h"

namespace fovea::ir {

namespace {

bool is_complex(DataType type) { return type == DataType::c64 || type == DataType::c128; }

// SplitMix64: one multiply-xor chain per draw, the same on every machine.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// Writes scalar number `i` of the tensor (complex elements are two scalars); false if it does not fit the type.
bool store(Tensor& tensor, std::int64_t i, const TextReader::Number& number) {
  const auto put_integer = [&](auto zero) {
    using T = decltype(zero);
    if (!number.is_integer) return false;
    tensor.data<T>()[i] = static_cast<T>(number.integer);
    if constexpr (sizeof(T) == 8) return true;
    return static_cast<std::int64_t>(static_cast<T>(number.integer)) == number.integer;
  };
  const auto put_bits = [&](std::int64_t lo, std::int64_t hi) {
    return number.is_integer && number.integer >= lo && number.integer <= hi &&
           (lo < 0 ? put_integer(std::int8_t{}) : put_integer(std::uint8_t{}));
  };
  const float narrow = static_cast<float>(number.real);
  switch (tensor.type()) {
    case DataType::f32:
    case DataType::c64: return tensor.data<float>()[i] = narrow, true;
    case DataType::f64:
    case DataType::c128: return tensor.data<double>()[i] = number.real, true;
    case DataType::f16: return tensor.data<Half>()[i] = Half(narrow), true;
    case DataType::bf16: return tensor.data<BFloat16>()[i] = BFloat16(narrow), true;
    case DataType::i8: return put_integer(std::int8_t{});
    case DataType::i16: return put_integer(std::int16_t{});
    case DataType::u16: return put_integer(std::uint16_t{});
    case DataType::i32: return put_integer(std::int32_t{});
    case DataType::u32: return put_integer(std::uint32_t{});
    case DataType::i64: return put_integer(std::int64_t{});
    case DataType::u64: return put_integer(std::uint64_t{});
    case DataType::boolean: return put_bits(0, 1);
    case DataType::string: return false;
    case DataType::i4: return put_bits(-8, 7);
    case DataType::i2: return put_bits(-2, 1);
    case DataType::u4:
    case DataType::f4e2m1: return put_bits(0, 15);
    case DataType::u2: return put_bits(0, 3);
    default: return put_bits(0, 255);
  }
}

Status store_all(TextReader& in, Tensor& tensor, const TextReader::Number& number) {
  const std::int64_t count = tensor.elements() * (is_complex(tensor.type()) ? 2 : 1);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!store(tensor, i, number)) return in.error(str_cat("a value of type ", name(tensor.type()), " before this"));
  }
  return {};
}

Status read_element(TextReader& in, Tensor& tensor, std::int64_t i) {
  if (tensor.type() == DataType::string) {
    FOVEA_ASSIGN(tensor.data<std::string>()[i], in.quoted());
    return {};
  }
  const auto place = in.place();
  FOVEA_ASSIGN(const TextReader::Number number, in.number());
  if (!store(tensor, i, number)) return in.error_at(place, str_cat("a value of type ", name(tensor.type())), "another");
  return {};
}

}  // namespace

Result<Tensor> seeded_tensor(DataType type, const Shape& shape, std::uint64_t seed, double lo, double hi) {
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, shape));
  if (type == DataType::string) return tensor;
  std::uint64_t state = seed;
  const bool whole = !is_floating(type) && !is_complex(type);
  const std::int64_t count = tensor.elements() * (is_complex(type) ? 2 : 1);
  for (std::int64_t i = 0; i < count; ++i) {
    const double unit = static_cast<double>(next(state) >> 11) * 0x1p-53;
    TextReader::Number number;
    number.is_integer = whole || size_of(type) == 1;
    number.real = number.is_integer ? std::floor(lo + unit * (hi - lo + 1)) : lo + unit * (hi - lo);
    number.integer = static_cast<std::int64_t>(number.real);
    if (!store(tensor, i, number))
      return invalid_argument("rand: range ", lo, " to ", hi, " does not fit type ", name(type));
  }
  return tensor;
}

Result<Tensor> read_tensor_payload(TextReader& in, DataType type, const Shape& shape) {
  // A typing error in a test must not ask for all memory.
  constexpr std::int64_t kMaxElements = std::int64_t{1} << 30;
  FOVEA_ASSIGN(const std::int64_t elements, checked_elements(shape.dims()));
  if (type == DataType::undefined || elements > kMaxElements)
    return in.error("a known element type and at most 2^30 elements before this");
  if (in.accept_word("rand")) {
    FOVEA_RETURN_IF_ERROR(in.expect("("));
    FOVEA_ASSIGN(const TextReader::Number seed, in.number());
    FOVEA_RETURN_IF_ERROR(in.expect(","));
    FOVEA_ASSIGN(const TextReader::Number lo, in.number());
    FOVEA_RETURN_IF_ERROR(in.expect(","));
    FOVEA_ASSIGN(const TextReader::Number hi, in.number());
    FOVEA_RETURN_IF_ERROR(in.expect(")"));
    auto tensor = seeded_tensor(type, shape, static_cast<std::uint64_t>(seed.integer), lo.real, hi.real);
    if (!tensor.ok()) return in.error_at(in.place(), "a range of the type before this", tensor.status().message());
    return tensor;
  }
  if (in.accept_word("elided"))
    return in.error("a constant with its values (this text was printed with long constants left out) before this");
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, shape));
  if (in.accept_word("zeros")) return tensor;
  if (in.accept_word("ones")) {
    FOVEA_RETURN_IF_ERROR(store_all(in, tensor, {true, 1, 1}));
    return tensor;
  }
  if (in.accept_word("fill")) {
    FOVEA_RETURN_IF_ERROR(in.expect("("));
    FOVEA_ASSIGN(const TextReader::Number number, in.number());
    FOVEA_RETURN_IF_ERROR(in.expect(")"));
    FOVEA_RETURN_IF_ERROR(store_all(in, tensor, number));
    return tensor;
  }
  const std::int64_t count = elements * (is_complex(type) ? 2 : 1);
  if (!in.accept("[")) {
    if (count != 1) return in.error("'[', zeros, ones, fill(...) or rand(...)");
    FOVEA_RETURN_IF_ERROR(read_element(in, tensor, 0));
    return tensor;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    if (i) FOVEA_RETURN_IF_ERROR(in.expect(","));
    FOVEA_RETURN_IF_ERROR(read_element(in, tensor, i));
  }
  if (!in.accept("]")) return in.error(str_cat("']' after ", count, " elements"));
  return tensor;
}

}  // namespace fovea::ir
