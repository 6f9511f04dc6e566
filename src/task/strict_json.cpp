// SPDX-License-Identifier: Apache-2.0
// A key that stands twice is refused: one of its two values would be thrown away without a word.
#include <functional>
#include <set>
#include <vector>

#include "base/json_problem.h"
#include "task/json_fields.h"

namespace fovea::task {

namespace {

using Json = nlohmann::json;

/// An object or list that is being read.
struct Level {
  bool is_list = false;
  std::size_t index = 0;  ///< of the list's next item
  std::set<std::string> keys;
  std::string key;  ///< the last one
};

std::string path_of(const std::vector<Level>& levels) {
  std::string path;
  for (const Level& level : levels) path += level.is_list ? str_cat('[', level.index, ']') : (path.empty() ? "" : ".") + level.key;
  return path;
}

/// Follows the parser and remembers the first key that stands twice.
class TwiceWatch {
 public:
  bool operator()(int, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    switch (event) {
      case Event::object_start: levels_.push_back({}); break;
      case Event::array_start: levels_.push_back({true, 0, {}, {}}); break;
      case Event::key:
        levels_.back().key = parsed.get<std::string>().substr(0, 64);
        if (!levels_.back().keys.insert(parsed.get<std::string>()).second && twice_.empty()) twice_ = path_of(levels_);
        break;
      case Event::object_end: case Event::array_end:
        levels_.pop_back();
        next_item();
        break;
      case Event::value: next_item(); break;
    }
    return true;
  }
  const std::string& twice() const { return twice_; }

 private:
  void next_item() {
    if (!levels_.empty() && levels_.back().is_list) ++levels_.back().index;
  }
  std::vector<Level> levels_;
  std::string twice_;
};

}  // namespace

Result<Json> parse_strict_json(std::string_view text) {
  TwiceWatch watch;
  try {
    Json json = Json::parse(text, std::ref(watch));
    if (!watch.twice().empty()) return invalid_model("recipe: ", watch.twice(), ": expected one value, found the key twice");
    return json;
  } catch (const Json::exception& error) {
    return invalid_model("recipe: not valid JSON: ", json_problem(error.what()));
  }
}

}  // namespace fovea::task
