// SPDX-License-Identifier: Apache-2.0
#include "ir/text_reader.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace fovea::ir {

namespace {

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/';
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

void TextReader::skip_space() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

char TextReader::peek() {
  skip_space();
  return at_ < text_.size() ? text_[at_] : '\0';
}

bool TextReader::accept(std::string_view punctuation) {
  skip_space();
  if (text_.substr(at_, punctuation.size()) != punctuation) return false;
  at_ += punctuation.size();
  return true;
}

// Words, with `::` and inner `-` (but not `->`).
std::size_t TextReader::plain_name_length() const {
  std::size_t end = at_;
  while (end < text_.size()) {
    const std::string_view rest = text_.substr(end);
    if (is_word(rest[0])) {
      ++end;
    } else if (end > at_ && rest.size() > 2 && rest[0] == ':' && rest[1] == ':' && is_word(rest[2])) {
      end += 2;
    } else if (end > at_ && rest.size() > 1 && rest[0] == '-' && rest[1] != '>') {
      ++end;
    } else {
      break;
    }
  }
  return end - at_;
}

bool TextReader::accept_word(std::string_view word) {
  skip_space();
  if (text_.substr(at_, plain_name_length()) != word) return false;
  at_ += word.size();
  return true;
}

Status TextReader::expect(std::string_view punctuation) {
  return accept(punctuation) ? Status() : error(str_cat("'", punctuation, "'"));
}

Status TextReader::expect_word(std::string_view word) {
  return accept_word(word) ? Status() : error(str_cat("'", word, "'"));
}

Result<std::string> TextReader::name(std::string_view what) {
  if (peek() == '"') return quoted();
  const std::size_t length = plain_name_length();
  if (length == 0) return error(what);
  at_ += length;
  return std::string(text_.substr(at_ - length, length));
}

Result<std::string> TextReader::quoted() {
  FOVEA_RETURN_IF_ERROR(expect("\""));
  std::string text;
  while (at_ < text_.size() && text_[at_] != '"') {
    char c = text_[at_++];
    if (c == '\\' && at_ < text_.size()) {
      c = text_[at_++];
      if (c == 'n') {
        c = '\n';
      } else if (c == 'x') {
        const int high = at_ < text_.size() ? hex_digit(text_[at_]) : -1;
        const int low = at_ + 1 < text_.size() ? hex_digit(text_[at_ + 1]) : -1;
        if (high < 0 || low < 0) return error("two hexadecimal digits");
        c = static_cast<char>(high * 16 + low);
        at_ += 2;
      } else if (c != '"' && c != '\\') {
        return error("\\\", \\\\, \\n or \\xNN in a string");
      }
    }
    text += c;
  }
  if (at_ == text_.size()) return error("a closing '\"'");
  ++at_;
  return text;
}

Result<TextReader::Number> TextReader::number() {
  Number number;
  if (accept_word("true")) return Number{true, 1, 1};
  if (accept_word("false")) return Number{true, 0, 0};
  skip_space();
  const bool negative = at_ < text_.size() && text_[at_] == '-';
  at_ += negative ? 1 : 0;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (accept_word("inf")) return Number{false, 0, negative ? -kInfinity : kInfinity};
  if (accept_word("nan")) return Number{false, 0, std::nan("")};
  const std::size_t start = at_ - (negative ? 1 : 0);
  std::size_t end = at_;
  bool real = false;
  while (end < text_.size()) {
    const char c = text_[end];
    const bool exponent_sign = (c == '-' || c == '+') && (text_[end - 1] == 'e' || text_[end - 1] == 'E');
    if (!(c >= '0' && c <= '9') && c != '.' && c != 'e' && c != 'E' && !(exponent_sign && end > at_)) break;
    real = real || !(c >= '0' && c <= '9');
    ++end;
  }
  const char* first = text_.data() + start;
  const char* last = text_.data() + end;
  if (end == at_) return error("a number");
  if (!real) {
    const auto [stop, code] = std::from_chars(first, last, number.integer);
    if (code == std::errc() && stop == last) {
      number.is_integer = true;
      number.real = static_cast<double>(number.integer);
      at_ = end;
      return number;
    }
    // Beyond i64 only u64 constants are meaningful; keep their bits.
    std::uint64_t wide = 0;
    const auto [wide_stop, wide_code] = std::from_chars(first, last, wide);
    if (wide_code != std::errc() || wide_stop != last) return error("a number of at most 64 bits");
    at_ = end;
    return Number{true, static_cast<std::int64_t>(wide), static_cast<double>(wide)};
  }
  const auto [stop, code] = std::from_chars(first, last, number.real);
  if (stop != last || (code != std::errc() && code != std::errc::result_out_of_range)) return error("a number");
  at_ = end;
  return number;
}

Result<Dim> TextReader::dim() {
  skip_space();
  std::size_t end = at_;
  int depth = 0;
  std::string text;
  for (; end < text_.size(); ++end) {
    const char c = text_[end];
    if (depth == 0 && (c == ',' || c == ']')) break;
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c != ' ') text += c;
  }
  auto dim = Dim::parse(text);
  if (!dim.ok()) return error_at(at_, "an extent", dim.status().message());
  at_ = end;
  return dim;
}

Status TextReader::error(std::string_view expected) const {
  if (at_ >= text_.size()) return error_at(at_, expected, "the end of the text");
  const std::string_view rest = text_.substr(at_, text_.substr(at_).find('\n'));
  return error_at(at_, expected, str_cat("'", rest.substr(0, 24), rest.size() > 24 ? "...'" : "'"));
}

Status TextReader::error_at(Place place, std::string_view expected, std::string_view found) const {
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < place && i < text_.size(); ++i) {
    ++column;
    if (text_[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return invalid_model("line ", line, ", column ", column, ": expected ", expected, ", found ", found);
}

}  // namespace fovea::ir
