// SPDX-License-Identifier: Apache-2.0
// Reads a Dim back from its text: what to_string() prints, and what users write in shapes.
#include <cctype>
#include <charconv>

#include "base/check.h"
#include "base/dim.h"

namespace fovea {

namespace {

// Recursive descent over: sum = product {(+|-) product}; product = factor {* factor};
// factor = integer | -factor | name | name(sum,sum).
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Dim> parse() {
    FOVEA_ASSIGN(Dim value, sum(0));
    if (at_ != text_.size()) return error("unexpected text");
    return value;
  }

 private:
  Result<Dim> sum(int depth) {
    if (depth > 64) return error("nested too deeply");
    FOVEA_ASSIGN(Dim value, product(depth));
    while (peek() == '+' || peek() == '-') {
      const bool add = text_[at_++] == '+';
      FOVEA_ASSIGN(const Dim right, product(depth));
      value = add ? value + right : value - right;
    }
    return value;
  }
  Result<Dim> product(int depth) {
    FOVEA_ASSIGN(Dim value, factor(depth));
    while (peek() == '*') {
      ++at_;
      FOVEA_ASSIGN(const Dim right, factor(depth));
      value = value * right;
    }
    return value;
  }
  Result<Dim> factor(int depth) {
    if (depth > 64) return error("nested too deeply");
    if (peek() == '-') {
      ++at_;
      FOVEA_ASSIGN(const Dim value, factor(depth + 1));
      return value * Dim(-1);
    }
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '.' ||
                                  text_[at_] == '/' || text_[at_] == ':' || text_[at_] == '?')) {
      ++at_;
    }
    const std::string_view word = text_.substr(start, at_ - start);
    if (word.empty()) return error("expected a number or a name");
    if (std::isdigit(static_cast<unsigned char>(word[0]))) {
      std::int64_t value = 0;
      const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (code != std::errc() || end != word.data() + word.size()) return error("bad number");
      return Dim(value);
    }
    if (peek() != '(') return Dim::symbol(word);
    ++at_;
    FOVEA_ASSIGN(const Dim a, sum(depth + 1));
    if (peek() != ',') return error("expected ','");
    ++at_;
    if (word == "scale") {
      double scale = 0;
      const auto [end, code] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), scale);
      if (code != std::errc()) return error("bad scale");
      at_ = static_cast<std::size_t>(end - text_.data());
      if (peek() != ')') return error("expected ')'");
      ++at_;
      return floor_scale(a, scale);
    }
    FOVEA_ASSIGN(const Dim b, sum(depth + 1));
    if (peek() != ')') return error("expected ')'");
    ++at_;
    if (word == "floordiv") return floor_div(a, b);
    if (word == "ceildiv") return ceil_div(a, b);
    if (word == "max") return max(a, b);
    if (word == "min") return min(a, b);
    if (word == "mod") return mod(a, b);
    return error("unknown function");
  }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  Status error(const char* what) const {
    return invalid_argument("dimension '", text_.substr(0, 80), "': ", what, " at character ", at_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Dim> Dim::parse(std::string_view text) { return Parser(text).parse(); }

}  // namespace fovea
