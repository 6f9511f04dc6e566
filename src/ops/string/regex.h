// SPDX-License-Identifier: Apache-2.0
// Regular expressions in RE2's syntax over UTF-8, whole matches only. Matching walks all possibilities side by side
// (Thompson's construction), so its time is bounded by length of pattern times length of text: no pattern backtracks.
// Left out: \p{...} classes, \C, and what RE2 leaves out too (back references, look-around).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace fovea::ops {

/// Code points as ranges, both ends included, sorted and apart from each other.
struct CodeSet {
  std::vector<std::pair<char32_t, char32_t>> ranges;
  bool negated = false;
  bool ignore_case = false;

  bool contains(char32_t code) const;
};

/// One step of the compiled form; targets are relative to the instruction.
struct RegexStep {
  enum class Kind : std::uint8_t { Match, Code, Split, Jump, TextBegin, TextEnd, LineBegin, LineEnd, WordBorder, NoWordBorder };
  Kind kind = Kind::Match;
  std::int32_t a = 0;  ///< Code: index of the set; Jump: target; Split: first target
  std::int32_t b = 0;  ///< Split: second target
};

class Regex {
 public:
  /// Errors say what is wrong and at which character. ResourceExhausted for patterns that repeat too much.
  static Result<Regex> compile(std::string_view pattern);
  /// Whether the whole text matches. ResourceExhausted when pattern times text is unreasonably long.
  Result<bool> full_match(std::string_view text) const;

 private:
  friend class RegexParser;
  std::vector<RegexStep> steps_;
  std::vector<CodeSet> sets_;
};

}  // namespace fovea::ops
