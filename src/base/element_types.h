// SPDX-License-Identifier: Apache-2.0
// The C++ type behind each DataType and dispatch from one to the other.
// 4-bit and 2-bit integers lie sign- or zero-extended in one byte; a bool is a byte, zero or not.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <type_traits>

#include "base/check.h"
#include "base/float_types.h"
#include "base/minifloat.h"
#include "fovea/tensor.h"

namespace fovea {

// Distinct types, so that a template knows the width it has to keep.
struct Int4 { std::int8_t value = 0; };
struct UInt4 { std::uint8_t value = 0; };
struct Int2 { std::int8_t value = 0; };
struct UInt2 { std::uint8_t value = 0; };
struct Bool { std::uint8_t value = 0; };

/// An integer of eight bits.
inline bool is_byte(DataType type) { return type == DataType::i8 || type == DataType::u8; }

template <class T> struct TypeTag { using type = T; };

template <class T> inline constexpr DataType kTypeOf = DataType::undefined;
template <> inline constexpr DataType kTypeOf<float> = DataType::f32;
template <> inline constexpr DataType kTypeOf<Half> = DataType::f16;
template <> inline constexpr DataType kTypeOf<BFloat16> = DataType::bf16;
template <> inline constexpr DataType kTypeOf<double> = DataType::f64;
template <> inline constexpr DataType kTypeOf<std::int8_t> = DataType::i8;
template <> inline constexpr DataType kTypeOf<std::uint8_t> = DataType::u8;
template <> inline constexpr DataType kTypeOf<std::int16_t> = DataType::i16;
template <> inline constexpr DataType kTypeOf<std::uint16_t> = DataType::u16;
template <> inline constexpr DataType kTypeOf<std::int32_t> = DataType::i32;
template <> inline constexpr DataType kTypeOf<std::uint32_t> = DataType::u32;
template <> inline constexpr DataType kTypeOf<std::int64_t> = DataType::i64;
template <> inline constexpr DataType kTypeOf<std::uint64_t> = DataType::u64;
template <> inline constexpr DataType kTypeOf<Bool> = DataType::boolean;
template <> inline constexpr DataType kTypeOf<bool> = DataType::boolean;
template <> inline constexpr DataType kTypeOf<std::string> = DataType::string;
template <> inline constexpr DataType kTypeOf<std::complex<float>> = DataType::c64;
template <> inline constexpr DataType kTypeOf<std::complex<double>> = DataType::c128;
template <> inline constexpr DataType kTypeOf<F8E4M3FN> = DataType::f8e4m3fn;
template <> inline constexpr DataType kTypeOf<F8E4M3FNUZ> = DataType::f8e4m3fnuz;
template <> inline constexpr DataType kTypeOf<F8E5M2> = DataType::f8e5m2;
template <> inline constexpr DataType kTypeOf<F8E5M2FNUZ> = DataType::f8e5m2fnuz;
template <> inline constexpr DataType kTypeOf<F8E8M0> = DataType::f8e8m0;
template <> inline constexpr DataType kTypeOf<F4E2M1> = DataType::f4e2m1;
template <> inline constexpr DataType kTypeOf<Int4> = DataType::i4;
template <> inline constexpr DataType kTypeOf<UInt4> = DataType::u4;
template <> inline constexpr DataType kTypeOf<Int2> = DataType::i2;
template <> inline constexpr DataType kTypeOf<UInt2> = DataType::u2;

/// Calls f(TypeTag<T>) with the T of `type` among the listed types; `where` names the operator in the error.
template <class... T, class F>
Status dispatch(DataType type, std::string_view where, F&& f) {
  Status status;
  const bool found = ((type == kTypeOf<T> && (status = f(TypeTag<T>()), true)) || ...);
  return found ? status : unsupported(where, ": element type ", name(type), " is not supported");
}

/// Lists of types for dispatch: dispatch_floats(type, where, f) and so on.
template <class F>
Status dispatch_floats(DataType type, std::string_view where, F&& f) {
  return dispatch<float, double, Half, BFloat16>(type, where, f);
}
template <class F>
Status dispatch_integers(DataType type, std::string_view where, F&& f) {
  return dispatch<std::int64_t, std::int32_t, std::uint8_t, std::int8_t, std::int16_t, std::uint16_t, std::uint32_t, std::uint64_t>(
      type, where, f);
}
template <class F>
Status dispatch_numeric(DataType type, std::string_view where, F&& f) {
  return is_integer(type) ? dispatch_integers(type, where, f) : dispatch_floats(type, where, f);
}
template <class F>
Status dispatch_all_but_complex(DataType type, std::string_view where, F&& f) {
  switch (type) {
    case DataType::boolean: return f(TypeTag<Bool>());
    case DataType::string: return f(TypeTag<std::string>());
    case DataType::i4: case DataType::u4: case DataType::i2: case DataType::u2:
      return dispatch<Int4, UInt4, Int2, UInt2>(type, where, f);
    case DataType::f8e4m3fn: case DataType::f8e4m3fnuz: case DataType::f8e5m2: case DataType::f8e5m2fnuz: case DataType::f8e8m0:
    case DataType::f4e2m1:
      return dispatch<F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F8E8M0, F4E2M1>(type, where, f);
    default: return dispatch_numeric(type, where, f);
  }
}

/// 16-bit floats, computed in float; everything else is its own compute type.
template <class T> inline constexpr bool kIsHalf = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T> inline constexpr bool kIsFloat = std::is_floating_point_v<T> || kIsHalf<T>;
/// The type to accumulate or evaluate functions in: double for float and double, float for the 16-bit types.
template <class T> using Wide = std::conditional_t<kIsHalf<T>, float, std::conditional_t<std::is_same_v<T, float>, double, T>>;

/// Bits of one element as ONNX counts them (4 for i4, though it takes a byte here); 0 for string.
inline int bits_of(DataType type) {
  switch (type) {
    case DataType::string: case DataType::undefined: return 0;
    case DataType::i4: case DataType::u4: case DataType::f4e2m1: return 4;
    case DataType::i2: case DataType::u2: return 2;
    default: return static_cast<int>(size_of(type)) * 8;
  }
}

}  // namespace fovea
