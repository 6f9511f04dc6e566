// SPDX-License-Identifier: Apache-2.0
#include "onnx/seed_rule.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "onnx/tensor_reader.h"

namespace fovea::onnx {

namespace {

constexpr std::string_view kRulePrefix = "splitmix64-1:";
constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;  // 2^64 / golden ratio, odd

// The finaliser of SplitMix64, a bijection.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

// Exactly `digits` lower-case hexadecimal digits.
template <class Unsigned>
Result<Unsigned> read_hex(const proto::TensorProto& message, std::string_view key) {
  constexpr std::size_t kDigits = 2 * sizeof(Unsigned);
  std::string_view text;
  for (const auto& entry : message.external_data()) {
    if (entry.key() == key) text = entry.value();
  }
  Unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != kDigits || code != std::errc() || end != text.data() + text.size() || text.find_first_of("ABCDEF") != text.npos) {
    return invalid_model("seeded weight: expected ", kDigits, " hexadecimal digits for '", key, "', found ", in_quotes(text));
  }
  return value;
}

Result<float> read_float(const proto::TensorProto& message, std::string_view key) {
  FOVEA_ASSIGN(const std::uint32_t bits, read_hex<std::uint32_t>(message, key));
  const float value = std::bit_cast<float>(bits);
  if (!std::isfinite(value)) return invalid_model("seeded weight: expected a finite number for '", key, "', found ", value);
  return value;
}

}  // namespace

Result<std::uint64_t> read_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const std::string_view number = std::string_view(text).substr(text.starts_with(kRulePrefix) ? kRulePrefix.size() : text.size());
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), seed);
  const bool padded = number.size() > 1 && number[0] == '0';
  if (number.empty() || padded || code != std::errc() || end != number.data() + number.size()) {
    return invalid_model("metadata entry '", kSeedKey, "': expected '", kRulePrefix, "' and a number below 2^64, found ", in_quotes(text));
  }
  return seed;
}

Result<SeedRule> read_seed_rule(const proto::TensorProto& message) {
  SeedRule rule;
  FOVEA_ASSIGN(rule.stream, read_hex<std::uint64_t>(message, "stream"));
  FOVEA_ASSIGN(rule.mean, read_float(message, "mean"));
  FOVEA_ASSIGN(rule.scale, read_float(message, "scale"));
  return rule;
}

void generate_seeded(std::uint64_t seed, const SeedRule& rule, std::span<float> out) {
  const std::uint64_t key = mix(seed ^ mix(rule.stream));
  const double mean = rule.mean, scale = rule.scale;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto step = static_cast<std::int64_t>(mix(key + (i + 1) * kGolden) >> 40) - (std::int64_t{1} << 23);
    // 24 bits times 24 bits is exact in f64, so contraction into a fused multiply-add changes nothing.
    out[i] = static_cast<float>(mean + scale * (static_cast<double>(step) * 0x1p-23));
  }
}

}  // namespace fovea::onnx
