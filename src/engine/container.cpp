// SPDX-License-Identifier: Apache-2.0
#include "engine/container.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/hash.h"

namespace fovea::engine {

static_assert(std::endian::native == std::endian::little, "engine files are read in place");

namespace {

constexpr char kMagic[6] = {'F', 'O', 'V', 'E', 'A', '\0'};
constexpr std::size_t kHeaderBytes = 64, kRowBytes = 64;
constexpr std::uint32_t kMaxSections = 16;
constexpr std::byte kZeros[kAlignment] = {};

struct Header {
  char magic[6];
  std::uint16_t version;
  std::uint32_t sections;
  std::uint32_t zero;
  std::uint64_t file_bytes;
  Sha256 table_hash;
  std::uint64_t zero2;
};
static_assert(sizeof(Header) == kHeaderBytes);

struct Row {
  std::uint32_t kind;
  std::uint32_t zero;
  std::uint64_t offset, size;
  Sha256 hash;
  std::uint64_t zero2;
};
static_assert(sizeof(Row) == kRowBytes);

std::uint64_t align_up(std::uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

std::span<const std::byte> bytes_of(const auto& object) { return std::as_bytes(std::span(&object, 1)); }

}  // namespace

Container make_container(std::span<const Section> sections) {
  Container container;
  std::vector<Row> rows;
  std::uint64_t offset = kHeaderBytes + kRowBytes * sections.size();
  container.pieces.emplace_back();
  for (const Section& section : sections) {
    Sha256Stream hash;
    std::uint64_t size = 0;
    for (const auto piece : section.pieces) {
      hash.add(piece);
      size += piece.size();
      container.pieces.push_back(piece);
    }
    rows.push_back({static_cast<std::uint32_t>(section.kind), 0, offset, size, hash.finish(), 0});
    const std::uint64_t end = offset + size;
    offset = align_up(end);
    container.pieces.push_back(std::span(kZeros).first(static_cast<std::size_t>(offset - end)));
  }
  const auto table = std::as_bytes(std::span(rows));
  Header header{{}, kFormatVersion, static_cast<std::uint32_t>(rows.size()), 0, offset, sha256(table), 0};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  container.header.assign(bytes_of(header).begin(), bytes_of(header).end());
  container.header.insert(container.header.end(), table.begin(), table.end());
  container.pieces[0] = container.header;
  return container;
}

Result<std::vector<SectionView>> read_container(std::span<const std::byte> bytes) {
  // 1. The header.
  Header header;
  if (bytes.size() < sizeof kMagic || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) {
    return Status(ErrorCode::InvalidModel, "not an engine file: it does not start with FOVEA",
                  "engine files are written by `fovea build MODEL.onnx -o NET.fovea`");
  }
  if (bytes.size() < kHeaderBytes) return invalid_model("engine file ends inside its header (", bytes.size(), " bytes)");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.version != kFormatVersion) {
    return Status(ErrorCode::Unsupported,
                  str_cat("engine file has format version ", header.version, ", this build reads ", kFormatVersion),
                  "build the engine again with this version of fovea");
  }
  if (header.file_bytes != bytes.size()) {
    return invalid_model("engine file should have ", header.file_bytes, " bytes, has ", bytes.size(),
                         header.file_bytes > bytes.size() ? " (truncated?)" : "");
  }
  if (header.zero != 0 || header.zero2 != 0) return invalid_model("engine file: reserved bytes of the header are not zero");
  if (header.sections == 0 || header.sections > kMaxSections) {
    return invalid_model("engine file: ", header.sections, " sections, expected 1 to ", kMaxSections);
  }
  // 2. The table.
  const std::size_t table_bytes = header.sections * kRowBytes;
  if (bytes.size() - kHeaderBytes < table_bytes) return invalid_model("engine file ends inside its section table");
  const auto table = bytes.subspan(kHeaderBytes, table_bytes);
  if (sha256(table) != header.table_hash) return invalid_model("engine file: section table does not match its SHA-256");
  std::vector<Row> rows(header.sections);
  std::memcpy(rows.data(), table.data(), table_bytes);
  // 3. The sections: where they must be, nothing between them, contents as hashed.
  std::vector<SectionView> sections;
  std::uint64_t expected = kHeaderBytes + table_bytes;
  for (const Row& row : rows) {
    const std::string where = str_cat("engine file, section ", sections.size(), " (kind ", row.kind, ")");
    if (row.zero != 0 || row.zero2 != 0) return invalid_model(where, ": reserved bytes are not zero");
    if (row.kind != static_cast<std::uint32_t>(SectionKind::Plan) && row.kind != static_cast<std::uint32_t>(SectionKind::Constants)) {
      return invalid_model(where, ": unknown kind");
    }
    if (row.offset != expected) return invalid_model(where, ": at offset ", row.offset, ", expected ", expected);
    if (row.offset > bytes.size() || row.size > bytes.size() - row.offset) {
      return invalid_model(where, ": ", row.size, " bytes at offset ", row.offset, " reach beyond the file");
    }
    const auto content = bytes.subspan(static_cast<std::size_t>(row.offset), static_cast<std::size_t>(row.size));
    expected = align_up(row.offset + row.size);
    if (expected > bytes.size()) return invalid_model(where, ": padding reaches beyond the file");
    const auto padding = bytes.subspan(static_cast<std::size_t>(row.offset + row.size), static_cast<std::size_t>(expected - row.offset - row.size));
    if (std::memcmp(padding.data(), kZeros, padding.size()) != 0) return invalid_model(where, ": padding is not zero");
    if (sha256(content) != row.hash) return invalid_model(where, ": contents do not match their SHA-256");
    sections.push_back({static_cast<SectionKind>(row.kind), content});
  }
  if (expected != bytes.size()) return invalid_model("engine file: ", bytes.size() - expected, " bytes after the last section");
  return sections;
}

}  // namespace fovea::engine
