// SPDX-License-Identifier: Apache-2.0
// The text form round-trips and its errors name the place.
#include "ir/text.h"

#include <gtest/gtest.h>

#include <set>

#include "base/float_types.h"
#include "ir/verify.h"

namespace fovea::ir {
namespace {

constexpr const char* kEverything =
    R"(graph everything(x: f32[1,3,H,floordiv(W+1,2)], "odd name": i64, s: seq(f32), o: optional(u8)[2], u) -> (y, b, z) {
  meta "producer" = "hand \"made\""
  const w: f32[2,2] = [0.1, -2.5, inf, 1e-30]
  const h: f16[3] = [0.5, 65504.0, nan]
  const i: i64[] = -9223372036854775808
  const big: u64[1] = [18446744073709551615]
  const flags: bool[2] = [true, false]
  const e: i4[2] = [-8, 7]
  const words: string[2] = ["a\nb", ""]
  const none: f32[0] = []
  y: f32[1,8,H,W]@nhwc = test::attributes(x) {a=1, b=1.5, c="text", d=[1,-2], e=[1.0,2.5], f=["p","q"], g=[], h=floats[], t=tensor(i32[2], [3, 4])} as "a node" from ["n1","n/2"]
  b, _ = fovea::two("odd name", _, w, h, i, big, flags, e, words, none)
  z = If(b, y) {captures=1}
    graph then_branch(p) -> (q) {
      q = Identity(p)
    }
    graph else_branch(p) -> (p) {
    }
}
)";

TEST(Text, RoundTripsEverything) {
  const auto graph = parse(kEverything);
  ASSERT_TRUE(graph.ok()) << graph.status().to_string();
  EXPECT_EQ(print(*graph), kEverything);
  EXPECT_TRUE(verify(*graph).ok()) << verify(*graph).to_string();
}

TEST(Text, GeneratedConstants) {
  const auto graph = parse(R"(graph g() -> (a, b, c, d) {
    const a: f32[2,2] = rand(7, -1, 1)
    const b: bf16[2] = ones   # comment
    const c: i8[3] = fill(-3)
    const d: i64[50] = rand(1, 0, 2)
  })");
  ASSERT_TRUE(graph.ok()) << graph.status().to_string();
  const auto& values = graph->value(graph->find_value("a")).constant;
  EXPECT_EQ(print(*parse(print(*graph))), print(*graph));
  for (float v : values.values<float>()) EXPECT_LE(std::abs(v), 1.0f);
  EXPECT_EQ(graph->value(graph->find_value("b")).constant.values<BFloat16>()[1], 1.0f);
  std::set<std::int64_t> seen;
  for (std::int64_t v : graph->value(graph->find_value("d")).constant.values<std::int64_t>()) seen.insert(v);
  EXPECT_EQ(seen, (std::set<std::int64_t>{0, 1, 2}));
}

TEST(Text, LongConstantsCanBeLeftOut) {
  const auto graph = parse("graph g() -> (a) { const a: f32[100] = zeros }");
  ASSERT_TRUE(graph.ok());
  TextOptions options;
  options.max_elements = 10;
  const std::string text = print(*graph, options);
  EXPECT_NE(text.find("elided("), std::string::npos) << text;
  const auto again = parse(text);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.status().message().find("left out"), std::string::npos);
}

struct BadText {
  const char* text;
  const char* phrase;
};

class TextErrors : public ::testing::TestWithParam<BadText> {};

TEST_P(TextErrors, NameThePlace) {
  const auto graph = parse(GetParam().text);
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.status().code(), ErrorCode::InvalidModel);
  EXPECT_NE(graph.status().message().find(GetParam().phrase), std::string::npos) << graph.status().message();
}

INSTANTIATE_TEST_SUITE_P(
    Text, TextErrors,
    ::testing::Values(BadText{"grph g() -> () {}", "line 1, column 1: expected 'graph'"},
                      BadText{"graph g(x: f33) -> () {}", "line 1, column 12: expected an element type, found 'f33"},
                      BadText{"graph g(x) -> (y) {\n  y = Relu(q)\n}",
                              "line 2, column 12: expected a value that is defined above, found 'q'"},
                      BadText{"graph g(x) -> (y) {\n}", "expected a value named 'y'"},
                      BadText{"graph g(x, x) -> () {}", "expected a new name"},
                      BadText{"graph g(x: f32[(]) -> () {}", "expected an extent"},
                      BadText{"graph g(x) -> (x) {", "found the end of the text"},
                      BadText{"graph g() -> () { const c: i8[1] = [128] }", "expected a value of type i8"},
                      BadText{"graph g() -> () { const c: i8[2] = [1] }", "expected ','"},
                      BadText{"graph g() -> () { const c: f32[N] = zeros }", "a shape without symbols"},
                      BadText{"graph g() -> () { const c: f32[99999999,99999999] = zeros }", "at most 2^30"},
                      BadText{"graph g(x) -> (y) { y = Relu(x) {a=1, a=2} }", "each attribute once"},
                      BadText{"graph g(x) -> (y) { y = Relu(y) }", "the node's own output"},
                      BadText{"graph g() -> () { meta \"open", "closing"},
                      BadText{"graph g() -> () {} more", "the end of the text"}));

}  // namespace
}  // namespace fovea::ir
