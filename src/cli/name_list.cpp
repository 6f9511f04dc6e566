// SPDX-License-Identifier: Apache-2.0
#include "cli/name_list.h"

#include "base/check.h"

namespace fovea::cli {

Result<std::vector<std::string>> parse_names(std::string_view list) {
  std::vector<std::string> names;
  for (std::size_t at = 0; !list.empty() && at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (end == at) return invalid_argument("'", list, "': a name is empty");
    names.emplace_back(list.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

Result<NameList> parse_renamed_names(std::string_view list) {
  FOVEA_ASSIGN(const std::vector<std::string> items, parse_names(list));
  NameList result;
  for (const std::string& item : items) {
    const std::size_t at = item.find('=');
    if (at == std::string::npos) {
      result.names.push_back(item);
      continue;
    }
    const std::string fresh = item.substr(0, at), old = item.substr(at + 1);
    if (fresh.empty() || old.empty()) return invalid_argument("'", item, "': expected NEW=OLD");
    result.names.push_back(old);
    result.renamed[old] = fresh;
  }
  return result;
}

std::string file_name_of(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    name += plain ? c : '_';
  }
  return name.empty() || name[0] == '.' ? "_" + name : name;
}

}  // namespace fovea::cli
