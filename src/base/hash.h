// SPDX-License-Identifier: Apache-2.0
// SHA-256 (libsodium) of bytes.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

namespace fovea {

using Sha256 = std::array<unsigned char, 32>;
Sha256 sha256(std::span<const std::byte> bytes);

/// The same, piece by piece.
class Sha256Stream {
 public:
  Sha256Stream();
  void add(std::span<const std::byte> bytes);
  /// Once, at the end.
  Sha256 finish();

 private:
  alignas(64) std::array<std::byte, 128> state_;  // crypto_hash_sha256_state
};

/// 64 lower-case hexadecimal digits.
std::string to_hex(const Sha256& digest);

}  // namespace fovea
