// SPDX-License-Identifier: Apache-2.0
// Re-hashing of engine files, so that tests can put hostile contents behind correct hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/hash.h"

namespace fovea::test {

/// Offset and size of section `index`; {0, 0} when the table is not in the file.
inline std::pair<std::size_t, std::size_t> section_of(std::span<const std::byte> file, std::size_t index) {
  const std::size_t row = 64 + 64 * index;
  if (file.size() < row + 64) return {0, 0};
  std::uint64_t offset = 0, size = 0;
  std::memcpy(&offset, file.data() + row + 8, 8);
  std::memcpy(&size, file.data() + row + 16, 8);
  return offset <= file.size() && size <= file.size() - offset ? std::pair<std::size_t, std::size_t>(offset, size)
                                                               : std::pair<std::size_t, std::size_t>(0, 0);
}

/// Makes size, section hashes and table hash of a changed engine file correct again, as far as its table allows.
inline void rehash(std::vector<std::byte>& file) {
  if (file.size() < 128) return;
  std::uint32_t sections = 0;
  std::memcpy(&sections, file.data() + 8, 4);
  if (sections > 16 || file.size() < 64 + 64 * sections) return;
  const std::uint64_t size = file.size();
  std::memcpy(file.data() + 16, &size, 8);
  for (std::size_t i = 0; i < sections; ++i) {
    const auto [offset, bytes] = section_of(file, i);
    const Sha256 hash = sha256(std::span(file).subspan(offset, bytes));
    std::memcpy(file.data() + 64 + 64 * i + 24, hash.data(), hash.size());
  }
  const Sha256 hash = sha256(std::span(file).subspan(64, 64 * sections));
  std::memcpy(file.data() + 24, hash.data(), hash.size());
}

}  // namespace fovea::test
