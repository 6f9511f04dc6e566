// SPDX-License-Identifier: Apache-2.0
#include "ops/string/utf8.h"

namespace fovea::ops {

namespace {

// Reads one code point and moves `at` on; false for a byte that starts none.
bool next_code(std::string_view text, std::size_t& at, char32_t& code) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const int length = first < 0x80 ? 1 : first >= 0xC2 && first < 0xE0 ? 2 : first >= 0xE0 && first < 0xF0 ? 3 : first >= 0xF0 && first < 0xF5 ? 4 : 0;
  if (length == 0 || at + static_cast<std::size_t>(length) > text.size()) return false;
  code = length == 1 ? first : first & (0x7Fu >> length);
  for (int i = 1; i < length; ++i) {
    const unsigned char follower = byte(at + static_cast<std::size_t>(i));
    if ((follower & 0xC0) != 0x80) return false;
    code = code << 6 | (follower & 0x3Fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};  // longer spellings of these are invalid
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  at += static_cast<std::size_t>(length);
  return true;
}

// Upper case letters first..last lie `offset` below their lower case; offset 1 means that they alternate.
struct CaseRange {
  char32_t first, last;
  char32_t offset;
};
constexpr CaseRange kCaseRanges[] = {
    {0x41, 0x5A, 32},      {0xC0, 0xD6, 32},      {0xD8, 0xDE, 32},     {0x100, 0x12E, 1},    {0x132, 0x136, 1},   {0x139, 0x147, 1},
    {0x14A, 0x176, 1},     {0x179, 0x17D, 1},     {0x1CD, 0x1DB, 1},    {0x1DE, 0x1EE, 1},    {0x1F8, 0x21E, 1},   {0x222, 0x232, 1},
    {0x388, 0x38A, 37},    {0x391, 0x3A1, 32},    {0x3A3, 0x3AB, 32},   {0x3D8, 0x3EE, 1},    {0x400, 0x40F, 80},  {0x410, 0x42F, 32},
    {0x460, 0x480, 1},     {0x48A, 0x4BE, 1},     {0x4C1, 0x4CD, 1},    {0x4D0, 0x52E, 1},    {0x531, 0x556, 48},  {0x1E00, 0x1E94, 1},
    {0x1EA0, 0x1EFE, 1},   {0x24B6, 0x24CF, 26},  {0xFF21, 0xFF3A, 32}, {0x10400, 0x10427, 40}};

struct CasePair {
  char32_t upper, lower;
};
constexpr CasePair kCasePairs[] = {{0x178, 0xFF}, {0x386, 0x3AC}, {0x38C, 0x3CC}, {0x38E, 0x3CD}, {0x38F, 0x3CE}, {0x4C0, 0x4CF}};

template <class Map>
std::string mapped(std::string_view text, Map&& map) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    char32_t code = 0;
    if (next_code(text, at, code)) append_utf8(result, map(code));
    else result += text[at++];
  }
  return result;
}

}  // namespace

std::vector<char32_t> decode_utf8(std::string_view text) {
  std::vector<char32_t> codes;
  codes.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    char32_t code = 0xFFFD;
    if (!next_code(text, at, code)) {
      code = 0xFFFD;
      ++at;
    }
    codes.push_back(code);
  }
  return codes;
}

void append_utf8(std::string& text, char32_t code) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6);
    add(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
    add(0x80 | (code & 0x3F));
  }
}

char32_t to_lower(char32_t code) {
  for (const CaseRange& range : kCaseRanges) {
    if (code < range.first || code > range.last) continue;
    return range.offset > 1 || (code - range.first) % 2 == 0 ? code + range.offset : code;
  }
  for (const CasePair& pair : kCasePairs) {
    if (code == pair.upper) return pair.lower;
  }
  return code;
}

char32_t to_upper(char32_t code) {
  for (const CaseRange& range : kCaseRanges) {
    if (code < range.first + range.offset || code > range.last + range.offset) continue;
    if (range.offset > 1 || (code - range.first) % 2 == 1) return code - range.offset;
  }
  for (const CasePair& pair : kCasePairs) {
    if (code == pair.lower) return pair.upper;
  }
  return code;
}

std::string to_lower(std::string_view text) {
  return mapped(text, [](char32_t code) { return to_lower(code); });
}
std::string to_upper(std::string_view text) {
  return mapped(text, [](char32_t code) { return to_upper(code); });
}

}  // namespace fovea::ops
