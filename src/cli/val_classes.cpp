// SPDX-License-Identifier: Apache-2.0
// `fovea val` of classes: a list of pictures and labels.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>
#include <sstream>

#include "base/check.h"
#include "base/file.h"
#include "cli/val.h"
#include "metrics/class_score.h"

namespace fovea::cli {

namespace {

namespace fs = std::filesystem;

constexpr const char* kLabelsHint = "docs/recipes.md says what a list of labels holds";

struct Labelled {
  std::string file, label, where;  ///< where: "labels.txt:3"
};

/// Lines "picture label"; the label may hold spaces. Relative names start at --images, or at the list's folder.
Result<std::vector<Labelled>> read_labels(const ValArguments& arguments) {
  FOVEA_ASSIGN(std::string text, read_file(arguments.labels));
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);  // the byte order mark of some editors
  const fs::path folder = arguments.images.empty() ? fs::path(arguments.labels).parent_path() : fs::path(arguments.images);
  std::vector<Labelled> rows;
  std::map<fs::path, int> seen;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const std::string where = str_cat(arguments.labels, ":", number);
    const std::size_t space = line.find_first_of(" \t,");
    const std::size_t label = space == std::string::npos ? space : line.find_first_not_of(" \t,", space);
    if (label == std::string::npos) return invalid_model(where, ": expected 'picture label', found '", line.substr(0, 60), "'").with_hint(kLabelsHint);
    const fs::path file = folder / line.substr(0, space);
    const auto [first, is_new] = seen.emplace(file.lexically_normal(), number);
    if (!is_new) return invalid_model(where, ": expected each picture once, found '", line.substr(0, space), "' again, first in line ", first->second).with_hint(kLabelsHint);
    rows.push_back({file.string(), line.substr(label, line.find_last_not_of(" \t") + 1 - label), where});
  }
  if (rows.empty()) return invalid_model(arguments.labels, ": expected lines 'picture label', found none").with_hint(kLabelsHint);
  return rows;
}

/// The class number of a label: the number it is, or that of the class with this name.
Result<int> class_of(const Labelled& row, const task::TaskInfo& task) {
  int number = 0;
  const std::string& label = row.label;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  if (end == label.data() + label.size()) {
    const bool known = error == std::errc() && number >= 0 && (task.classes == 0 || number < task.classes);
    if (known) return number;
    return invalid_model(row.where, ": expected a class ", task.classes == 0 ? "number from 0" : str_cat("from 0 to ", task.classes - 1), ", found ", label.substr(0, 60))
        .with_hint("classes are numbered from 0, in the order of the network's scores (behind decode.skip)");
  }
  const auto found = std::find(task.labels.begin(), task.labels.end(), label);
  if (found == task.labels.end()) {
    return invalid_model(row.where, ": expected a class number or one of the recipe's ", task.labels.size(), " labels, found '", label.substr(0, 60), "'").with_hint(kLabelsHint);
  }
  const auto again = std::find(found + 1, task.labels.end(), label);
  if (again == task.labels.end()) return static_cast<int>(found - task.labels.begin());
  return invalid_model(row.where, ": expected a label of one class, found '", label.substr(0, 60), "' of classes ", found - task.labels.begin(), " and ",
                       again - task.labels.begin()).with_hint("the class number says which");
}

}  // namespace

Result<nlohmann::json> val_classes(task::Predictor& predictor, const ValArguments& arguments) {
  FOVEA_ASSIGN(const std::vector<Labelled> rows, read_labels(arguments));
  PictureRun run(predictor, arguments, rows.size());
  FOVEA_ASSIGN(const task::TaskInfo* task, run.task(task::Prediction::Kind::Classes));
  for (const Labelled& row : rows) FOVEA_RETURN_IF_ERROR(class_of(row, *task).status());  // before the work
  metrics::ClassScore score;
  for (const Labelled& row : rows) {
    if (run.enough()) break;
    FOVEA_ASSIGN(const task::Prediction prediction, run.predict(row.file, row.where));
    FOVEA_ASSIGN(task, run.task(task::Prediction::Kind::Classes));  // which counts the classes now where the engine leaves them open
    FOVEA_ASSIGN(const int truth, class_of(row, *task));
    std::vector<int> ranked;
    for (const task::ClassScore& found : prediction.classes) ranked.push_back(found.class_id);
    score.add(ranked, truth);
  }
  if (arguments.common.json != "-") {
    std::printf("%lld pictures\ntop-1 %7.4f\ntop-5 %7.4f\n", static_cast<long long>(score.pictures()), score.top1(), score.top5());
  }
  return nlohmann::json{{"kind", "classification"}, {"pictures", score.pictures()}, {"top1", score.top1()}, {"top5", score.top5()}, {"network_ms", run.milliseconds()}};
}

}  // namespace fovea::cli
