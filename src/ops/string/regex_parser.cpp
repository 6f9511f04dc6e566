// SPDX-License-Identifier: Apache-2.0
// Regex::compile: recursive descent over the pattern. Each piece of it becomes a list of steps with relative
// targets, so pieces are joined and repeated by copying lists.
#include <algorithm>
#include <string>

#include "ops/string/regex.h"
#include "ops/string/utf8.h"

namespace fovea::ops {

namespace {

using Steps = std::vector<RegexStep>;
using Kind = RegexStep::Kind;
using Ranges = std::vector<std::pair<char32_t, char32_t>>;

constexpr std::size_t kMaxSteps = 20000;
constexpr int kMaxDepth = 200;
constexpr std::int64_t kMaxRepeat = 1000;  // as RE2
constexpr char32_t kLastCode = 0x10FFFF;

struct NamedClass {
  std::string_view name;
  Ranges ranges;
};

const std::vector<NamedClass>& posix_classes() {
  static const std::vector<NamedClass> classes = {
      {"alnum", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}}, {"alpha", {{'A', 'Z'}, {'a', 'z'}}}, {"ascii", {{0, 127}}}, {"blank", {{'\t', '\t'}, {' ', ' '}}},
      {"cntrl", {{0, 31}, {127, 127}}}, {"digit", {{'0', '9'}}}, {"graph", {{'!', '~'}}}, {"lower", {{'a', 'z'}}}, {"print", {{' ', '~'}}},
      {"punct", {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}}, {"space", {{'\t', '\r'}, {' ', ' '}}}, {"upper", {{'A', 'Z'}}},
      {"word", {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}}}, {"xdigit", {{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}};
  return classes;
}

Ranges complement(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges rest;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) rest.emplace_back(next, first - 1);
    next = std::max<char32_t>(next, last + 1);
  }
  if (next <= kLastCode) rest.emplace_back(next, kLastCode);
  return rest;
}

// \d \w \s and their complements.
bool perl_class(char32_t letter, Ranges& ranges) {
  switch (letter) {
    case 'd': case 'D': ranges = {{'0', '9'}}; break;
    case 'w': case 'W': ranges = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}, {'_', '_'}}; break;
    case 's': case 'S': ranges = {{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}; break;
    default: return false;
  }
  if (letter < 'a') ranges = complement(ranges);
  return true;
}

}  // namespace

class RegexParser {
  struct Flags {
    bool ignore_case = false, many_lines = false, dot_matches_newline = false;
  };

