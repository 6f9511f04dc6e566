// SPDX-License-Identifier: Apache-2.0
#include "ir/spelling.h"

#include <algorithm>
#include <string_view>

namespace fovea::ir {

Status Spelling::in_file_words(Status status) const {
  const std::string& message = status.message();
  const std::size_t colon = std::min(message.find(": "), message.size());
  std::string said;
  for (std::size_t at = 0, next; at < colon; at = next + 2) {
    next = std::min(message.find(", ", at), colon);
    const std::string_view word = std::string_view(message).substr(at, next - at);
    const auto known = std::find_if(attributes.begin(), attributes.end(), [&](const Name& name) { return name.attribute == word; });
    said += (at == 0 ? "" : ", ");
    said += known == attributes.end() ? word : std::string_view(known->in_file);
  }
  return Status(status.code(), said + message.substr(colon), status.hint());
}

}  // namespace fovea::ir
