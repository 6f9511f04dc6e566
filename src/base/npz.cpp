// SPDX-License-Identifier: Apache-2.0
// The part of the zip format that npz files use. Layout: local headers with contents, then the central directory,
// then its end record. Reading trusts the central directory and checks the local headers against the file's size.
#include "base/npz.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "base/file.h"

namespace fovea {

namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint16_t kStored = 0, kDeflated = 8;
constexpr std::uint16_t kZip64 = 1;  // extra field
constexpr std::size_t kMaxEntries = 65536;
constexpr std::uint16_t kDosDate = (1 << 5) | 1;  // 1980-01-01, the format's zero
constexpr std::uint16_t kSee64 = 0xffff;          // "the value stands in the zip64 field"
constexpr std::uint32_t kSee64Wide = 0xffffffff;

struct Entry {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, size = 0, offset = 0;
};

/// Little-endian reading with bounds; past the end it gives zeros and remembers.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::uint64_t at) : bytes_(bytes), at_(at) {}
  template <class T>
  T read() {
    T value{};
    const auto part = take(sizeof(T));
    if (part.size() == sizeof(T)) std::memcpy(&value, part.data(), sizeof(T));
    return value;
  }
  std::span<const std::byte> take(std::uint64_t count) {
    ok_ = ok_ && at_ <= bytes_.size() && count <= bytes_.size() - at_;
    if (!ok_) return {};
    const auto part = bytes_.subspan(static_cast<std::size_t>(at_), static_cast<std::size_t>(count));
    at_ += count;
    return part;
  }
  bool ok() const { return ok_; }
  std::uint64_t at() const { return at_; }

 private:
  std::span<const std::byte> bytes_;
  std::uint64_t at_;
  bool ok_ = true;
};

struct Directory {
  std::uint64_t offset = 0, size = 0, entries = 0;
};

Result<Directory> find_directory(std::span<const std::byte> bytes) {
  constexpr std::size_t kEndBytes = 22, kMaxComment = 65535;
  if (bytes.size() < kEndBytes) return invalid_model("npz: too short for a zip archive");
  const std::size_t lowest = bytes.size() > kEndBytes + kMaxComment ? bytes.size() - kEndBytes - kMaxComment : 0;
  for (std::size_t at = bytes.size() - kEndBytes + 1; at-- > lowest;) {
    Cursor cursor(bytes, at);
    if (cursor.read<std::uint32_t>() != kEnd) continue;
    cursor.take(6);
    Directory directory;
    directory.entries = cursor.read<std::uint16_t>();
    directory.size = cursor.read<std::uint32_t>();
    directory.offset = cursor.read<std::uint32_t>();
    if (directory.entries != kSee64 && directory.size != kSee64Wide && directory.offset != kSee64Wide) return directory;
    Cursor locator(bytes, at >= 20 ? at - 20 : bytes.size());
    if (locator.read<std::uint32_t>() != kLocator64) return directory;
    locator.take(4);
    Cursor end64(bytes, locator.read<std::uint64_t>());
    if (!locator.ok() || end64.read<std::uint32_t>() != kEnd64) return invalid_model("npz: bad zip64 end record");
    end64.take(8 + 2 + 2 + 4 + 4 + 8);
    directory.entries = end64.read<std::uint64_t>();
    directory.size = end64.read<std::uint64_t>();
    directory.offset = end64.read<std::uint64_t>();
    if (!end64.ok()) return invalid_model("npz: bad zip64 end record");
    return directory;
  }
  return invalid_model("npz: no zip directory (truncated?)");
}

/// Takes the 64-bit sizes from an extra field where the 32-bit ones are all ones.
void apply_zip64(std::span<const std::byte> extra, Entry& entry) {
  Cursor cursor(extra, 0);
  while (cursor.ok() && cursor.at() + 4 <= extra.size()) {
    const auto id = cursor.read<std::uint16_t>();
    const auto field = cursor.take(cursor.read<std::uint16_t>());
    if (id != kZip64) continue;
    Cursor values(field, 0);
    for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.offset}) {
      if (*value != kSee64Wide) continue;
      const auto wide = values.read<std::uint64_t>();
      if (values.ok()) *value = wide;
    }
  }
}

