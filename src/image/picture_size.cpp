// SPDX-License-Identifier: Apache-2.0
// Headers of picture files, read by hand so that a small file that claims a huge picture is refused before any
// decoder allocates for it, and a cut JPEG before libjpeg paints the missing part grey.
#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <string_view>

#include "image/picture_file.h"

namespace fovea::image {

namespace {

using Bytes = std::span<const std::byte>;

std::uint32_t at(Bytes bytes, std::size_t i) { return static_cast<std::uint32_t>(bytes[i]); }
std::uint32_t big16(Bytes bytes, std::size_t i) { return at(bytes, i) << 8 | at(bytes, i + 1); }
std::uint32_t big32(Bytes bytes, std::size_t i) { return big16(bytes, i) << 16 | big16(bytes, i + 2); }

/// Signature, then chunks: length, type, data, checksum. IHDR is first, IEND last.
Result<PictureSize> png_size(Bytes bytes) {
  if (bytes.size() < 33 || std::memcmp(bytes.data() + 12, "IHDR", 4) != 0) return invalid_model("PNG: header is cut or damaged");
  for (std::size_t i = 8;;) {
    if (i + 12 > bytes.size()) return invalid_model("PNG: the file ends before the picture does (cut?)");
    const std::size_t length = big32(bytes, i);
    if (length > bytes.size() - i - 12) return invalid_model("PNG: chunk at byte ", i, " reaches beyond the file (cut?)");
    const auto* type = reinterpret_cast<const Bytef*>(bytes.data() + i + 4);
    if (::crc32_z(0, type, 4 + length) != big32(bytes, i + 8 + length)) return invalid_model("PNG: chunk at byte ", i, " is damaged (checksum)");
    if (std::memcmp(type, "IEND", 4) == 0) break;
    i += 12 + length;
  }
  return PictureSize{"PNG", big32(bytes, 16), big32(bytes, 20)};
}

/// Walks all markers, so that the end of the picture is seen too.
Result<PictureSize> jpeg_size(Bytes bytes) {
  constexpr std::uint32_t kStartOfScan = 0xda, kEnd = 0xd9;
  const Status cut = invalid_model("JPEG: the file ends before the picture does (cut?)");
  PictureSize size{"JPEG", 0, 0};
  bool scanned = false;
  for (std::size_t i = 2;;) {
    if (i + 2 > bytes.size()) return cut;
    if (at(bytes, i) != 0xff) return invalid_model("JPEG: expected a marker at byte ", i);
    const std::uint32_t marker = at(bytes, i + 1);
    if (marker == 0xff) {  // fill byte
      ++i;
      continue;
    }
    if (marker == kEnd) break;
    if (i + 4 > bytes.size()) return cut;
    const std::uint32_t length = big16(bytes, i + 2);
    if (length < 2) return invalid_model("JPEG: marker at byte ", i, " has length ", length);
    if (i + 2 + length > bytes.size()) return cut;
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame && length >= 7) {
      if (size.width != 0) return invalid_model("JPEG: two frame headers");
      size.height = big16(bytes, i + 5);
      size.width = big16(bytes, i + 7);
    }
    i += 2 + length;
    if (marker != kStartOfScan) continue;
    // Compressed data up to the next marker that is neither a stuffed zero nor a restart.
    scanned = true;
    for (;; ++i) {
      if (i + 2 > bytes.size()) return cut;
      const std::uint32_t next = at(bytes, i + 1);
      if (at(bytes, i) == 0xff && next != 0 && next != 0xff && !(next >= 0xd0 && next <= 0xd7)) break;
    }
  }
  if (size.width == 0 || !scanned) return invalid_model("JPEG: no picture inside");
  return size;
}

Result<PictureSize> bmp_size(Bytes bytes) {
  if (bytes.size() < 26) return invalid_model("BMP: header is cut");
  const auto little32 = [&](std::size_t i) {
    return static_cast<std::int32_t>(at(bytes, i) | at(bytes, i + 1) << 8 | at(bytes, i + 2) << 16 | at(bytes, i + 3) << 24);
  };
  const std::int64_t height = little32(22);  // negative: top row first
  return PictureSize{"BMP", little32(18), height < 0 ? -height : height};
}

Result<PictureSize> ppm_size(Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::int64_t numbers[2] = {};
  std::size_t i = 2;
  for (std::int64_t& number : numbers) {
    while (i < text.size() && (std::isspace(static_cast<unsigned char>(text[i])) || text[i] == '#')) {
      if (text[i] == '#') i = std::min(text.find('\n', i), text.size() - 1);
      ++i;
    }
    const auto [end, code] = std::from_chars(text.data() + i, text.data() + text.size(), number);
    if (code != std::errc()) return invalid_model("PPM: header is damaged");
    i = static_cast<std::size_t>(end - text.data());
  }
  return PictureSize{"PPM", numbers[0], numbers[1]};
}

}  // namespace

Result<PictureSize> picture_size(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return png_size(bytes);
  if (text.starts_with("\xff\xd8\xff")) return jpeg_size(bytes);
  if (text.starts_with("BM")) return bmp_size(bytes);
  if (text.starts_with("P5") || text.starts_with("P6")) return ppm_size(bytes);
  if (text.empty()) return invalid_model("picture: the file is empty");
  return Status(ErrorCode::Unsupported, "not a picture of a known format", "JPEG, PNG, BMP and PPM are read");
}

}  // namespace fovea::image
