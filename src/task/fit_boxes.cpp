// SPDX-License-Identifier: Apache-2.0
// Detection: shapes of the outputs that each kind of head reads, and grids that follow from the input's size.
#include <cmath>

#include "task/output_fit.h"

namespace fovea::task {

namespace {

std::string level_key(const char* what, std::size_t i) { return str_cat("decode.levels[", i, "].", what); }

/// Cells along a side of the input; the last one may reach out of it.
std::int64_t cells(int side, double stride) { return side == 0 ? kOpen : static_cast<std::int64_t>(std::ceil(side / stride)); }
/// Networks that cut instead have one less.
bool fits_cells(std::int64_t found, int side, double stride) {
  return side == 0 || found == kOpen || found == cells(side, stride) || found == static_cast<std::int64_t>(std::floor(side / stride));
}

/// A number that all levels of a head share, from the first level that tells.
struct Shared {
  std::int64_t value = kOpen;
  bool fits(std::int64_t found) {
    if (value == kOpen) value = found;
    return !differ(value, found);
  }
};

struct BoxFit {
  const OutputFit& check;

  Status operator()(const BoxesScores& decode) const {
    Shared count;
    for (std::size_t i = 0; i < decode.boxes.size(); ++i) {
      const auto key = [&](const char* what) { return decode.boxes.size() == 1 ? str_cat("decode.", what) : str_cat("decode.", what, "[", i, "]"); };
      FOVEA_ASSIGN(const MatrixShape boxes, check.matrix(key("boxes"), decode.boxes[i], {}, 4));
      FOVEA_ASSIGN(const MatrixShape scores, check.matrix(key("scores"), decode.scores[i], boxes.rows, kOpen));
      if (!decode.objectness.empty()) FOVEA_RETURN_IF_ERROR(check.matrix(key("objectness"), decode.objectness[i], boxes.rows, 1).status());
      if (!decode.keypoints.empty()) FOVEA_RETURN_IF_ERROR(pairs(key("keypoints"), decode.keypoints[i], boxes.rows));
      if (!count.fits(scores.columns)) return other_level(key("scores"), count, boxes.rows, decode.scores[i]);
      FOVEA_RETURN_IF_ERROR(classes(decode.rule, scores.columns, decode.scores[i]));
    }
    return {};
  }

  Status operator()(const Rows& decode) const {
    FOVEA_ASSIGN(const OutputShape* const shape, check.find("decode.output", decode.output));
    const auto rows = matrix_shape(*shape, decode.transposed, {});
    const auto named = static_cast<std::int64_t>(decode.columns.size());
    const bool open_end = decode.columns.back() == Rows::Column::Classes;
    const std::string values = str_cat(named, open_end ? " or more" : ""), form = decode.transposed ? str_cat("1 x (", values, ") x N") : str_cat("1 x N x (", values, ")");
    const bool fits = rows && (rows->columns == kOpen || (open_end ? rows->columns >= named : rows->columns == named));
    if (!fits) return check.wrong_output("decode.columns", form + (decode.transposed ? ", a column a box" : ", a row a box"), decode.output);
    if (!open_end) return {};
    return classes(decode.rule, rows->columns == kOpen ? kOpen : rows->columns - named + 1, decode.output);
  }

  Status operator()(const YoloGrid& decode) const {
    Shared count;
    for (std::size_t i = 0; i < decode.levels.size(); ++i) FOVEA_RETURN_IF_ERROR(yolo_level(decode, i, count));
    return {};
  }