 public:
  // \Q...\E quotes: what is inside is marked as literal.
  explicit RegexParser(std::string_view pattern) {
    const std::vector<char32_t> all = decode_utf8(pattern);
    bool quoted = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const char32_t follower = all[i] == '\\' && i + 1 < all.size() ? all[i + 1] : 0;
      if (follower == (quoted ? U'E' : U'Q')) {
        quoted = !quoted;
        ++i;
        continue;
      }
      add(all[i], quoted);
      if (follower != 0 && !quoted) add(all[++i], false);
    }
  }

  Result<Regex> run() {
    FOVEA_ASSIGN(regex_.steps_, alternatives(0));
    if (at_ < codes_.size()) return error("unexpected ')'");
    regex_.steps_.push_back({Kind::Match});
    return std::move(regex_);
  }

 private:
  bool more() const { return at_ < codes_.size(); }
  void add(char32_t code, bool literal) {
    codes_.push_back(code);
    literal_.push_back(literal);
  }
  bool next_is(char32_t code) const { return more() && codes_[at_] == code && !literal_[at_]; }
  bool accept(char32_t code) { return next_is(code) && (++at_, true); }
  template <class... Args>
  Status error(const Args&... what) const { return invalid_argument("pattern, character ", at_, ": ", what...); }

  Result<Steps> alternatives(int depth) {
    if (depth > kMaxDepth) return error("nested too deeply");
    const Flags outer = flags_;
    FOVEA_ASSIGN(Steps left, sequence(depth));
    while (accept('|')) {
      FOVEA_ASSIGN(const Steps right, sequence(depth));
      const auto left_size = static_cast<std::int32_t>(left.size()), right_size = static_cast<std::int32_t>(right.size());
      left.insert(left.begin(), {Kind::Split, 1, left_size + 2});
      left.push_back({Kind::Jump, right_size + 1});
      left.insert(left.end(), right.begin(), right.end());
      FOVEA_RETURN_IF_ERROR(check_size(left.size()));
    }
    flags_ = outer;
    return left;
  }

  Result<Steps> sequence(int depth) {
    Steps steps;
    while (more() && !next_is('|') && !next_is(')')) {
      FOVEA_ASSIGN(Steps piece, atom(depth));
      FOVEA_RETURN_IF_ERROR(repeat(piece));
      steps.insert(steps.end(), piece.begin(), piece.end());
      FOVEA_RETURN_IF_ERROR(check_size(steps.size()));
    }
    return steps;
  }

  Status check_size(std::size_t steps) const {
    if (steps <= kMaxSteps) return {};
    return resource_exhausted("pattern: needs more than ", kMaxSteps, " steps");
  }

  // Reads a quantifier, if there is one, and applies it. Lazy ones match the same whole texts as greedy ones.
  Status repeat(Steps& piece) {
    std::int64_t low = 1, high = 1;
    if (accept('*')) low = 0, high = -1;
    else if (accept('+')) high = -1;
    else if (accept('?')) low = 0;
    else if (!counted(low, high)) return {};
    accept('?');
    if (next_is('*') || next_is('+') || next_is('?')) return error("a repetition of a repetition needs parentheses");
    if (low > kMaxRepeat || high > kMaxRepeat || (high >= 0 && high < low)) return error("repetition {", low, ",", high, "}; expected up to ", kMaxRepeat);
    const auto size = static_cast<std::int32_t>(piece.size());
    const auto copies = static_cast<std::size_t>(std::max<std::int64_t>({low, high, 1}));
    FOVEA_RETURN_IF_ERROR(check_size(copies * (piece.size() + 2)));
    Steps repeated;
    const auto append = [&] { repeated.insert(repeated.end(), piece.begin(), piece.end()); };
    for (std::int64_t i = 0; i < low; ++i) append();
    if (high < 0) {  // star
      repeated.push_back({Kind::Split, 1, size + 2});
      append();
      repeated.push_back({Kind::Jump, -(size + 1)});
    }
    for (std::int64_t i = low; i < high; ++i) {  // each optional one may also leave everything behind it out
      const auto left = static_cast<std::int32_t>(high - i);
      repeated.push_back({Kind::Split, 1, left * (size + 1)});
      append();
    }
    piece = std::move(repeated);
    return {};
  }

  // {n}, {n,} or {n,m}; anything else in braces is literal text.
  bool counted(std::int64_t& low, std::int64_t& high) {
    const std::size_t start = at_;
    const auto number = [&](std::int64_t& value) {
      const std::size_t first = at_;
      value = 0;
      for (; more() && codes_[at_] >= '0' && codes_[at_] <= '9'; ++at_) value = std::min<std::int64_t>(value * 10 + (codes_[at_] - '0'), kMaxRepeat + 1);
      return at_ > first;
    };
    if (accept('{') && number(low)) {
      high = low;
      if (accept(',') && !number(high)) high = -1;
      if (accept('}')) return true;
    }
    at_ = start;
    return false;
  }

  Steps one_of(CodeSet set) {
    set.ignore_case = flags_.ignore_case;
    set.ranges = complement(complement(std::move(set.ranges)));  // sorted, neighbours joined
    regex_.sets_.push_back(std::move(set));
    return {{Kind::Code, static_cast<std::int32_t>(regex_.sets_.size()) - 1}};
  }

  Result<Steps> atom(int depth) {
    const char32_t code = codes_[at_];
    if (literal_[at_++]) return one_of({{{code, code}}});
    switch (code) {
      case '(': return group(depth);
      case '[': return bracket();
      case '.': return one_of(flags_.dot_matches_newline ? CodeSet{{{0, kLastCode}}} : CodeSet{{{'\n', '\n'}}, true});
      case '^': return Steps{{flags_.many_lines ? Kind::LineBegin : Kind::TextBegin}};
      case '$': return Steps{{flags_.many_lines ? Kind::LineEnd : Kind::TextEnd}};
      case '*': case '+': case '?': --at_; return error("nothing to repeat");
      case '\\': return escape();
      default: return one_of({{{code, code}}});
    }
  }

  Result<Steps> group(int depth) {
    const Flags outer = flags_;
    if (accept('?')) {
      if (next_is('P') || next_is('<')) {  // a name changes nothing here
        accept('P');
        if (!accept('<')) return error("expected '<'");
        while (more() && !next_is('>')) ++at_;
        if (!accept('>')) return error("a group's name does not end");
      } else {
        bool value = true;
        for (; more() && !next_is(':') && !next_is(')'); ++at_) {
          switch (codes_[at_]) {
            case '-': value = false; break;
            case 'i': flags_.ignore_case = value; break;
            case 'm': flags_.many_lines = value; break;
            case 's': flags_.dot_matches_newline = value; break;
            case 'U': break;
            default: return error("unknown flag or kind of group");
          }
        }
        if (accept(')')) return Steps{};  // (?i): for the rest of the group around it
        accept(':');
      }
    }
    FOVEA_ASSIGN(Steps inner, alternatives(depth + 1));
    if (!accept(')')) return error("')' is missing");
    flags_ = outer;
    return inner;
  }

  Result<Steps> escape() {
    if (!more()) return error("'\\' at the end");
    Ranges ranges;
    const char32_t letter = codes_[at_];
    if (perl_class(letter, ranges)) return ++at_, one_of({ranges});
    switch (letter) {
      case 'A': ++at_; return Steps{{Kind::TextBegin}};
      case 'z': ++at_; return Steps{{Kind::TextEnd}};
      case 'b': ++at_; return Steps{{Kind::WordBorder}};
      case 'B': ++at_; return Steps{{Kind::NoWordBorder}};
      default: break;
    }
    FOVEA_ASSIGN(const char32_t code, escaped_code());
    return one_of({{{code, code}}});
  }

  // The code point behind a backslash, in a class or outside.
  Result<char32_t> escaped_code() {
    const char32_t letter = codes_[at_++];
    switch (letter) {
      case 'a': return U'\a';
      case 'f': return U'\f';
      case 'n': return U'\n';
      case 'r': return U'\r';
      case 't': return U'\t';
      case 'v': return U'\v';
      case 'x': return hexadecimal();
      default: break;
    }
    if (letter >= '0' && letter <= '7' && (letter == '0' || (more() && codes_[at_] >= '0' && codes_[at_] <= '7'))) {  // octal
      char32_t code = letter - '0';
      for (int i = 0; i < 2 && more() && codes_[at_] >= '0' && codes_[at_] <= '7'; ++i) code = code * 8 + (codes_[at_++] - '0');
      return code;
    }
    const bool alphanumeric = (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z');
    if (!alphanumeric && letter < 128) return letter;
    --at_;
    return Status(ErrorCode::Unsupported, str_cat("pattern, character ", at_, ": escape \\", letter < 128 ? std::string(1, static_cast<char>(letter)) : "...", " is not supported"));
  }

  Result<char32_t> hexadecimal() {
    const bool braces = accept('{');
    char32_t code = 0;
    int digits = 0;
    for (; more() && digits < (braces ? 8 : 2); ++digits, ++at_) {
      const char32_t c = codes_[at_];
      const int digit = c >= '0' && c <= '9' ? static_cast<int>(c - '0') : c >= 'a' && c <= 'f' ? static_cast<int>(c - 'a') + 10 : c >= 'A' && c <= 'F' ? static_cast<int>(c - 'A') + 10 : -1;
      if (digit < 0) break;
      code = code << 4 | static_cast<char32_t>(digit);
    }
    if (digits == 0 || (!braces && digits != 2) || (braces && !accept('}')) || code > kLastCode) return error("bad \\x");
    return code;
  }

  Result<Steps> bracket() {
    CodeSet set;
    set.negated = accept('^');
    for (bool first = true; first || !next_is(']'); first = false) {
      if (!more()) return error("']' is missing");
      if (next_is('[') && at_ + 1 < codes_.size() && codes_[at_ + 1] == ':') {
        FOVEA_RETURN_IF_ERROR(posix_class(set.ranges));
        continue;
      }
      Ranges perl;
      if (next_is('\\') && at_ + 1 < codes_.size() && perl_class(codes_[at_ + 1], perl)) {
        at_ += 2;
        set.ranges.insert(set.ranges.end(), perl.begin(), perl.end());
        continue;
      }
      FOVEA_ASSIGN(const char32_t low, class_code());
      char32_t high = low;
      if (next_is('-') && at_ + 1 < codes_.size() && codes_[at_ + 1] != ']') {
        ++at_;
        FOVEA_ASSIGN(high, class_code());
        if (high < low) return error("a range runs backwards");
      }
      set.ranges.emplace_back(low, high);
    }
    ++at_;
    return one_of(std::move(set));
  }

  Result<char32_t> class_code() {
    const char32_t code = codes_[at_++];
    if (code != '\\') return code;
    if (!more()) return error("'\\' at the end");
    return escaped_code();
  }

  Status posix_class(Ranges& ranges) {
    at_ += 2;
    const bool negated = accept('^');
    std::string wanted;
    for (; more() && codes_[at_] != ':' && wanted.size() < 16; ++at_) append_utf8(wanted, codes_[at_]);
    if (!accept(':') || !accept(']')) return error("a class [: does not end with :]");
    for (const NamedClass& known : posix_classes()) {
      if (known.name != wanted) continue;
      const Ranges found = negated ? complement(known.ranges) : known.ranges;
      ranges.insert(ranges.end(), found.begin(), found.end());
      return {};
    }
    return error("class [:", wanted, ":] is unknown");
  }

  std::vector<char32_t> codes_;
  std::vector<bool> literal_;
  std::size_t at_ = 0;
  Flags flags_;
  Regex regex_;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxSteps) return resource_exhausted("pattern: longer than ", kMaxSteps, " bytes");
  return RegexParser(pattern).run();
}

}  // namespace fovea::ops
