// SPDX-License-Identifier: Apache-2.0
// The kinds of detection heads a recipe can name.
#include <algorithm>

#include "task/recipe_readers.h"

namespace fovea::task {

namespace {

constexpr std::initializer_list<std::pair<const char*, BoxFormat>> kBoxFormats = {
    {"xyxy", BoxFormat::Xyxy}, {"cxcywh", BoxFormat::Cxcywh}, {"xywh", BoxFormat::Xywh}};
/// Boxes on grids come out in pixels of the input.
constexpr std::initializer_list<std::pair<const char*, Coordinates>> kGridCoordinates = {{"pixels", Coordinates::Pixels},
                                                                                         {"pixel_centers", Coordinates::PixelCenters}};

void read_rule(JsonFields& f, ScoreRule& rule) {
  f.read("activation", rule.activation, kActivations);
  f.read("objectness_exponent", rule.objectness_exponent, 0, 10);
  f.read("class_exponent", rule.class_exponent, 0, 10);
  f.read("multi_label", rule.multi_label);
  if (f.has("background")) f.read("background", rule.background.emplace(0), 0, 1 << 20);
}

BoxesScores read_boxes_scores(JsonFields& f, bool detr) {
  BoxesScores decode;
  if (detr) {  // the same with other defaults
    decode.format = BoxFormat::Cxcywh;
    decode.coordinates = Coordinates::Normalised;
    decode.rule.activation = Activation::Softmax;
  }
  f.read_names("boxes", decode.boxes, true);
  f.read_names("scores", decode.scores, true);
  f.read_names("objectness", decode.objectness, false);
  f.read_names("keypoints", decode.keypoints, false);
  f.read("box_format", decode.format, kBoxFormats);
  f.read("coordinates", decode.coordinates, kCoordinates);
  read_rule(f, decode.rule);
  for (const auto& [key, list] : {std::pair("scores", &decode.scores), std::pair("objectness", &decode.objectness), std::pair("keypoints", &decode.keypoints)}) {
    if (!list->empty() && list->size() != decode.boxes.size()) f.fail(key, str_cat("as many outputs as boxes, ", decode.boxes.size()));
  }
  return decode;
}

Rows read_rows(JsonFields& f) {
  using C = Rows::Column;
  static const std::map<std::string, C> kColumns = {{"x1", C::X1}, {"y1", C::Y1}, {"x2", C::X2}, {"y2", C::Y2}, {"cx", C::Cx}, {"cy", C::Cy},
                                                    {"w", C::W}, {"h", C::H}, {"objectness", C::Objectness}, {"score", C::Score},
                                                    {"class", C::Class}, {"skip", C::Skip}, {"classes", C::Classes}};
  Rows decode;
  f.read("output", decode.output, true);
  f.read("transposed", decode.transposed);
  f.read("coordinates", decode.coordinates, kCoordinates);
  read_rule(f, decode.rule);
  std::vector<std::string> names;
  f.read("columns", names);
  std::size_t corners = 0, center = 0;
  for (const std::string& name : names) {
    const auto it = kColumns.find(name);
    if (it == kColumns.end()) return f.fail("columns", "x1 y1 x2 y2 cx cy w h objectness score class skip classes"), decode;
    decode.columns.push_back(it->second);
    corners += it->second <= C::Y2 ? 1 : 0;
    center += it->second >= C::Cx && it->second <= C::H ? 1 : 0;
    if (it->second == C::Classes && decode.columns.size() != names.size()) f.fail("columns", "\"classes\" as the last one");
  }
  const bool scored = std::count(decode.columns.begin(), decode.columns.end(), C::Classes) + std::count(decode.columns.begin(), decode.columns.end(), C::Score) == 1;
  if (decode.rule.background && (decode.columns.empty() || decode.columns.back() != C::Classes)) {
    f.fail("background", "no background unless columns end with \"classes\"");
  }
  if (!((corners == 4 && center == 0) || (center == 4 && corners == 0)) || !scored) {
    if (!f.raw("columns", true)) return decode;
    f.fail("columns", "x1 y1 x2 y2 or cx cy w h, and either score or classes");
  }
  return decode;
}

void read_sizes(JsonFields& f, const char* key, std::vector<std::array<double, 2>>& into) {
  const auto* list = f.raw(key, true);
  if (!list) return;
  const char* expected = "a list of [width, height] pairs above 0";
  if (!list->is_array() || list->empty() || list->size() > 64) return f.fail(key, expected, *list);
  for (const auto& pair : *list) {
    const bool fits = pair.is_array() && pair.size() == 2 && pair[0].is_number() && pair[1].is_number() && pair[0].get<double>() > 0 &&
                      pair[1].get<double>() > 0 && pair[0].get<double>() < kHuge && pair[1].get<double>() < kHuge;
    if (!fits) return f.fail(key, expected, pair);
    into.push_back({pair[0].get<double>(), pair[1].get<double>()});
  }
}

YoloGrid read_yolo(JsonFields& f) {
  YoloGrid decode;
  f.read("version", decode.version, {{"v3", YoloGrid::Version::V3}, {"v5", YoloGrid::Version::V5}});
  f.read("activated", decode.activated);
  f.read("coordinates", decode.coordinates, kGridCoordinates);
  read_rule(f, decode.rule);
  f.list("levels", true, [&](JsonFields& level) {
    auto& into = decode.levels.emplace_back();
    level.read("output", into.output, true);
    level.read("stride", into.stride, 1, 4096, true);
    read_sizes(level, "anchors", into.anchors);
  });
  return decode;
}

SsdPriors read_ssd(JsonFields& f) {
  SsdPriors decode;
  f.read("boxes", decode.boxes, true);
  f.read("scores", decode.scores, true);
  f.read("offset", decode.offset, 0, 1);
  f.read("variances", decode.variances, 1e-6, kHuge);
  f.read("size_decoding", decode.linear_size, {{"exp", false}, {"linear", true}});
  f.read("keypoints", decode.keypoints, 0, 1024);
  f.read("coordinates", decode.coordinates, kGridCoordinates);
  read_rule(f, decode.rule);
  f.list("levels", true, [&](JsonFields& level) {
    auto& into = decode.levels.emplace_back();
    level.read("stride", into.stride, 1, 4096, true);
    read_sizes(level, "sizes", into.sizes);
  });
  return decode;
}

AnchorFreeGrid read_anchor_free(JsonFields& f) {
  AnchorFreeGrid decode;
  f.read("box_decoding", decode.box, {{"ltrb", AnchorFreeGrid::Box::Ltrb}, {"dfl", AnchorFreeGrid::Box::Dfl}, {"center_exp", AnchorFreeGrid::Box::CenterExp}}, true);
  f.read("offset", decode.offset, 0, 1);
  f.read("units", decode.stride_units, {{"stride", true}, {"pixels", false}});
  f.read("coordinates", decode.coordinates, kGridCoordinates);
  read_rule(f, decode.rule);
  f.list("levels", true, [&](JsonFields& level) {
    auto& into = decode.levels.emplace_back();
    level.read("stride", into.stride, 1, 4096, true);
    level.read("boxes", into.boxes, true);
    level.read("scores", into.scores, true);
    level.read("objectness", into.objectness);
    level.read("keypoints", into.keypoints);
  });
  return decode;
}

FinalBoxes read_final(JsonFields& f) {
  FinalBoxes decode;
  f.read("boxes", decode.boxes, true);
  f.read("labels", decode.labels, true);
  f.read("scores", decode.scores, true);
  f.read("count", decode.count);
  f.read("box_format", decode.format, kBoxFormats);
  f.read("coordinates", decode.coordinates, kCoordinates);
  f.read("first_label", decode.first_label, -1000, 1000);
  return decode;
}

}  // namespace

void read_detection(JsonFields& f, TaskRecipe& task) {
  DetectionRecipe detection;
  enum class Kind { BoxesScores, Detr, Rows, Yolo, Ssd, AnchorFree, Final } kind = Kind::BoxesScores;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("kind", kind,
                {{"boxes_scores", Kind::BoxesScores}, {"detr", Kind::Detr}, {"rows", Kind::Rows}, {"yolo_grid", Kind::Yolo},
                 {"ssd_priors", Kind::Ssd}, {"anchor_free_grid", Kind::AnchorFree}, {"final", Kind::Final}}, true);
    switch (kind) {
      case Kind::BoxesScores: case Kind::Detr: detection.decode = read_boxes_scores(decode, kind == Kind::Detr); break;
      case Kind::Rows: detection.decode = read_rows(decode); break;
      case Kind::Yolo: detection.decode = read_yolo(decode); break;
      case Kind::Ssd: detection.decode = read_ssd(decode); break;
      case Kind::AnchorFree: detection.decode = read_anchor_free(decode); break;
      case Kind::Final: detection.decode = read_final(decode); break;
    }
  });
  f.read("score_threshold", detection.score_threshold, 0, 1);
  f.read("max_detections", detection.max_detections, 1, 100000);
  f.object("nms", false, [&](JsonFields& nms) {
    Nms& into = detection.nms.emplace();
    nms.read("iou", into.iou, 0, 1);
    nms.read("class_aware", into.class_aware);
    nms.read("inclusive", into.inclusive);
  });
  f.read("clip", detection.clip, {{"after_nms", Clip::AfterNms}, {"before_nms", Clip::BeforeNms}, {"never", Clip::Never}});
  task.decode = std::move(detection);
}

}  // namespace fovea::task
