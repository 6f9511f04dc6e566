// SPDX-License-Identifier: Apache-2.0
// The numbers ONNX gives to element types. Attributes that name a type (`to`, `dtype`, `output_dtype` ...)
// keep ONNX's number in the graph; kernels and shape rules translate it with data_type_from_onnx().
#pragma once

#include <array>
#include <cstdint>

#include "fovea/tensor.h"

namespace fovea {

// TensorProto.DataType of the ONNX IR, index = number.
inline constexpr std::array<DataType, 27> kOnnxDataTypes = {
    DataType::undefined,  DataType::f32,        DataType::u8,      DataType::i8,         DataType::u16,    DataType::i16,
    DataType::i32,        DataType::i64,        DataType::string,  DataType::boolean,    DataType::f16,    DataType::f64,
    DataType::u32,        DataType::u64,        DataType::c64,     DataType::c128,       DataType::bf16,   DataType::f8e4m3fn,
    DataType::f8e4m3fnuz, DataType::f8e5m2,     DataType::f8e5m2fnuz, DataType::u4,      DataType::i4,     DataType::f4e2m1,
    DataType::f8e8m0,     DataType::u2,         DataType::i2};

/// undefined for 0 and for numbers that ONNX does not define.
constexpr DataType data_type_from_onnx(std::int64_t number) {
  return number > 0 && number < static_cast<std::int64_t>(kOnnxDataTypes.size()) ? kOnnxDataTypes[static_cast<std::size_t>(number)]
                                                                                : DataType::undefined;
}

/// 0 for undefined.
constexpr std::int64_t onnx_number(DataType type) {
  for (std::size_t i = 0; i < kOnnxDataTypes.size(); ++i) {
    if (kOnnxDataTypes[i] == type) return static_cast<std::int64_t>(i);
  }
  return 0;
}

}  // namespace fovea
