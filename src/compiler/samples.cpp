// SPDX-License-Identifier: Apache-2.0
#include "compiler/samples.h"

#include "base/float_types.h"

namespace fovea {

namespace {

/// SplitMix64 (Steele, Lea, Flood 2014): one multiply-xor chain per number, no state to carry around.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

float unit(std::uint64_t seed, std::int64_t i) {
  return static_cast<float>(mix(seed * 0x100000001b3u + static_cast<std::uint64_t>(i)) >> 40) * 0x1p-24f;
}

template <class T, class F>
void fill(Tensor& tensor, F value) {
  for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.data<T>()[i] = static_cast<T>(value(i));
}

}  // namespace

Result<Tensor> make_sample(DataType type, const Shape& shape, std::uint64_t seed) {
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, shape));
  const auto uniform = [&](std::int64_t i) { return unit(seed, i); };
  const auto byte = [&](std::int64_t i) { return static_cast<int>(unit(seed, i) * 256.0f); };
  switch (type) {
    case DataType::f32: fill<float>(tensor, uniform); break;
    case DataType::f64: fill<double>(tensor, uniform); break;
    case DataType::f16: fill<Half>(tensor, uniform); break;
    case DataType::bf16: fill<BFloat16>(tensor, uniform); break;
    case DataType::u8: fill<std::uint8_t>(tensor, byte); break;
    case DataType::i8: fill<std::int8_t>(tensor, [&](std::int64_t i) { return byte(i) - 128; }); break;
    case DataType::boolean: fill<std::uint8_t>(tensor, [](std::int64_t) { return 1; }); break;
    case DataType::i16: case DataType::u16: fill<std::int16_t>(tensor, [](std::int64_t) { return 1; }); break;
    case DataType::i32: case DataType::u32: fill<std::int32_t>(tensor, [](std::int64_t) { return 1; }); break;
    case DataType::i64: case DataType::u64: fill<std::int64_t>(tensor, [](std::int64_t) { return 320; }); break;
    default: break;  // zeros, empty strings
  }
  return tensor;
}

}  // namespace fovea
