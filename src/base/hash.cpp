// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <sodium.h>

namespace fovea {

Sha256 sha256(std::span<const std::byte> bytes) {
  Sha256 digest;
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return digest;
}

namespace {

crypto_hash_sha256_state* state_of(std::array<std::byte, 128>& bytes) {
  static_assert(sizeof(crypto_hash_sha256_state) <= sizeof bytes);
  return reinterpret_cast<crypto_hash_sha256_state*>(bytes.data());
}

}  // namespace

Sha256Stream::Sha256Stream() { crypto_hash_sha256_init(state_of(state_)); }

void Sha256Stream::add(std::span<const std::byte> bytes) {
  crypto_hash_sha256_update(state_of(state_), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
}

Sha256 Sha256Stream::finish() {
  Sha256 digest;
  crypto_hash_sha256_final(state_of(state_), digest.data());
  return digest;
}

std::string to_hex(const Sha256& digest) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace fovea
