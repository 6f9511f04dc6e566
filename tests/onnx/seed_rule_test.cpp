// SPDX-License-Identifier: Apache-2.0
// Light files: weights by the seed rule, the same bits as models/fovea_models/seed.py, and what is refused.
#include "onnx/seed_rule.h"

#include <array>
#include <bit>

#include "support.h"

namespace fovea::testing {
namespace {

template <std::size_t N>
std::array<std::uint32_t, N> bits_of(std::uint64_t seed, const onnx::SeedRule& rule) {
  std::array<float, N> values{};
  onnx::generate_seeded(seed, rule, values);
  std::array<std::uint32_t, N> bits{};
  for (std::size_t i = 0; i < N; ++i) bits[i] = std::bit_cast<std::uint32_t>(values[i]);
  return bits;
}

// The numbers are also in tests/fovea_models/test_operators.py.
TEST(SeedRule, SameBitsAsPython) {
  const std::array<std::uint32_t, 6> plain = {0x3d9c19d8, 0xbe478546, 0xbd49e148, 0x3de5054c, 0x3e79c62e, 0xbddfdb50};
  EXPECT_EQ(bits_of<6>(0, {.stream = 0x796f8df88f56d987, .mean = 0, .scale = 0.25f}), plain);
  const std::array<std::uint32_t, 4> moved = {0x3f76ce18, 0x3f7c98f6, 0x3f6d82e4, 0x3f709f4a};
  EXPECT_EQ(bits_of<4>(~std::uint64_t{0}, {.stream = 1, .mean = 1, .scale = 0.1f}), moved);
}

std::string entries(const std::string& stream, const std::string& mean, const std::string& scale) {
  const auto entry = [](const std::string& key, const std::string& value) { return "external_data { key: '" + key + "' value: '" + value + "' } "; };
  return entry("location", "fovea:seed") + entry("stream", stream) + entry("mean", mean) + entry("scale", scale);
}

Result<Model> import_light(const std::string& rule, const std::string& seed = "splitmix64-1:0", const std::string& dims = "dims: 2 dims: 3",
                           const ImportOptions& options = {}, int type = 1) {
  const std::string graph = output("w", "dim { dim_value: 2 } dim { dim_value: 3 }") + "initializer { name: 'w' " + dims +
                            " data_type: " + std::to_string(type) + " data_location: EXTERNAL " + rule + " }";
  const std::string metadata = seed.empty() ? "" : "metadata_props { key: 'fovea.seed' value: '" + seed + "' }";
  const std::string bytes = parse("ir_version: 10 opset_import { version: 17 } graph { " + graph + " } " + metadata).SerializeAsString();
  return import_onnx(as_bytes(bytes), options);
}

const std::string kRule = entries("796f8df88f56d987", "00000000", "3e800000");

TEST(SeedRule, InitializersAreMade) {
  const auto model = import_light(kRule);
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  const Tensor& w = model->graph().value(model->graph().outputs[0]).constant;
  EXPECT_EQ(w.shape().to_string(), "2x3");
  EXPECT_EQ(std::bit_cast<std::uint32_t>(w.data<float>()[5]), 0xbddfdb50);
}

TEST(SeedRuleError, SeedOfTheModel) {
  EXPECT_ERROR(import_light(kRule, "").status(), InvalidModel, "fovea.seed");
  for (const std::string seed : {"0", "splitmix64-1:", "splitmix64-2:0", "splitmix64-1:-1", "splitmix64-1:01", "splitmix64-1:18446744073709551616", "splitmix64-1:1 "}) {
    EXPECT_ERROR(import_light(kRule, seed).status(), InvalidModel, "a number below 2^64");
  }
  EXPECT_TRUE(import_light(kRule, "splitmix64-1:18446744073709551615").ok());
}

TEST(SeedRuleError, RuleOfAWeight) {
  EXPECT_ERROR(import_light(entries("1", "00000000", "3e800000")).status(), InvalidModel, "expected 16 hexadecimal digits for 'stream'");
  EXPECT_ERROR(import_light(entries("796f8df88f56d98G", "00000000", "3e800000")).status(), InvalidModel, "'stream'");
  EXPECT_ERROR(import_light(entries("796f8df88f56d987", "0000000", "3e800000")).status(), InvalidModel, "'mean'");
  EXPECT_ERROR(import_light(entries("796f8df88f56d987", "00000000", "-e800000")).status(), InvalidModel, "'scale'");
  EXPECT_ERROR(import_light(entries("796f8df88f56d987", "00000000", "7f800000")).status(), InvalidModel, "finite");
  EXPECT_ERROR(import_light(entries("796f8df88f56d987", "7fc00000", "3e800000")).status(), InvalidModel, "finite");
  EXPECT_ERROR(import_light(kRule, "splitmix64-1:0", "dims: 6", {}, 7).status(), InvalidModel, "expected f32, found i64");
}

TEST(SeedRuleError, MoreMemoryThanAllowed) {
  ImportOptions little;
  little.max_weight_bytes = 16;
  EXPECT_ERROR(import_light(kRule, "splitmix64-1:0", "dims: 2 dims: 3", little).status(), ResourceExhausted, "limit of 16 bytes");
  EXPECT_ERROR(import_light(kRule, "splitmix64-1:0", "dims: 600000000").status(), ResourceExhausted, "seeded weights");
  EXPECT_ERROR(import_light(kRule, "splitmix64-1:0", "dims: 9000000000000000000").status(), InvalidModel, "overflows");
}

}  // namespace
}  // namespace fovea::testing
