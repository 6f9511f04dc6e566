// SPDX-License-Identifier: Apache-2.0
// The 8-bit and 4-bit floats of ONNX: storage types of one byte that convert to float exactly and from
// double with one rounding to nearest even. Out-of-range values saturate or become infinity/NaN, as asked.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fovea {

/// Which bit patterns are not finite numbers.
enum class MiniFloatSpecials : std::uint8_t {
  ieee,    ///< largest exponent: infinities and NaNs (E5M2)
  fn,      ///< no infinities; all exponent and mantissa bits set is NaN (E4M3FN)
  fnuz,    ///< no infinities, no negative zero: its pattern is the only NaN (E4M3FNUZ, E5M2FNUZ)
  finite,  ///< every pattern is a number (E2M1); NaN becomes negative zero
};

template <int kExponentBits, int kMantissaBits, int kBias, MiniFloatSpecials kSpecials>
struct MiniFloat {
  std::uint8_t bits = 0;

  static constexpr int kSignBit = 1 << (kExponentBits + kMantissaBits);
  static constexpr int kMagnitudeMask = kSignBit - 1;
  static constexpr int kMantissaMask = (1 << kMantissaBits) - 1;
  /// Pattern of the largest finite number.
  static constexpr int kMaxBits = kSpecials == MiniFloatSpecials::ieee ? (((1 << kExponentBits) - 1) << kMantissaBits) - 1
                                  : kSpecials == MiniFloatSpecials::fn ? kMagnitudeMask - 1
                                                                       : kMagnitudeMask;

  MiniFloat() = default;
  explicit MiniFloat(double value, bool saturate = true) : bits(encode(value, saturate)) {}
  static MiniFloat from_bits(std::uint8_t bits) {
    MiniFloat value;
    value.bits = bits;
    return value;
  }
  static float max() { return from_bits(kMaxBits); }

  operator float() const {
    const bool negative = (bits & kSignBit) != 0;
    const int magnitude = bits & kMagnitudeMask;
    if (kSpecials == MiniFloatSpecials::fnuz && negative && magnitude == 0) return std::numeric_limits<float>::quiet_NaN();
    if (kSpecials != MiniFloatSpecials::fnuz && kSpecials != MiniFloatSpecials::finite && magnitude > kMaxBits) {
      const bool infinite = kSpecials == MiniFloatSpecials::ieee && magnitude == kMaxBits + 1;
      const float special = infinite ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
      return negative ? -special : special;
    }
    const int exponent = magnitude >> kMantissaBits;
    const int mantissa = magnitude & kMantissaMask;
    const float value = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), 1 - kBias - kMantissaBits)
                                      : std::ldexp(static_cast<float>(mantissa | (kMantissaMask + 1)), exponent - kBias - kMantissaBits);
    return negative ? -value : value;
  }

 private:
  static std::uint8_t encode(double value, bool saturate) {
    const int sign = std::signbit(value) ? kSignBit : 0;
    if (std::isnan(value)) {
      if (kSpecials == MiniFloatSpecials::fnuz || kSpecials == MiniFloatSpecials::finite) return kSignBit;
      return static_cast<std::uint8_t>(sign | (kSpecials == MiniFloatSpecials::ieee ? kMaxBits + 2 : kMagnitudeMask));
    }
    const double magnitude = std::fabs(value);
    int pattern = kMaxBits + 1;  // out of range
    if (magnitude == 0) {
      pattern = 0;
    } else if (std::isfinite(magnitude)) {
      // Mantissa as an integer in units of the last place; a carry runs into the exponent by itself.
      const int exponent = std::max(std::ilogb(magnitude), 1 - kBias);
      const double scaled = std::nearbyint(std::ldexp(magnitude, kMantissaBits - exponent));
      if (exponent + kBias <= (1 << kExponentBits)) {
        pattern = ((exponent + kBias - 1) << kMantissaBits) + static_cast<int>(scaled);
      }
    }
    if (pattern > kMaxBits) {
      if (saturate || kSpecials == MiniFloatSpecials::finite) {
        pattern = kMaxBits;
      } else if (kSpecials == MiniFloatSpecials::ieee) {
        pattern = kMaxBits + 1;
      } else if (kSpecials == MiniFloatSpecials::fn) {
        pattern = kMagnitudeMask;
      } else {
        return kSignBit;
      }
    }
    if (kSpecials == MiniFloatSpecials::fnuz && pattern == 0) return 0;
    return static_cast<std::uint8_t>(sign | pattern);
  }
};

using F8E4M3FN = MiniFloat<4, 3, 7, MiniFloatSpecials::fn>;
using F8E4M3FNUZ = MiniFloat<4, 3, 8, MiniFloatSpecials::fnuz>;
using F8E5M2 = MiniFloat<5, 2, 15, MiniFloatSpecials::ieee>;
using F8E5M2FNUZ = MiniFloat<5, 2, 16, MiniFloatSpecials::fnuz>;
using F4E2M1 = MiniFloat<2, 1, 1, MiniFloatSpecials::finite>;

/// A power of two, 2^(bits - 127), or NaN (255): the scale type of microscaling formats.
struct F8E8M0 {
  enum class Round : std::uint8_t { up, down, nearest };  ///< nearest: ties go up
  std::uint8_t bits = 0;

  F8E8M0() = default;
  /// The sign of the value is ignored, as ONNX leaves negative values open.
  explicit F8E8M0(double value, bool saturate = true, Round round = Round::up) : bits(encode(value, saturate, round)) {}
  static F8E8M0 from_bits(std::uint8_t bits) {
    F8E8M0 value;
    value.bits = bits;
    return value;
  }
  operator float() const { return bits == 255 ? std::numeric_limits<float>::quiet_NaN() : std::ldexp(1.0f, bits - 127); }

 private:
  static std::uint8_t encode(double value, bool saturate, Round round) {
    if (std::isnan(value)) return 255;
    const double magnitude = std::fabs(value);
    if (magnitude == 0) return saturate ? 0 : 255;
    if (std::isinf(magnitude)) return saturate ? 254 : 255;
    int exponent = std::ilogb(magnitude);
    const double fraction = std::ldexp(magnitude, -exponent);  // in [1, 2)
    if ((round == Round::up && fraction > 1) || (round == Round::nearest && fraction >= 1.5)) ++exponent;
    if (exponent < -127) return saturate ? 0 : 255;
    if (exponent > 127) return saturate ? 254 : 255;
    return static_cast<std::uint8_t>(exponent + 127);
  }
};

}  // namespace fovea
