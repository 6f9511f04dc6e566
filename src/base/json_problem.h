// SPDX-License-Identifier: Apache-2.0
// What the JSON library's exceptions say, without the library's own words in front.
#pragma once

#include <string>
#include <string_view>

namespace fovea {

/// "[json.exception.parse_error.101] parse error at line 2, column 7: ..." -> "line 2, column 7: ..."
inline std::string json_problem(std::string_view what) {
  if (const auto end = what.find("] "); what.starts_with('[') && end != std::string_view::npos) what.remove_prefix(end + 2);
  constexpr std::string_view kPlace = "parse error at ";
  if (what.starts_with(kPlace)) what.remove_prefix(kPlace.size());
  return std::string(what);
}

}  // namespace fovea
