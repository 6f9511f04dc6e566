// SPDX-License-Identifier: Apache-2.0
#include "task/recipe.h"

#include <algorithm>

#include "task/json_fields.h"

namespace fovea::task {

namespace {

constexpr std::size_t kMaxText = 1 << 20;
constexpr double kHuge = 1e9;
constexpr std::initializer_list<std::pair<const char*, Activation>> kActivations = {
    {"none", Activation::None}, {"sigmoid", Activation::Sigmoid}, {"softmax", Activation::Softmax}};
constexpr std::initializer_list<std::pair<const char*, Coordinates>> kCoordinates = {
    {"pixels", Coordinates::Pixels}, {"normalised", Coordinates::Normalised}, {"picture", Coordinates::Picture}};
constexpr std::initializer_list<std::pair<const char*, BoxFormat>> kBoxFormats = {
    {"xyxy", BoxFormat::Xyxy}, {"cxcywh", BoxFormat::Cxcywh}, {"xywh", BoxFormat::Xywh}};

void read_input(JsonFields& f, Recipe& recipe) {
  image::InputSpec& spec = recipe.spec;
  spec.type = DataType::undefined;
  f.read("name", recipe.input);
  std::array<double, 2> size = {0, 0};
  f.read("size", size, 1, 16384);
  spec.height = static_cast<int>(size[0]);
  spec.width = static_cast<int>(size[1]);
  f.read("resize", spec.fit,
         {{"letterbox", image::Fit::Letterbox}, {"stretch", image::Fit::Stretch}, {"crop", image::Fit::Crop}, {"pad", image::Fit::Pad}});
  f.read("anchor", spec.anchor, {{"center", image::Anchor::Center}, {"top_left", image::Anchor::TopLeft}});
  f.read("filter", spec.filter,
         {{"bilinear", image::Filter::Bilinear}, {"bicubic", image::Filter::Bicubic}, {"nearest", image::Filter::Nearest}, {"area", image::Filter::Area}});
  f.read("antialias", spec.antialias);
  f.read("shorter_side", spec.shorter_side, 1, 16384);
  f.read("multiple_of", spec.multiple_of, 1, 4096);
  f.read("color", spec.channels, {{"rgb", image::Channels::Rgb}, {"bgr", image::Channels::Bgr}, {"gray", image::Channels::Gray}});
  f.read("layout", spec.order, {{"nchw", image::Order::Nchw}, {"nhwc", image::Order::Nhwc}});
  f.read("scale", spec.scale, 1e-9, kHuge);
  f.read("mean", spec.mean, -kHuge, kHuge);
  f.read("std", spec.std, 1e-9, kHuge);
  // One grey level or a colour.
  if (const auto* fill = f.raw("fill"); fill && fill->is_array()) {
    std::array<double, 3> color{};
    f.read("fill", color, 0, 255);
    for (std::size_t c = 0; c < 3; ++c) spec.fill[c] = static_cast<std::uint8_t>(color[c]);
  } else if (fill) {
    int level = 0;
    f.read("fill", level, 0, 255);
    spec.fill.fill(static_cast<std::uint8_t>(level));
  }
  if (spec.fit == image::Fit::Pad && f.has("size")) f.fail("size", "no size when resize is \"pad\"", *f.raw("size"));
}

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
    if (!list->empty() && list->size() != decode.boxes.size()) f.fail(key, str_cat("as many outputs as boxes, ", decode.boxes.size()), *f.raw(key));
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
    if (it == kColumns.end()) return f.fail("columns", "x1 y1 x2 y2 cx cy w h objectness score class skip classes", *f.raw("columns")), decode;
    decode.columns.push_back(it->second);
    corners += it->second <= C::Y2 ? 1 : 0;
    center += it->second >= C::Cx && it->second <= C::H ? 1 : 0;
    if (it->second == C::Classes && decode.columns.size() != names.size()) f.fail("columns", "\"classes\" as the last one", *f.raw("columns"));
  }
  const bool scored = std::count(decode.columns.begin(), decode.columns.end(), C::Classes) + std::count(decode.columns.begin(), decode.columns.end(), C::Score) == 1;
  if (!((corners == 4 && center == 0) || (center == 4 && corners == 0)) || !scored) {
    if (!f.raw("columns", true)) return decode;
    f.fail("columns", "x1 y1 x2 y2 or cx cy w h, and either score or classes", *f.raw("columns"));
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

void read_detection(JsonFields& f, Recipe& recipe) {
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
  });
  recipe.task = std::move(detection);
}

void read_classification(JsonFields& f, Recipe& recipe) {
  ClassificationRecipe task;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", task.output, true);
    decode.read("activation", task.activation, kActivations);
    decode.read("top_k", task.top_k, 1, 1000);
    decode.read("skip", task.skip, 0, 1000);
  });
  recipe.task = std::move(task);
}

void read_segmentation(JsonFields& f, Recipe& recipe) {
  using Classes = SegmentationRecipe::Classes;
  SegmentationRecipe task;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", task.output, true);
    decode.read("classes", task.classes, {{"argmax", Classes::Argmax}, {"threshold", Classes::Threshold}, {"map", Classes::Map}});
    decode.read("activation", task.activation, {{"none", Activation::None}, {"sigmoid", Activation::Sigmoid}});
    decode.read("threshold", task.threshold, -kHuge, kHuge);
  });
  recipe.task = std::move(task);
}

void read_depth(JsonFields& f, Recipe& recipe) {
  DepthRecipe task;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", task.output, true);
    decode.read("larger_is_nearer", task.larger_is_nearer);
    decode.read("unit", task.unit);
  });
  recipe.task = std::move(task);
}

void read_landmarks(JsonFields& f, Recipe& recipe) {
  LandmarksRecipe task;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", task.output, true);
    decode.read("values_per_point", task.values_per_point, 2, 16);
    decode.read("coordinates", task.coordinates, kCoordinates);
  });
  recipe.task = std::move(task);
}

}  // namespace

std::string Recipe::label_of(int class_id) const {
  const bool known = class_id >= 0 && static_cast<std::size_t>(class_id) < labels.size();
  return known ? labels[static_cast<std::size_t>(class_id)] : str_cat("class ", class_id);
}

Result<Recipe> parse_recipe(std::string_view text) {
  if (text.size() > kMaxText) return invalid_model("recipe: ", text.size(), " bytes, more than the limit of ", kMaxText);
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    return invalid_model("recipe: not valid JSON: ", error.what());
  }
  Recipe recipe;
  Status mistake;
  JsonFields fields(json, "", mistake);
  using Reader = void (*)(JsonFields&, Recipe&);
  Reader reader = nullptr;
  fields.read("task", reader,
              {{"detection", read_detection}, {"classification", read_classification}, {"segmentation", read_segmentation},
               {"depth", read_depth}, {"landmarks", read_landmarks}}, true);
  std::string note;
  fields.read("note", note);
  fields.read("labels", recipe.labels);
  fields.object("input", true, [&](JsonFields& input) { read_input(input, recipe); });
  if (const auto* others = fields.raw("size_inputs"); others && others->is_object()) {
    for (const auto& [name, value] : others->items()) {
      if (value != "picture_size" && value != "input_size") fields.fail("size_inputs", "\"picture_size\" or \"input_size\"", value);
      if (value.is_string()) recipe.size_inputs[name] = value.get<std::string>();
    }
  } else if (others) {
    fields.fail("size_inputs", "an object", *others);
  }
  if (reader) reader(fields, recipe);
  fields.finish();
  if (!mistake.ok()) return mistake;
  return recipe;
}

}  // namespace fovea::task
