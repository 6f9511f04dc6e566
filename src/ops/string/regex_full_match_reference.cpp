// SPDX-License-Identifier: Apache-2.0
// RegexFullMatch: true where the pattern matches the whole string.
#include "ops/kernel_context.h"
#include "ops/string/regex.h"

namespace fovea::ops {

Status regex_full_match_reference(KernelContext& context) {
  const Tensor& data = context.input(0);
  if (data.type() != DataType::string) return invalid_argument("expected strings, found ", name(data.type()));
  FOVEA_ASSIGN(const Regex regex, Regex::compile(context.attributes().get_string("pattern")));
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::boolean, data.shape()));
  std::uint8_t* to = output.data<std::uint8_t>();
  for (const std::string& text : data.values<std::string>()) {
    FOVEA_ASSIGN(const bool matches, regex.full_match(text));
    *to++ = matches ? 1 : 0;
  }
  return {};
}

}  // namespace fovea::ops
