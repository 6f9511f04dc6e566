// SPDX-License-Identifier: Apache-2.0
// StringConcat, StringNormalizer and StringSplit.
#include <algorithm>
#include <limits>
#include <set>

#include "ops/axis.h"
#include "ops/elementwise/broadcast.h"
#include "ops/kernel_context.h"
#include "ops/string/utf8.h"

namespace fovea::ops {

namespace {

Status expect_strings(const KernelContext& context, int inputs) {
  for (int i = 0; i < inputs; ++i) {
    if (context.input(i).type() != DataType::string) return invalid_argument("input ", i, ": expected strings, found ", name(context.input(i).type()));
  }
  return {};
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// As Python's str.split(): runs of white space separate, and none stands at either end. Of what is left after
// `limit` cuts the end stays as it is.
std::vector<std::string> split_at_spaces(const std::string& text, std::int64_t limit) {
  std::vector<std::string> parts;
  auto at = text.begin();
  for (;;) {
    at = std::find_if_not(at, text.end(), is_space);
    if (at == text.end()) return parts;
    if (static_cast<std::int64_t>(parts.size()) == limit) {
      parts.emplace_back(at, text.end());
      return parts;
    }
    const auto end = std::find_if(at, text.end(), is_space);
    parts.emplace_back(at, end);
    at = end;
  }
}

std::vector<std::string> split_at(const std::string& text, const std::string& delimiter, std::int64_t limit) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (static_cast<std::int64_t>(parts.size()) < limit) {
    const std::size_t found = text.find(delimiter, at);
    if (found == std::string::npos) break;
    parts.push_back(text.substr(at, found - at));
    at = found + delimiter.size();
  }
  parts.push_back(text.substr(at));
  return parts;
}

}  // namespace

Status string_concat_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_strings(context, 2));
  const Tensor &a = context.input(0), &b = context.input(1);
  FOVEA_ASSIGN(const Shape shape, broadcast_shapes("StringConcat", a.shape(), b.shape()));
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::string, shape));
  const BroadcastLoop<2> loop(shape, {&a.shape(), &b.shape()});
  loop.for_each_row([&](std::int64_t to, const auto& from, const auto& step, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      output.data<std::string>()[to + i] = a.data<std::string>()[from[0] + i * step[0]] + b.data<std::string>()[from[1] + i * step[1]];
    }
  });
  return {};
}

Status string_normalizer_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_strings(context, 1));
  const Tensor& data = context.input(0);
  if (data.rank() != 1 && !(data.rank() == 2 && data.dim(0) == 1)) {
    return invalid_argument("expected shape [C] or [1, C], found ", data.shape().to_string());
  }
  const std::string action = context.attributes().get_string("case_change_action", "NONE");
  const bool exact = context.attributes().get_int("is_case_sensitive") != 0;
  std::set<std::string> stopwords;
  for (const std::string& word : context.attributes().get_strings("stopwords")) stopwords.insert(exact ? word : to_lower(word));
  std::vector<std::string> kept;
  for (const std::string& word : data.values<std::string>()) {
    if (!stopwords.empty() && stopwords.contains(exact ? word : to_lower(word))) continue;
    kept.push_back(action == "LOWER" ? to_lower(word) : action == "UPPER" ? to_upper(word) : word);
  }
  if (kept.empty()) kept.emplace_back();  // the operator never gives an empty tensor
  const auto count = static_cast<std::int64_t>(kept.size());
  FOVEA_ASSIGN(Tensor output, context.output(0, DataType::string, data.rank() == 1 ? Shape{count} : Shape{1, count}));
  std::move(kept.begin(), kept.end(), output.data<std::string>());
  return {};
}

Status string_split_reference(KernelContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_strings(context, 1));
  const Tensor& data = context.input(0);
  const std::string delimiter = context.attributes().get_string("delimiter");
  const std::int64_t given = context.attributes().get_int("maxsplit", -1);
  const std::int64_t limit = given < 0 ? std::numeric_limits<std::int64_t>::max() : given;
  std::vector<std::vector<std::string>> split;
  std::size_t longest = 0;
  for (const std::string& text : data.values<std::string>()) {
    split.push_back(delimiter.empty() ? split_at_spaces(text, limit) : split_at(text, delimiter, limit));
    longest = std::max(longest, split.back().size());
  }
  std::vector<std::int64_t> dims = data.shape().to_vector();
  dims.push_back(static_cast<std::int64_t>(longest));
  FOVEA_ASSIGN(const Shape shape, make_shape(dims));
  FOVEA_ASSIGN(Tensor parts, context.output(0, DataType::string, shape));
  FOVEA_ASSIGN(Tensor counts, context.output(1, DataType::i64, data.shape()));
  std::string* to = parts.data<std::string>();
  for (std::size_t i = 0; i < split.size(); ++i, to += longest) {
    counts.data<std::int64_t>()[i] = static_cast<std::int64_t>(split[i].size());
    std::move(split[i].begin(), split[i].end(), to);
    std::fill(to + split[i].size(), to + longest, std::string());
  }
  return {};
}

}  // namespace fovea::ops
