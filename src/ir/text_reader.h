// SPDX-License-Identifier: Apache-2.0
// TextReader: names, numbers, strings and punctuation of the text form, with places for error messages. Spaces and
// `#` comments are skipped in front of everything.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/dim.h"
#include "ir/text.h"

namespace fovea::ir {

class TextReader {
 public:
  using Place = std::size_t;
  struct Number {
    bool is_integer = false;
    std::int64_t integer = 0;  ///< valid if is_integer
    double real = 0;           ///< always valid
  };

  explicit TextReader(std::string_view text) : text_(text) {}

  /// Next character that is not a space, '\0' at the end.
  char peek();
  bool at_end() { return peek() == '\0'; }
  Place place() { return skip_space(), at_; }
  bool accept(std::string_view punctuation);
  /// A whole word: `accept_word("as")` does not take the front of `asset`.
  bool accept_word(std::string_view word);
  Status expect(std::string_view punctuation);
  Status expect_word(std::string_view word);
  /// A plain or quoted name.
  Result<std::string> name(std::string_view what);
  Result<std::string> quoted();
  /// An integer, a float, inf, nan, true (1) or false (0).
  Result<Number> number();
  /// One extent, up to a `,` or `]` outside parentheses.
  Result<Dim> dim();

  /// "line L, column C: expected WHAT, found ..." at the current place.
  Status error(std::string_view expected) const;
  Status error_at(Place place, std::string_view expected, std::string_view found) const;

 private:
  void skip_space();
  std::size_t plain_name_length() const;

  std::string_view text_;
  std::size_t at_ = 0;
};

/// What stands behind `const name: type =`.
Result<Tensor> read_tensor_payload(TextReader& in, DataType type, const Shape& shape);

}  // namespace fovea::ir
