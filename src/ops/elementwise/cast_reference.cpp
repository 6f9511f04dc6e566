// SPDX-License-Identifier: Apache-2.0
// Cast, CastLike, BitCast. The conversions themselves are in element_cast.cpp.
#include <cstring>

#include "base/onnx_data_type.h"
#include "ops/elementwise/element_cast.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

namespace {

Status cast_to(KernelContext& context, DataType type) {
  const Tensor& x = context.input(0);
  CastOptions options;
  options.saturate = context.attributes().get_int("saturate", 1) != 0;
  const std::string mode = context.attributes().get_string("round_mode", "up");
  options.e8m0_round = mode == "down" ? F8E8M0::Round::down : mode == "nearest" ? F8E8M0::Round::nearest : F8E8M0::Round::up;
  FOVEA_ASSIGN(Tensor y, context.output(0, type, x.shape()));
  return cast_elements(x, y, context.op(), options);
}

}  // namespace

Status cast_reference(KernelContext& context) {
  const std::int64_t number = context.attributes().get_int("to");
  const DataType type = data_type_from_onnx(number);
  if (type == DataType::undefined) return invalid_argument("Cast: attribute 'to' is ", number, ", which names no element type");
  return cast_to(context, type);
}

Status cast_like_reference(KernelContext& context) { return cast_to(context, context.input(1).type()); }

Status bit_cast_reference(KernelContext& context) {
  const Tensor& x = context.input(0);
  const DataType type = data_type_from_onnx(context.attributes().get_int("to"));
  if (bits_of(type) == 0 || bits_of(type) != bits_of(x.type())) {
    return invalid_argument("BitCast: ", name(x.type()), " and ", name(type), " have different widths");
  }
  FOVEA_ASSIGN(Tensor y, context.output(0, type, x.shape()));
  if (x.bytes() > 0) std::memcpy(y.raw(), x.raw(), x.bytes());
  // Integers below a byte are kept extended to the byte, so the upper bits follow the target's signedness.
  const int bits = bits_of(type);
  if (bits >= 8) return {};
  for (std::uint8_t& byte : y.values<std::uint8_t>()) {
    const int low = byte & ((1 << bits) - 1);
    const bool negative = is_integer(type) && is_signed(type) && (low >> (bits - 1)) != 0;
    byte = static_cast<std::uint8_t>(negative ? low - (1 << bits) : low);
  }
  return {};
}

}  // namespace fovea::ops
