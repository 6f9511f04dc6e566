// SPDX-License-Identifier: Apache-2.0
// The seed rule: weights of a light ONNX file, named by a stream of numbers instead of stored (docs/light_onnx.md).
// Bit for bit the same as models/fovea_models/seed.py; tests/onnx/seed_rule_test.cpp and its twin hold both to that.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"
#include "onnx/message_reader.h"

namespace fovea::onnx {

/// Location of external data that says "by the seed rule". No file has this name.
inline constexpr const char* kSeedLocation = "fovea:seed";
/// Key of the model's metadata entry: "splitmix64-1:" and the seed in decimal.
inline constexpr const char* kSeedKey = "fovea.seed";
/// Bytes that the seeded weights of one model may need: a small file must not ask for all memory.
inline constexpr std::int64_t kMaxSeededBytes = std::int64_t{2} << 30;

/// Uniform in [mean - scale, mean + scale).
struct SeedRule {
  std::uint64_t stream = 0;
  float mean = 0, scale = 0;
};

/// The seed of a metadata entry's text. InvalidModel when it is another rule or no number below 2^64.
Result<std::uint64_t> read_seed(const std::string& text);

/// The rule in a tensor's external data: "stream" in 16 hexadecimal digits, "mean" and "scale" as the 8 digits of their
/// f32 bits, both finite.
Result<SeedRule> read_seed_rule(const proto::TensorProto& message);

/// out[i] = f32(f64(mean) + f64(scale) * u), u = (mix(key + (i + 1) * G) >> 40) / 2^23 - 1, key = mix(seed ^ mix(stream)).
void generate_seeded(std::uint64_t seed, const SeedRule& rule, std::span<float> out);

}  // namespace fovea::onnx
