// SPDX-License-Identifier: Apache-2.0
// UTF-8 text as code points, and upper and lower case without a locale. Case is mapped one code point to one for
// Latin (with its extensions), Greek, Cyrillic, Armenian and full-width letters; others stay as they are, and so do
// special cases such as the German sharp s and the Turkish dotless i.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fovea::ops {

/// Code points of `text`; a byte that is not valid UTF-8 becomes U+FFFD.
std::vector<char32_t> decode_utf8(std::string_view text);
void append_utf8(std::string& text, char32_t code);

char32_t to_lower(char32_t code);
char32_t to_upper(char32_t code);
/// Bytes that are not valid UTF-8 are kept.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

}  // namespace fovea::ops
