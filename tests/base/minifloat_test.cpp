// SPDX-License-Identifier: Apache-2.0
// All patterns of the 8-bit and 4-bit floats, against the formats' definition and by round trips.
#include "base/minifloat.h"

#include <gtest/gtest.h>

#include <vector>

namespace fovea {
namespace {

template <class T>
class MiniFloatTest : public ::testing::Test {};
using Formats = ::testing::Types<F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ, F4E2M1>;
TYPED_TEST_SUITE(MiniFloatTest, Formats);

TYPED_TEST(MiniFloatTest, EveryPatternSurvivesARoundTrip) {
  for (int bits = 0; bits < 2 * TypeParam::kSignBit; ++bits) {
    const float value = TypeParam::from_bits(static_cast<std::uint8_t>(bits));
    const TypeParam back(value, false);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(static_cast<float>(back))) << bits;
    } else {
      EXPECT_EQ(back.bits, bits) << value;
    }
  }
}

// The nearest number found by search over all patterns, ties to the even pattern, decides each rounding.
TYPED_TEST(MiniFloatTest, RoundsToTheNearestPattern) {
  for (int bits = 0; bits < TypeParam::kMaxBits; ++bits) {
    const double low = static_cast<float>(TypeParam::from_bits(static_cast<std::uint8_t>(bits)));
    const double high = static_cast<float>(TypeParam::from_bits(static_cast<std::uint8_t>(bits + 1)));
    ASSERT_LT(low, high);
    const double middle = (low + high) / 2;
    EXPECT_EQ(TypeParam(middle).bits, bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(TypeParam(std::nextafter(middle, 0)).bits, bits);
    EXPECT_EQ(TypeParam(std::nextafter(middle, high)).bits, bits + 1);
    EXPECT_EQ(static_cast<float>(TypeParam(-high)), -static_cast<float>(high));
  }
}

TYPED_TEST(MiniFloatTest, SaturatesOrOverflows) {
  const float inf = std::numeric_limits<float>::infinity();
  const float max = TypeParam::max();
  for (const float big : {inf, 1e6f, max * 2}) {
    EXPECT_EQ(static_cast<float>(TypeParam(big, true)), max);
    EXPECT_EQ(static_cast<float>(TypeParam(-big, true)), -max);
    const float overflowed = TypeParam(big, false);
    if (std::is_same_v<TypeParam, F8E5M2>) {
      EXPECT_EQ(overflowed, inf);
    } else if (std::is_same_v<TypeParam, F4E2M1>) {
      EXPECT_EQ(overflowed, max);
    } else {
      EXPECT_TRUE(std::isnan(overflowed));
    }
  }
}

TEST(MiniFloat, LargestNumbers) {
  EXPECT_EQ(F8E4M3FN::max(), 448.0f);
  EXPECT_EQ(F8E4M3FNUZ::max(), 240.0f);
  EXPECT_EQ(F8E5M2::max(), 57344.0f);
  EXPECT_EQ(F8E5M2FNUZ::max(), 57344.0f);
  EXPECT_EQ(F4E2M1::max(), 6.0f);
}

TEST(MiniFloat, Float4Values) {
  const std::vector<float> values = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(static_cast<float>(F4E2M1::from_bits(static_cast<std::uint8_t>(i))), values[i]);
}

TEST(MiniFloat, NoNegativeZeroInFnuz) {
  EXPECT_EQ(F8E4M3FNUZ(-0.0).bits, 0);
  EXPECT_EQ(F8E5M2FNUZ(-1e-9).bits, 0);
  EXPECT_EQ(F8E4M3FN(-0.0).bits, 0x80);
}

TEST(F8E8M0, PowersOfTwo) {
  using Round = F8E8M0::Round;
  for (int bits = 0; bits < 255; ++bits) {
    const float value = F8E8M0::from_bits(static_cast<std::uint8_t>(bits));
    for (const Round round : {Round::up, Round::down, Round::nearest}) EXPECT_EQ(F8E8M0(value, true, round).bits, bits);
  }
  EXPECT_EQ(static_cast<float>(F8E8M0(1.1)), 2.0f);
  EXPECT_EQ(static_cast<float>(F8E8M0(1.9, true, Round::down)), 1.0f);
  EXPECT_EQ(static_cast<float>(F8E8M0(1.5, true, Round::nearest)), 2.0f);
  EXPECT_EQ(static_cast<float>(F8E8M0(1.4, true, Round::nearest)), 1.0f);
  EXPECT_EQ(F8E8M0(1e300).bits, 254);
  EXPECT_EQ(F8E8M0(1e300, false).bits, 255);
  EXPECT_EQ(F8E8M0(0.0).bits, 0);
  EXPECT_EQ(F8E8M0(std::nan("")).bits, 255);
}

}  // namespace
}  // namespace fovea