Result<std::vector<Entry>> read_directory(std::span<const std::byte> bytes) {
  FOVEA_ASSIGN(const Directory directory, find_directory(bytes));
  if (directory.entries > kMaxEntries) return invalid_model("npz: ", directory.entries, " entries, at most ", kMaxEntries);
  std::vector<Entry> entries;
  Cursor cursor(bytes, directory.offset);
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    if (cursor.read<std::uint32_t>() != kCentral) return invalid_model("npz: directory entry ", i, " is damaged");
    Entry& entry = entries.emplace_back();
    cursor.take(4);
    entry.flags = cursor.read<std::uint16_t>();
    entry.method = cursor.read<std::uint16_t>();
    cursor.take(4);
    entry.crc = cursor.read<std::uint32_t>();
    entry.packed = cursor.read<std::uint32_t>();
    entry.size = cursor.read<std::uint32_t>();
    const auto name_bytes = cursor.read<std::uint16_t>(), extra_bytes = cursor.read<std::uint16_t>(), comment_bytes = cursor.read<std::uint16_t>();
    cursor.take(8);
    entry.offset = cursor.read<std::uint32_t>();
    const auto name = cursor.take(name_bytes);
    entry.name.assign(reinterpret_cast<const char*>(name.data()), name.size());
    apply_zip64(cursor.take(extra_bytes), entry);
    cursor.take(comment_bytes);
    if (!cursor.ok()) return invalid_model("npz: directory entry ", i, " reaches beyond the file");
  }
  return entries;
}

Result<std::span<const std::byte>> packed_bytes(std::span<const std::byte> bytes, const Entry& entry) {
  Cursor cursor(bytes, entry.offset);
  if (cursor.read<std::uint32_t>() != kLocal) return invalid_model("local header is damaged");
  cursor.take(22);
  const auto name_bytes = cursor.read<std::uint16_t>(), extra_bytes = cursor.read<std::uint16_t>();
  cursor.take(std::uint64_t{name_bytes} + extra_bytes);
  const auto packed = cursor.take(entry.packed);
  if (!cursor.ok()) return invalid_model(entry.packed, " bytes at offset ", entry.offset, " reach beyond the file");
  return packed;
}

Result<std::vector<std::byte>> inflate_entry(std::span<const std::byte> packed, std::uint64_t size) {
  // Deflate cannot shrink below 1/1032, so a larger claim is a lie; refuse it before allocating.
  if (size / 1032 > packed.size()) return invalid_model("claims ", size, " bytes from ", packed.size(), " compressed ones");
  std::vector<std::byte> out(static_cast<std::size_t>(size));
  z_stream stream{};
  if (::inflateInit2(&stream, -15) != Z_OK) return resource_exhausted("cannot start zlib");
  constexpr std::size_t kChunk = std::size_t{1} << 30;
  std::size_t consumed = 0, produced = 0;
  int code = Z_OK;
  std::byte spare{};  // so that a full output still sees the end of the stream
  while (code == Z_OK) {
    const bool full = produced == out.size();
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + consumed));
    stream.avail_in = static_cast<uInt>(std::min(kChunk, packed.size() - consumed));
    stream.next_out = reinterpret_cast<Bytef*>(full ? &spare : out.data() + produced);
    stream.avail_out = full ? 1 : static_cast<uInt>(std::min(kChunk, out.size() - produced));
    const uInt in_before = stream.avail_in, out_before = stream.avail_out;
    code = ::inflate(&stream, Z_NO_FLUSH);
    consumed += in_before - stream.avail_in;
    const std::size_t made = out_before - stream.avail_out;
    if ((full && made > 0) || (code == Z_OK && made == 0 && in_before == stream.avail_in)) code = Z_DATA_ERROR;
    produced += full ? 0 : made;
  }
  ::inflateEnd(&stream);
  if (code != Z_STREAM_END || produced != out.size()) return invalid_model("compressed data is damaged");
  return out;
}