  Status operator()(const SsdPriors& decode) const {
    FOVEA_ASSIGN(const MatrixShape boxes, check.matrix("decode.boxes", decode.boxes, {}, 4 + 2 * decode.keypoints));
    FOVEA_ASSIGN(const MatrixShape scores, check.matrix("decode.scores", decode.scores, boxes.rows, kOpen));
    std::int64_t priors = 0;
    for (const auto& level : decode.levels) {
      const std::int64_t more = product(product(cells(check.input.width, level.stride), cells(check.input.height, level.stride)), static_cast<std::int64_t>(level.sizes.size()));
      priors = priors == kOpen || more == kOpen ? kOpen : priors + more;
    }
    if (differ(priors, boxes.rows)) {
      return check.wrong("decode.levels", str_cat(boxes.rows, " priors, as many as the boxes of output '", decode.boxes, "'"),
                         str_cat(priors, " on an input of ", check.input.width, "x", check.input.height, " pixels"));
    }
    return classes(decode.rule, scores.columns, decode.scores);
  }

  Status operator()(const AnchorFreeGrid& decode) const {
    Shared sides, count;
    for (std::size_t i = 0; i < decode.levels.size(); ++i) {
      const auto& level = decode.levels[i];
      const std::int64_t rows = product(cells(check.input.width, level.stride), cells(check.input.height, level.stride));
      const bool bins = decode.box == AnchorFreeGrid::Box::Dfl;
      FOVEA_ASSIGN(const MatrixShape boxes, check.matrix(level_key("boxes", i), level.boxes, {}, bins ? kOpen : 4));
      if (bins && boxes.columns != kOpen && (boxes.columns < 8 || boxes.columns % 4 != 0)) {
        return check.wrong_output(level_key("boxes", i), "1 x N x 4 * bins, two bins or more", level.boxes);
      }
      if (!sides.fits(boxes.columns)) return other_level(level_key("boxes", i), sides, rows, level.boxes);
      if (differ(rows, boxes.rows)) {
        return check.wrong(level_key("stride", i), str_cat("one that makes the ", boxes.rows, " cells of output '", level.boxes, "' from ", check.input.width, "x",
                                                          check.input.height, " pixels"), str_cat(level.stride, ", which makes ", rows));
      }
      FOVEA_ASSIGN(const MatrixShape scores, check.matrix(level_key("scores", i), level.scores, boxes.rows, kOpen));
      if (!level.objectness.empty()) FOVEA_RETURN_IF_ERROR(check.matrix(level_key("objectness", i), level.objectness, boxes.rows, 1).status());
      if (!level.keypoints.empty()) FOVEA_RETURN_IF_ERROR(pairs(level_key("keypoints", i), level.keypoints, boxes.rows));
      if (!count.fits(scores.columns)) return other_level(level_key("scores", i), count, rows, level.scores);
      FOVEA_RETURN_IF_ERROR(classes(decode.rule, scores.columns, level.scores));
    }
    return {};
  }

  Status operator()(const FinalBoxes& decode) const {
    FOVEA_ASSIGN(const OutputShape* const shape, check.find("decode.boxes", decode.boxes));
    FOVEA_ASSIGN(const OutputShape* const labels, check.find("decode.labels", decode.labels));
    FOVEA_ASSIGN(const OutputShape* const scores, check.find("decode.scores", decode.scores));
    if (!decode.count.empty()) {
      FOVEA_ASSIGN(const OutputShape* const count, check.find("decode.count", decode.count));
      if (count->rank_known && differ(count->elements(), 1)) return check.wrong_output("decode.count", "one number", decode.count);
    }
    if (shape->is_empty() && labels->is_empty() && scores->is_empty()) return {};  // nothing found, in any form
    FOVEA_ASSIGN(const MatrixShape boxes, check.matrix("decode.boxes", decode.boxes, {}, 4));
    FOVEA_RETURN_IF_ERROR(check.matrix("decode.labels", decode.labels, boxes.rows, 1).status());
    return check.matrix("decode.scores", decode.scores, boxes.rows, 1).status();
  }

