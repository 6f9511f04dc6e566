// SPDX-License-Identifier: Apache-2.0
// Regex::full_match: the set of steps that are alive is moved over the text one code point at a time.
#include "ops/string/regex.h"

#include <algorithm>
#include <iterator>

#include "ops/string/utf8.h"

namespace fovea::ops {

namespace {

using Kind = RegexStep::Kind;

constexpr std::uint64_t kMaxWork = std::uint64_t{1} << 29;  // steps times code points: some seconds

bool is_word(char32_t code) { return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') || code == '_'; }

/// Steps that are alive, each once, in no particular order.
class Alive {
 public:
  explicit Alive(std::size_t steps) : member_(steps, 0) {}
  bool add(std::int32_t step) {
    char& member = member_[static_cast<std::size_t>(step)];
    if (member) return false;
    member = 1;
    list_.push_back(step);
    return true;
  }
  void clear() {
    for (std::int32_t step : list_) member_[static_cast<std::size_t>(step)] = 0;
    list_.clear();
  }
  const std::vector<std::int32_t>& list() const { return list_; }
  bool has(std::int32_t step) const { return member_[static_cast<std::size_t>(step)] != 0; }

 private:
  std::vector<char> member_;
  std::vector<std::int32_t> list_;
};

// Whether a step that reads nothing lets through between codes[at - 1] and codes[at].
bool passes(Kind kind, const std::vector<char32_t>& codes, std::size_t at) {
  const bool begin = at == 0, end = at == codes.size();
  switch (kind) {
    case Kind::TextBegin: return begin;
    case Kind::TextEnd: return end;
    case Kind::LineBegin: return begin || codes[at - 1] == '\n';
    case Kind::LineEnd: return end || codes[at] == '\n';
    default: break;
  }
  const bool border = (!begin && is_word(codes[at - 1])) != (!end && is_word(codes[at]));
  return border == (kind == Kind::WordBorder);
}

// Adds `step` and all that follows it without reading.
void follow(const std::vector<RegexStep>& steps, std::int32_t first, const std::vector<char32_t>& codes, std::size_t at, Alive& alive,
            std::vector<std::int32_t>& stack) {
  stack.assign(1, first);
  while (!stack.empty()) {
    const std::int32_t step = stack.back();
    stack.pop_back();
    if (!alive.add(step)) continue;
    const RegexStep& s = steps[static_cast<std::size_t>(step)];
    switch (s.kind) {
      case Kind::Match: case Kind::Code: break;
      case Kind::Jump: stack.push_back(step + s.a); break;
      case Kind::Split:
        stack.push_back(step + s.b);
        stack.push_back(step + s.a);
        break;
      default:
        if (passes(s.kind, codes, at)) stack.push_back(step + 1);
    }
  }
}

}  // namespace

bool CodeSet::contains(char32_t code) const {
  const auto listed = [&](char32_t c) {
    const auto after = std::upper_bound(ranges.begin(), ranges.end(), c, [](char32_t x, const auto& range) { return x < range.first; });
    return after != ranges.begin() && c <= std::prev(after)->second;
  };
  const bool found = listed(code) || (ignore_case && (listed(to_lower(code)) || listed(to_upper(code))));
  return found != negated;
}

Result<bool> Regex::full_match(std::string_view text) const {
  const std::vector<char32_t> codes = decode_utf8(text);
  if (steps_.size() * (codes.size() + 1) > kMaxWork) {
    return resource_exhausted("a pattern of ", steps_.size(), " steps on a text of ", codes.size(), " characters takes too long");
  }
  Alive now(steps_.size()), next(steps_.size());
  std::vector<std::int32_t> stack;
  follow(steps_, 0, codes, 0, now, stack);
  for (std::size_t at = 0; at < codes.size() && !now.list().empty(); ++at) {
    next.clear();
    for (std::int32_t step : now.list()) {
      const RegexStep& s = steps_[static_cast<std::size_t>(step)];
      if (s.kind == Kind::Code && sets_[static_cast<std::size_t>(s.a)].contains(codes[at])) follow(steps_, step + 1, codes, at + 1, next, stack);
    }
    std::swap(now, next);
  }
  return now.has(static_cast<std::int32_t>(steps_.size()) - 1);
}

}  // namespace fovea::ops
