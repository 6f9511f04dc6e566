// SPDX-License-Identifier: Apache-2.0
#include "base/number_reader.h"

#include "base/float_types.h"
#include "base/minifloat.h"

namespace fovea {

double read_number(const Tensor& tensor, std::int64_t i) {
  const auto at = [&]<class T>(T) { return static_cast<double>(tensor.data<T>()[i]); };
  switch (tensor.type()) {
    case DataType::f32: return at(float());
    case DataType::f64: return at(double());
    case DataType::f16: return static_cast<float>(tensor.data<Half>()[i]);
    case DataType::bf16: return static_cast<float>(tensor.data<BFloat16>()[i]);
    case DataType::i8: case DataType::i4: case DataType::i2: return at(std::int8_t());
    case DataType::u8: case DataType::u4: case DataType::u2: return at(std::uint8_t());
    case DataType::boolean: return tensor.data<std::uint8_t>()[i] ? 1 : 0;
    case DataType::i16: return at(std::int16_t());
    case DataType::u16: return at(std::uint16_t());
    case DataType::i32: return at(std::int32_t());
    case DataType::u32: return at(std::uint32_t());
    case DataType::i64: return at(std::int64_t());
    case DataType::u64: return at(std::uint64_t());
    case DataType::f8e4m3fn: return tensor.data<F8E4M3FN>()[i];
    case DataType::f8e4m3fnuz: return tensor.data<F8E4M3FNUZ>()[i];
    case DataType::f8e5m2: return tensor.data<F8E5M2>()[i];
    case DataType::f8e5m2fnuz: return tensor.data<F8E5M2FNUZ>()[i];
    case DataType::f8e8m0: return tensor.data<F8E8M0>()[i];
    case DataType::f4e2m1: return tensor.data<F4E2M1>()[i];
    default: return 0;
  }
}

}  // namespace fovea
