// SPDX-License-Identifier: Apache-2.0
// The outer form of an engine file: a header, a table of sections, the sections. Knows nothing of plans.
//
//   0  "FOVEA\0"            6  version u16       8  number of sections u32   12  zero u32
//   16 bytes in file u64    24 SHA-256 of the section table                  56  zero u64
//   64 section table, 64 bytes a row: kind u32, zero u32, offset u64, size u64, SHA-256 of the section, zero u64
//   then the sections in the order of the table, each at the next multiple of 64, gaps zero. All little-endian.
//
// There is exactly one valid way to write given sections, so any changed bit is an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"

namespace fovea::engine {

inline constexpr std::uint16_t kFormatVersion = 1;
inline constexpr std::size_t kAlignment = 64;

enum class SectionKind : std::uint32_t {
  Plan = 1,       ///< FlatBuffer of engine.fbs
  Constants = 2,  ///< tensors' bytes, each at a multiple of 64
};

/// A section to be written: pieces that follow each other.
struct Section {
  SectionKind kind;
  std::vector<std::span<const std::byte>> pieces;
};

/// Header, table and padding, with the pieces they surround: what a file consists of, in order.
struct Container {
  std::vector<std::span<const std::byte>> pieces;
  std::vector<std::byte> header;  ///< backs the first piece; keep the Container alive while `pieces` is used
};
Container make_container(std::span<const Section> sections);

struct SectionView {
  SectionKind kind;
  std::span<const std::byte> bytes;
};

/// Checks everything the header and the table promise, hashes included. `bytes` must start at a multiple of 64
/// in memory. Errors are InvalidModel; Unsupported for another format version.
Result<std::vector<SectionView>> read_container(std::span<const std::byte> bytes);

}  // namespace fovea::engine
