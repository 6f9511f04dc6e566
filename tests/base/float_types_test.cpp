// SPDX-License-Identifier: Apache-2.0
// Every 16-bit pattern survives a round trip, and conversion rounds to nearest even.
#include "base/float_types.h"

#include <cmath>

#include <gtest/gtest.h>

namespace fovea {
namespace {

template <class T>
void expect_all_patterns_round_trip() {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = T::from_bits(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(T(value))));
    } else {
      EXPECT_EQ(T(value).bits, bits);
    }
  }
}

TEST(Half, RoundTrips) { expect_all_patterns_round_trip<Half>(); }
TEST(BFloat16, RoundTrips) { expect_all_patterns_round_trip<BFloat16>(); }

TEST(Half, RoundsToNearestEven) {
  EXPECT_EQ(Half(1.0f + 0x1p-11f).bits, 0x3c00);              // tie, down to even
  EXPECT_EQ(Half(1.0f + 3 * 0x1p-11f).bits, 0x3c02);          // tie, up to even
  EXPECT_EQ(Half(65519.0f).bits, 0x7bff);
  EXPECT_EQ(Half(65520.0f).bits, 0x7c00);                     // infinity
  EXPECT_EQ(Half(0x1p-25f).bits, 0x0000);                     // tie with zero
  EXPECT_EQ(Half(0x1.8p-25f).bits, 0x0001);
}

}  // namespace
}  // namespace fovea