Result<Tensor> read_entry(std::span<const std::byte> bytes, const Entry& entry, std::int64_t max_bytes) {
  if (entry.flags & 1) return unsupported("encrypted");
  if (entry.method != kStored && entry.method != kDeflated) return unsupported("compression method ", entry.method);
  FOVEA_ASSIGN(std::span<const std::byte> content, packed_bytes(bytes, entry));
  if (entry.size > static_cast<std::uint64_t>(max_bytes)) return invalid_model(entry.size, " bytes, more than the limit of ", max_bytes);
  std::vector<std::byte> inflated;
  if (entry.method == kDeflated) {
    FOVEA_ASSIGN(inflated, inflate_entry(content, entry.size));
    content = inflated;
  } else if (entry.size != entry.packed) {
    return invalid_model("stored entry of ", entry.packed, " bytes claims ", entry.size);
  }
  if (::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()) != entry.crc) return invalid_model("checksum does not match");
  return parse_npy(content, max_bytes);
}

template <class... T>
void append(std::string& text, T... values) {
  (text.append(reinterpret_cast<const char*>(&values), sizeof values), ...);
}

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

}  // namespace

Result<NamedTensors> parse_npz(std::span<const std::byte> bytes, std::int64_t max_bytes) {
  FOVEA_ASSIGN(const auto entries, read_directory(bytes));
  NamedTensors tensors;
  for (const Entry& entry : entries) {
    std::string key = entry.name.ends_with(".npy") ? entry.name.substr(0, entry.name.size() - 4) : entry.name;
    auto tensor = read_entry(bytes, entry, max_bytes);
    if (!tensor.ok()) return std::move(tensor).status().with_context("npz: entry '" + key + "'");
    max_bytes -= static_cast<std::int64_t>(tensor->bytes());
    if (!tensors.emplace(key, *std::move(tensor)).second) return invalid_model("npz: entry '", key, "' stands twice");
  }
  return tensors;
}

Result<NamedTensors> read_npz(const std::filesystem::path& file) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  auto tensors = parse_npz(mapped->bytes());
  if (!tensors.ok()) return std::move(tensors).status().with_context(file.string());
  return tensors;
}

Result<std::vector<std::string>> format_npz(const NamedTensors& tensors) {
  // Sizes always stand in a zip64 extra field, as numpy.savez does: one form for small and large.
  std::vector<std::string> parts;
  std::string directory;
  u64 offset = 0;
  for (const auto& [key, tensor] : tensors) {
    FOVEA_ASSIGN(std::string content, format_npy(tensor));
    const std::string name = key + ".npy";
    if (name.size() > 65535) return invalid_argument("npz: key of ", name.size(), " characters");
    const auto crc = static_cast<u32>(::crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size()));
    const u64 size = content.size();
    const auto name_bytes = static_cast<u16>(name.size());
    std::string local;
    append(local, kLocal, u16{45}, u16{0}, kStored, u16{0}, kDosDate, crc, kSee64Wide, kSee64Wide, name_bytes, u16{20});
    local += name;
    append(local, kZip64, u16{16}, size, size);
    append(directory, kCentral, u16{45}, u16{45}, u16{0}, kStored, u16{0}, kDosDate, crc, kSee64Wide, kSee64Wide, name_bytes, u16{28}, u16{0}, u16{0},
           u16{0}, u32{0}, kSee64Wide);
    directory += name;
    append(directory, kZip64, u16{24}, size, size, offset);
    offset += local.size() + size;
    parts.push_back(std::move(local));
    parts.push_back(std::move(content));
  }
  const u64 count = tensors.size(), directory_bytes = directory.size();
  const u64 end = offset + directory_bytes;
  append(directory, kEnd64, u64{44}, u16{45}, u16{45}, u32{0}, u32{0}, count, count, directory_bytes, offset);
  append(directory, kLocator64, u32{0}, end, u32{1});
  append(directory, kEnd, u16{0}, u16{0}, kSee64, kSee64, kSee64Wide, kSee64Wide, u16{0});
  parts.push_back(std::move(directory));
  return parts;
}

Status write_npz(const std::filesystem::path& file, const NamedTensors& tensors) {
  FOVEA_ASSIGN(const std::vector<std::string> parts, format_npz(tensors));
  std::vector<std::span<const std::byte>> pieces;
  for (const std::string& part : parts) pieces.push_back(std::as_bytes(std::span(part)));
  return write_file_atomically(file, pieces);
}

}  // namespace fovea
