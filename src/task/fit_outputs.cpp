// SPDX-License-Identifier: Apache-2.0
// Tasks but detection: which outputs their recipes can mean.
#include <algorithm>

#include "task/output_fit.h"

namespace fovea::task {

namespace {

/// Types that decoders turn into f32, and what is not known.
bool is_readable(DataType type) {
  switch (type) {
    case DataType::undefined:
    case DataType::f32: case DataType::f16: case DataType::bf16: case DataType::f64: case DataType::i8: case DataType::u8: case DataType::boolean:
    case DataType::i16: case DataType::i32: case DataType::i64: return true;
    default: return false;
  }
}

/// Of a vector of scores behind its batch; kOpen where open, nothing where it is no vector.
std::optional<std::int64_t> vector_length(const OutputShape& shape) {
  if (!shape.rank_known) return kOpen;
  if (shape.rank() < 2) return shape.elements();
  const bool one = shape.extents[0] == 1 || shape.extents[0] == kOpen;
  const auto longer = std::count_if(shape.extents.begin() + 1, shape.extents.end(), [](std::int64_t extent) { return extent > 1; });
  return one && longer <= 1 ? std::optional(shape.elements(1)) : std::nullopt;
}

}  // namespace

Status OutputFit::wrong(const std::string& key, const std::string& expected, const std::string& found) const {
  return invalid_model("recipe: ", task.where, key, ": expected ", expected, ", found ", found);
}

Status OutputFit::wrong_output(const std::string& key, const std::string& expected, const std::string& name) const {
  return wrong(key, expected, str_cat("output '", name, "' of ", outputs.at(name).text)).with_hint("'fovea inspect FILE' shows the outputs of a network");
}

Result<const OutputShape*> OutputFit::find(const std::string& key, const std::string& name) const {
  const auto found = outputs.find(name);
  if (found == outputs.end()) {
    std::string there;
    for (const auto& [output, shape] : outputs) there += (there.empty() ? "'" : ", '") + output + "'";
    return wrong(key, "an output of the network, " + there, "'" + name + "'");
  }
  if (!is_readable(found->second.type)) return wrong(key, "an output of numbers", str_cat("'", name, "' of type ", fovea::name(found->second.type)));
  return &found->second;
}

Status OutputFit::fit_classes(const ScoreRule* rule, std::int64_t classes, const std::string& name) const {
  if (classes == kOpen) return {};
  const std::string of = str_cat(" (output '", name, "' of ", outputs.at(name).text, ")");
  if (rule && rule->background && *rule->background >= classes) {
    return wrong("decode.background", str_cat("one of ", classes, " classes", of), std::to_string(*rule->background));
  }
  const std::int64_t named = classes - (rule && rule->background ? 1 : 0);
  if (static_cast<std::int64_t>(task.labels.size()) <= named) return {};
  return wrong("labels", str_cat("at most ", named, ", one a class", of), str_cat(task.labels.size(), " labels"));
}

Status OutputFit::fit(const ClassificationRecipe& classes) const {
  FOVEA_ASSIGN(const OutputShape* const shape, find("decode.output", classes.output));
  const auto length = vector_length(*shape);
  if (!length) return wrong_output("decode.output", "1 x classes", classes.output);
  if (*length == kOpen) return {};
  if (*length <= classes.skip) return wrong("decode.skip", str_cat("less than the ", *length, " classes of output '", classes.output, "'"), std::to_string(classes.skip));
  return fit_classes(nullptr, *length - classes.skip, classes.output);
}

Result<std::int64_t> OutputFit::planes(const std::string& name, bool one) const {
  FOVEA_ASSIGN(const OutputShape* const shape, find("decode.output", name));
  if (!shape->rank_known) return kOpen;
  const auto& e = shape->extents;
  const bool fits = e.size() >= 2 && e.size() <= 4 && !shape->is_empty() && (e.size() < 4 || e[0] == 1 || e[0] == kOpen);
  const std::int64_t count = e.size() < 3 ? 1 : e[e.size() - 3];
  if (!fits || (one && differ(count, 1))) return wrong_output("decode.output", one ? "one plane, 1 x 1 x H x W" : "1 x C x H x W", name);
  return count;
}

Status OutputFit::fit(const SegmentationRecipe& map) const {
  using Classes = SegmentationRecipe::Classes;
  const bool argmax = map.classes == Classes::Argmax;
  FOVEA_ASSIGN(std::int64_t classes, planes(map.output, !argmax));
  if (map.classes == Classes::Map) return {};  // numbers without an end
  if (!argmax) classes = 2;
  if (classes == kOpen) return {};
  if (classes < 2) {
    return wrong_output("decode.output", "1 x C x H x W with a plane for each of two or more classes", map.output)
        .with_hint("decode.classes \"threshold\" reads one plane of scores, \"map\" one of class numbers");
  }
  if (map.paint.background >= classes) return wrong("paint.background", str_cat("one of ", classes, " classes, or -1"), std::to_string(map.paint.background));
  const auto colors = static_cast<std::int64_t>(map.paint.palette.size());
  if (argmax && colors > 0 && colors < classes) {
    return wrong("paint.palette", str_cat("a colour for each of the ", classes, " classes of output '", map.output, "'"), std::to_string(colors));
  }
  return fit_classes(nullptr, classes, map.output);
}

Status OutputFit::fit(const DepthRecipe& depth) const { return planes(depth.output, true).status(); }

Status OutputFit::fit(const LandmarksRecipe& landmarks) const {
  FOVEA_ASSIGN(const OutputShape* const shape, find("decode.output", landmarks.output));
  if (!shape->rank_known) return {};
  const bool one = shape->rank() < 2 || shape->extents[0] == 1 || shape->extents[0] == kOpen;
  const std::int64_t values = shape->rank() < 2 ? shape->elements() : shape->elements(1);
  if (one && (values == kOpen || values % landmarks.values_per_point == 0)) return {};
  return wrong_output("decode.output", str_cat("1 x points * ", landmarks.values_per_point, " (values_per_point)"), landmarks.output);
}

Status fit_outputs(const Recipe& recipe, const OutputShapes& outputs, InputSize input) {
  for (const TaskRecipe& task : recipe.tasks) {
    const OutputFit check(task, outputs, input);
    FOVEA_RETURN_IF_ERROR(std::visit([&](const auto& decode) { return check.fit(decode); }, task.decode));
  }
  return {};
}

std::int64_t classes_of(const TaskRecipe& task, const OutputShapes& outputs) {
  const auto shape_of_output = [&](const std::string& name) -> const OutputShape* {
    const auto found = outputs.find(name);
    return found == outputs.end() ? nullptr : &found->second;
  };
  std::int64_t count = kOpen;
  if (const auto* classes = std::get_if<ClassificationRecipe>(&task.decode)) {
    if (const OutputShape* shape = shape_of_output(classes->output)) count = vector_length(*shape).value_or(kOpen);
    if (count != kOpen) count -= classes->skip;
  } else if (const auto* map = std::get_if<SegmentationRecipe>(&task.decode)) {
    const OutputFit check(task, outputs, {});
    if (map->classes == SegmentationRecipe::Classes::Argmax) {
      const auto planes = check.planes(map->output, false);
      if (planes.ok()) count = *planes;
    } else if (map->classes == SegmentationRecipe::Classes::Threshold) {
      count = 2;
    }
  }
  return std::max<std::int64_t>(count, 0);
}

}  // namespace fovea::task
