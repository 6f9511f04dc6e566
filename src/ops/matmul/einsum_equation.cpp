// SPDX-License-Identifier: Apache-2.0
#include "ops/matmul/einsum_equation.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace fovea::ops {

namespace {

/// Labels of one term; an ellipsis stands for `ellipsis` axes.
Result<std::string> expand(std::string_view term, int ellipsis) {
  std::string labels;
  bool dots = false;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(term[i]))) {
      labels += term[i];
    } else if (term.substr(i, 3) == "..." && !dots) {
      dots = true;
      i += 2;
      for (int k = ellipsis - 1; k >= 0; --k) labels += static_cast<char>('0' + k);
    } else {
      return invalid_argument("Einsum: unexpected '", term.substr(i, 1), "' in the equation");
    }
  }
  return labels;
}

}  // namespace

Result<EinsumEquation> parse_einsum(std::string_view equation, const std::vector<int>& ranks) {
  std::string text;
  for (const char c : equation) {
    if (c != ' ') text += c;
  }
  const std::size_t arrow = text.find("->");
  const std::string left = text.substr(0, arrow);
  EinsumEquation result;
  int widest = 0;
  std::size_t begin = 0;
  for (std::size_t operand = 0;; ++operand) {
    const std::size_t comma = left.find(',', begin);
    const std::string term = left.substr(begin, comma == std::string::npos ? std::string::npos : comma - begin);
    if (operand >= ranks.size()) return invalid_argument("Einsum: the equation has more terms than the ", ranks.size(), " inputs");
    const bool dots = term.find("...") != std::string::npos;
    const int named = static_cast<int>(term.size()) - (dots ? 3 : 0);
    const int ellipsis = ranks[operand] - named;
    if (ellipsis < 0 || (!dots && ellipsis != 0)) {
      return invalid_argument("Einsum: term '", term, "' does not fit input ", operand, " of rank ", ranks[operand]);
    }
    widest = std::max(widest, dots ? ellipsis : 0);
    FOVEA_ASSIGN(std::string labels, expand(term, ellipsis));
    result.operands.push_back(std::move(labels));
    if (comma == std::string::npos) break;
    begin = comma + 1;
  }
  if (result.operands.size() != ranks.size()) return invalid_argument("Einsum: the equation has ", result.operands.size(), " terms for ", ranks.size(), " inputs");
  if (arrow != std::string::npos) {
    FOVEA_ASSIGN(result.output, expand(std::string_view(text).substr(arrow + 2), widest));
  } else {
    std::map<char, int> count;
    for (const std::string& labels : result.operands) {
      for (const char label : labels) ++count[label];
    }
    for (int k = widest - 1; k >= 0; --k) result.output += static_cast<char>('0' + k);
    for (const auto& [label, times] : count) {
      if (std::isalpha(static_cast<unsigned char>(label)) && times == 1) result.output += label;
    }
  }
  for (const char label : result.output) {
    const bool known = std::any_of(result.operands.begin(), result.operands.end(), [&](const std::string& o) { return o.find(label) != std::string::npos; });
    if (!known) return invalid_argument("Einsum: output label '", std::string(1, label), "' is in no input");
    if (std::count(result.output.begin(), result.output.end(), label) != 1) return invalid_argument("Einsum: output label '", std::string(1, label), "' is repeated");
  }
  return result;
}

}  // namespace fovea::ops
