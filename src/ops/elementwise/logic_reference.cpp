// SPDX-License-Identifier: Apache-2.0
// And, Or, Xor on bools; BitwiseAnd, BitwiseOr, BitwiseXor, BitShift on integers.
#include "ops/elementwise/binary_loop.h"

namespace fovea::ops {

namespace {

template <class F>
Status combine_bools(KernelContext& context, F f) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_RETURN_IF_ERROR(check_same_type(context, x, y));
  return dispatch<Bool>(x.type(), context.op(), [&](auto) {
    return map_pairs<std::uint8_t, std::uint8_t, std::uint8_t>(context, x, y, DataType::boolean, [&](auto a, auto b) { return f(a != 0, b != 0); });
  });
}

template <class F>
Status combine_bits(KernelContext& context, F f) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_RETURN_IF_ERROR(check_same_type(context, x, y));
  return dispatch_integers(x.type(), context.op(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_pairs<T, T, T>(context, x, y, x.type(), f);
  });
}

}  // namespace

Status and_reference(KernelContext& context) {
  return combine_bools(context, [](bool a, bool b) { return a && b; });
}
Status or_reference(KernelContext& context) {
  return combine_bools(context, [](bool a, bool b) { return a || b; });
}
Status xor_reference(KernelContext& context) {
  return combine_bools(context, [](bool a, bool b) { return a != b; });
}

Status bitwise_and_reference(KernelContext& context) {
  return combine_bits(context, [](auto a, auto b) { return a & b; });
}
Status bitwise_or_reference(KernelContext& context) {
  return combine_bits(context, [](auto a, auto b) { return a | b; });
}
Status bitwise_xor_reference(KernelContext& context) {
  return combine_bits(context, [](auto a, auto b) { return a ^ b; });
}

Status bit_shift_reference(KernelContext& context) {
  const Tensor &x = context.input(0), &y = context.input(1);
  FOVEA_RETURN_IF_ERROR(check_same_type(context, x, y));
  const bool left = context.attributes().get_string("direction") == "LEFT";
  return dispatch<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>(x.type(), "BitShift", [&](auto tag) {
    using T = typename decltype(tag)::type;
    return map_pairs<T, T, T>(context, x, y, x.type(), [=](T a, T b) {
      if (b >= sizeof(T) * 8) return T(0);
      return left ? static_cast<T>(static_cast<std::uint64_t>(a) << b) : static_cast<T>(a >> b);
    });
  });
}

}  // namespace fovea::ops