 private:
  Status other_level(const std::string& key, const Shared& columns, std::int64_t rows, const std::string& name) const {
    return check.wrong_output(key, str_cat("1 x ", shown_extent(rows), " x ", columns.value, " like the levels before"), name);
  }
  Status classes(const ScoreRule& rule, std::int64_t count, const std::string& output) const {
    const ScoreRule whole = with_last_as_background(rule, count);
    return check.fit_classes(&whole, count, output);
  }
  Status pairs(const std::string& key, const std::string& name, std::int64_t rows) const {
    FOVEA_ASSIGN(const MatrixShape points, check.matrix(key, name, rows, kOpen));
    return points.columns == kOpen || points.columns % 2 == 0 ? Status() : check.wrong_output(key, str_cat("1 x ", shown_extent(rows), " x pairs of x and y"), name);
  }

  Status yolo_level(const YoloGrid& decode, std::size_t i, Shared& count) const {
    const YoloGrid::Level& level = decode.levels[i];
    FOVEA_ASSIGN(const OutputShape* const shape, check.find(level_key("output", i), level.output));
    if (!shape->rank_known) return {};
    const auto& e = shape->extents;
    const auto anchors = static_cast<std::int64_t>(level.anchors.size()), labels = static_cast<std::int64_t>(check.task.labels.size());
    const bool five = e.size() == 5, one = (five || e.size() == 4) && (e[0] == 1 || e[0] == kOpen);
    if (!one || shape->is_empty()) {
      return check.wrong_output(level_key("output", i), str_cat("1 x ", anchors, "*(5+classes) x H x W or 1 x ", anchors, " x H x W x (5+classes)"), level.output);
    }
    // 1. An anchor has four numbers of its box, objectness and classes. Labels say how many, so that a wrong number of anchors shows.
    const std::int64_t channels = five ? product(e[1], e[4]) : e[1], classes = channels == kOpen ? kOpen : channels / anchors - 5;
    const bool whole = channels == kOpen || (channels % anchors == 0 && classes >= 1 && !(five && differ(e[1], anchors)));
    const ScoreRule rule = decode.rule;
    const std::int64_t named = labels + (rule.background ? 1 : 0);
    if (!whole || (labels > 0 && differ(classes, named))) {
      const std::string named_classes = labels > 0 ? str_cat(named, labels == named ? " labels" : " labels and background") : "classes";
      return check.wrong_output(level_key("anchors", i), str_cat(anchors, " anchors * (5 + ", named_classes, ")", labels > 0 ? str_cat(" = ", anchors * (5 + named)) : "", " channels"), level.output)
          .with_hint("a class without a name gets an empty label");
    }
    if (!count.fits(classes)) {
      return check.wrong_output(level_key("anchors", i), str_cat(anchors, " anchors * (5 + ", count.value, " classes) channels like the levels before"), level.output);
    }
    // 2. Cells follow from the stride.
    const std::int64_t height = e[2], width = e[3];
    if (!fits_cells(height, check.input.height, level.stride) || !fits_cells(width, check.input.width, level.stride)) {
      return check.wrong(level_key("stride", i), str_cat("one that makes the ", shown_extent(width), "x", shown_extent(height), " cells of output '", level.output, "' from ",
                                                        check.input.width, "x", check.input.height, " pixels"),
                         str_cat(level.stride, ", which makes ", cells(check.input.width, level.stride), "x", cells(check.input.height, level.stride)));
    }
    return check.fit_classes(&rule, classes, level.output);
  }
};

}  // namespace

Result<MatrixShape> OutputFit::matrix(const std::string& key, const std::string& name, std::optional<std::int64_t> rows, std::int64_t columns) const {
  FOVEA_ASSIGN(const OutputShape* const shape, find(key, name));
  const auto found = matrix_shape(*shape, false, rows);
  if (found && !differ(found->columns, columns) && !differ(found->rows, rows.value_or(kOpen))) return *found;
  const std::string per_box = rows ? ", a row for each box" : "";
  return wrong_output(key, str_cat("1 x ", shown_extent(rows.value_or(kOpen)), " x ", columns == kOpen ? "C" : std::to_string(columns), per_box), name);
}

Status OutputFit::fit(const DetectionRecipe& detection) const { return std::visit(BoxFit{*this}, detection.decode); }

}  // namespace fovea::task
