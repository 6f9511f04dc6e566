// SPDX-License-Identifier: Apache-2.0
#include "task/recipe.h"

#include <algorithm>

#include "image/palette.h"
#include "task/recipe_readers.h"

namespace fovea::task {

namespace {

constexpr std::size_t kMaxText = 1 << 20;

/// A palette by name, or colours one by one.
void read_palette(JsonFields& f, std::vector<image::Color>& into) {
  const auto* value = f.raw("palette");
  if (!value) return;
  if (value->is_string()) {
    if (const auto named = image::named_palette(value->get<std::string>())) {
      into = *named;
      return;
    }
  }
  std::string expected = "one of ";
  for (const char* name : image::kPaletteNames) expected += str_cat('"', name, "\", ");
  expected += "or a list of 1 to 1024 colours [r, g, b]";
  if (!value->is_array() || value->empty() || value->size() > 1024) return f.fail("palette", expected, *value);
  for (const auto& item : *value) {
    const auto level = [](const JsonFields::Json& v) { return v.is_number_unsigned() && v.get<std::uint64_t>() <= 255; };
    const bool fits = item.is_array() && item.size() == 3 && std::all_of(item.begin(), item.end(), level);
    if (!fits) return f.fail("palette", "colours of three whole numbers from 0 to 255", item);
    into.push_back({item[0].get<std::uint8_t>(), item[1].get<std::uint8_t>(), item[2].get<std::uint8_t>()});
  }
}

using TaskReader = void (*)(JsonFields&, TaskRecipe&);

/// The keys of one task: all of a recipe but what its tasks share.
void read_task(JsonFields& f, std::vector<TaskRecipe>& into) {
  TaskReader reader = nullptr;
  f.read("task", reader,
         {{"detection", read_detection}, {"classification", read_classification}, {"segmentation", read_segmentation},
          {"depth", read_depth}, {"landmarks", read_landmarks}}, true);
  TaskRecipe task;
  task.where = f.path_of("");
  f.read("labels", task.labels);
  if (!reader) return;
  reader(f, task);
  // The answer has one place for each kind, and classes of the picture stand where shares of classes stand.
  const auto answers_as = [](const TaskRecipe& one) { return std::holds_alternative<SegmentationRecipe>(one.decode) ? std::size_t{1} : one.decode.index(); };
  const bool taken = std::any_of(into.begin(), into.end(), [&](const TaskRecipe& other) { return answers_as(other) == answers_as(task); });
  if (taken) f.fail("task", "each task once, and not both classification and segmentation");
  into.push_back(std::move(task));
}

}  // namespace

void read_classification(JsonFields& f, TaskRecipe& task) {
  ClassificationRecipe classes;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", classes.output, true);
    decode.read("activation", classes.activation, kActivations);
    decode.read("top_k", classes.top_k, 1, 1000);
    decode.read("skip", classes.skip, 0, 1000);
  });
  task.decode = std::move(classes);
}

void read_segmentation(JsonFields& f, TaskRecipe& task) {
  using Classes = SegmentationRecipe::Classes;
  SegmentationRecipe map;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", map.output, true);
    decode.read("classes", map.classes, {{"argmax", Classes::Argmax}, {"threshold", Classes::Threshold}, {"map", Classes::Map}});
    decode.read("activation", map.activation, {{"none", Activation::None}, {"sigmoid", Activation::Sigmoid}});
    decode.read("threshold", map.threshold, -kHuge, kHuge);
  });
  f.object("paint", false, [&](JsonFields& paint) {
    read_palette(paint, map.paint.palette);
    paint.read("background", map.paint.background, -1, 1 << 20);
    paint.read("opacity", map.paint.opacity, 0, 1);
  });
  task.decode = std::move(map);
}

void read_depth(JsonFields& f, TaskRecipe& task) {
  DepthRecipe depth;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", depth.output, true);
    decode.read("scale", depth.scale, -kHuge, kHuge);
    if (depth.scale == 0) decode.fail("scale", "a number other than 0");
    decode.read("offset", depth.offset, -kHuge, kHuge);
    decode.read("larger_is_nearer", depth.paint.larger_is_nearer);
    decode.read("unit", depth.unit);
  });
  f.object("paint", false, [&](JsonFields& paint) {
    paint.read("colors", depth.paint.colors, {{"inferno", image::ColorMap::Inferno}, {"jet", image::ColorMap::Jet}});
    if (!paint.has("range")) return;
    auto& range = depth.paint.range.emplace();
    paint.read("range", range, -kHuge, kHuge);
    if (!(range[0] < range[1])) paint.fail("range", "[low, high], low below high");
  });
  task.decode = std::move(depth);
}

void read_landmarks(JsonFields& f, TaskRecipe& task) {
  LandmarksRecipe landmarks;
  f.object("decode", true, [&](JsonFields& decode) {
    decode.read("output", landmarks.output, true);
    decode.read("values_per_point", landmarks.values_per_point, 2, 16);
    decode.read("coordinates", landmarks.coordinates, kCoordinates);
  });
  task.decode = std::move(landmarks);
}

std::string TaskRecipe::label_of(int class_id) const {
  const bool known = class_id >= 0 && static_cast<std::size_t>(class_id) < labels.size() && !labels[static_cast<std::size_t>(class_id)].empty();
  return known ? labels[static_cast<std::size_t>(class_id)] : str_cat("class ", class_id);
}

Result<Recipe> parse_recipe(std::string_view text) {
  if (text.size() > kMaxText) return invalid_model("recipe: ", text.size(), " bytes, more than the limit of ", kMaxText);
  FOVEA_ASSIGN(const nlohmann::json json, parse_strict_json(text));
  Recipe recipe;
  Status mistake;
  JsonFields fields(json, "", mistake);
  std::string note;
  fields.read("note", note);
  fields.object("input", true, [&](JsonFields& input) { read_input(input, recipe); });
  if (const auto* others = fields.raw("size_inputs"); others && others->is_object()) {
    for (const auto& [name, value] : others->items()) {
      if (value != "picture_size" && value != "input_size") fields.fail("size_inputs", "\"picture_size\" or \"input_size\"", value);
      if (value.is_string()) recipe.size_inputs[name] = value.get<std::string>();
    }
  } else if (others) {
    fields.fail("size_inputs", "an object", *others);
  }
  if (fields.has("tasks")) {
    fields.list("tasks", true, [&](JsonFields& task) { read_task(task, recipe.tasks); });
  } else {
    read_task(fields, recipe.tasks);
  }
  fields.finish();
  if (!mistake.ok()) return mistake;
  return recipe;
}

}  // namespace fovea::task
