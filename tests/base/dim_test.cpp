// SPDX-License-Identifier: Apache-2.0
#include "base/dim.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

Dim parse(const char* text) { return Dim::parse(text).value(); }

TEST(Dim, NormalFormFindsEqualities) {
  EXPECT_EQ(parse("2*H+H"), parse("3*H"));
  EXPECT_EQ(parse("N*H-H*N"), Dim(0));
  EXPECT_EQ(parse("floordiv(4*H+6,2)"), parse("2*H+3"));
  EXPECT_EQ(floor_div(parse("N*H"), parse("N")), parse("H"));
  EXPECT_EQ(floor_div(parse("12*H*W*N"), parse("4*W*N")), parse("3*H"));
  EXPECT_EQ(parse("floordiv(floordiv(H+1,2)+1,2)"), parse("floordiv(H+3,4)"));
  EXPECT_FALSE(parse("floordiv(H,2)*2") == parse("H"));
}

TEST(Dim, ExtremesAbsorbWhatTheyHold) {
  EXPECT_EQ(parse("max(H,max(W,H))"), parse("max(W,H)"));
  EXPECT_EQ(parse("max(max(H,W),H)"), parse("max(H,W)"));
  EXPECT_EQ(parse("max(H,min(1,H))"), parse("H"));
  EXPECT_EQ(parse("min(max(H,W),H)"), parse("H"));
  EXPECT_EQ(parse("min(H,min(H,3))"), parse("min(H,3)"));
  EXPECT_FALSE(parse("max(H,min(1,W))") == parse("H"));
  EXPECT_FALSE(parse("max(H,2*max(H,W))") == parse("2*max(H,W)"));
}

TEST(Dim, TextRoundTrips) {
  for (const char* text : {"3", "-1*N+2", "floordiv(H+1,2)*W", "max(H,1)", "mod(H,32)", "scale(H,1.5)", "ceildiv(H,W)"}) {
    const Dim dim = parse(text);
    EXPECT_EQ(parse(dim.to_string().c_str()), dim) << text << " printed as " << dim.to_string();
  }
}

TEST(Dim, EvaluatesAndNamesWhatIsMissing) {
  const Bindings bindings{{"H", 7}, {"W", 3}};
  EXPECT_EQ(parse("floordiv(H+1,2)*W").evaluate(bindings).value(), 12);
  EXPECT_EQ(parse("floordiv(-1*H,2)").evaluate(bindings).value(), -4);
  EXPECT_EQ(parse("scale(H,1.5)").evaluate(bindings).value(), 10);
  const auto missing = parse("N+1").evaluate(bindings);
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.status().message().find("'N'"), std::string::npos);
  EXPECT_EQ(parse("mod(H,W-3)").evaluate(bindings).status().code(), ErrorCode::InvalidArgument);
}

TEST(Dim, OverflowIsAnErrorNotAWrap) {
  const Bindings bindings{{"H", INT64_MAX / 2}};
  EXPECT_EQ(parse("H*H").evaluate(bindings).status().code(), ErrorCode::InvalidArgument);
}

TEST(Dim, ProductsOfLongSumsStayShort) {
  Dim sum;
  for (const char* symbol : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) sum = sum + Dim::symbol(symbol);
  Dim power = sum;
  for (int i = 0; i < 6; ++i) power = power * sum;
  EXPECT_LT(power.to_string().size(), 2000u);
  Bindings bindings;
  for (const char* symbol : {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}) bindings.emplace(symbol, 1);
  EXPECT_EQ(power.evaluate(bindings).value(), 10'000'000);
}

}  // namespace
}  // namespace fovea
