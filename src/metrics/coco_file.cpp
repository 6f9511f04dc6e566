// SPDX-License-Identifier: Apache-2.0
#include "metrics/coco_file.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/file.h"
#include "base/json_problem.h"

namespace fovea::metrics {

namespace {

using Json = nlohmann::json;

/// One object of a list, with its place for messages: "annotations[3].bbox: expected ..., found ...".
class Fields {
 public:
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  Result<std::int64_t> whole(const char* key) const {
    FOVEA_ASSIGN(const Json* const value, find(key, "a whole number"));
    if (!value->is_number_integer()) return wrong(key, "a whole number", *value);
    return value->get<std::int64_t>();
  }
  Result<double> number(const char* key) const {
    FOVEA_ASSIGN(const Json* const value, find(key, "a number"));
    if (!value->is_number() || !std::isfinite(value->get<double>())) return wrong(key, "a finite number", *value);
    return value->get<double>();
  }
  Result<std::string> text(const char* key) const {
    FOVEA_ASSIGN(const Json* const value, find(key, "a text"));
    if (!value->is_string()) return wrong(key, "a text", *value);
    return value->get<std::string>();
  }
  Result<std::array<double, 4>> box(const char* key) const {
    FOVEA_ASSIGN(const Json* const value, find(key, "four numbers"));
    std::array<double, 4> box{};
    if (!value->is_array() || value->size() != 4) return wrong(key, "x, y, width and height", *value);
    for (std::size_t i = 0; i < 4; ++i) {
      const Json& item = (*value)[i];
      if (!item.is_number() || !std::isfinite(item.get<double>())) return wrong(key, "four finite numbers", *value);
      box[i] = item.get<double>();
    }
    return box;
  }
  /// InvalidModel for a value that is there.
  Status wrong(const char* key, const char* expected) const { return wrong(key, expected, object_[key]); }
  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }
  const std::string& where() const { return where_; }

 private:
  Result<const Json*> find(const char* key, const char* expected) const {
    if (!object_.is_object()) return invalid_model(where_, ": expected an object, found ", object_.type_name());
    const auto found = object_.find(key);
    if (found == object_.end()) return invalid_model(where_, ".", key, ": expected ", expected, ", found nothing");
    return &*found;
  }
  Status wrong(const char* key, const char* expected, const Json& found) const {
    return invalid_model(where_, ".", key, ": expected ", expected, ", found ", found.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60));
  }

  const Json& object_;
  std::string where_;
};

Result<Json> read_json(const std::filesystem::path& file) {
  FOVEA_ASSIGN(const std::string text, read_file(file));
  try {
    return Json::parse(text);
  } catch (const Json::exception& error) {
    return invalid_model("not JSON: ", json_problem(error.what()));
  }
}

/// Calls body(fields) for each object of the list at `key`.
template <class Body>
Status for_each_object(const Json& json, const char* key, Body&& body) {
  if (!json.is_object() || !json.contains(key) || !json[key].is_array()) return invalid_model(key, ": expected a list, found none");
  std::size_t i = 0;
  for (const Json& item : json[key]) FOVEA_RETURN_IF_ERROR(body(Fields(item, str_cat(key, "[", i++, "]"))));
  return {};
}

struct Ids {
  std::set<std::int64_t> images, categories;

  explicit Ids(const CocoTruth& truth) {
    for (const CocoImage& image : truth.images) images.insert(image.id);
    for (const CocoCategory& category : truth.categories) categories.insert(category.id);
  }
  Status check(const Fields& fields, std::int64_t image, std::int64_t category) const {
    if (!images.count(image)) return invalid_model(fields.where(), ".image_id: no image has the id ", image);
    if (!categories.count(category)) return invalid_model(fields.where(), ".category_id: no category has the id ", category);
    return {};
  }
};

Result<CocoTruth> parse_truth(const Json& json) {
  CocoTruth truth;
  std::set<std::int64_t> images, categories;
  FOVEA_RETURN_IF_ERROR(for_each_object(json, "images", [&](const Fields& fields) -> Status {
    CocoImage image;
    FOVEA_ASSIGN(image.id, fields.whole("id"));
    FOVEA_ASSIGN(image.file_name, fields.text("file_name"));
    if (fields.has("width") && fields.has("height")) {
      FOVEA_ASSIGN(image.width, fields.whole("width"));
      FOVEA_ASSIGN(image.height, fields.whole("height"));
    }
    if (!images.insert(image.id).second) return invalid_model(fields.where(), ": the id ", image.id, " stands twice");
    truth.images.push_back(std::move(image));
    return {};
  }));
  FOVEA_RETURN_IF_ERROR(for_each_object(json, "categories", [&](const Fields& fields) -> Status {
    CocoCategory category;
    FOVEA_ASSIGN(category.id, fields.whole("id"));
    FOVEA_ASSIGN(category.name, fields.text("name"));
    if (!categories.insert(category.id).second) return invalid_model(fields.where(), ": the id ", category.id, " stands twice");
    truth.categories.push_back(std::move(category));
    return {};
  }));
  const Ids ids(truth);
  FOVEA_RETURN_IF_ERROR(for_each_object(json, "annotations", [&](const Fields& fields) -> Status {
    TruthBox box;
    FOVEA_ASSIGN(box.image, fields.whole("image_id"));
    FOVEA_ASSIGN(box.category, fields.whole("category_id"));
    FOVEA_RETURN_IF_ERROR(ids.check(fields, box.image, box.category));
    FOVEA_ASSIGN(box.box, fields.box("bbox"));
    if (!(box.box[2] > 0 && box.box[3] > 0)) return fields.wrong("bbox", "x, y, and a width and height above 0");
    box.area = box.box[2] * box.box[3];
    if (fields.has("area")) {
      FOVEA_ASSIGN(box.area, fields.number("area"));
    }
    if (fields.has("iscrowd")) {
      FOVEA_ASSIGN(const std::int64_t crowd, fields.whole("iscrowd"));
      box.crowd = crowd != 0;
    }
    truth.boxes.push_back(box);
    return {};
  }));
  return truth;
}

}  // namespace

Result<CocoTruth> read_coco_truth(const std::filesystem::path& file) {
  auto json = read_json(file);
  if (!json.ok()) return std::move(json).status().with_context(json.status().code() == ErrorCode::InvalidModel ? file.string() : "annotations");
  auto truth = parse_truth(*json);
  if (!truth.ok()) return std::move(truth).status().with_context(file.string());
  return truth;
}

Result<std::vector<DetectedBox>> read_coco_detections(const std::filesystem::path& file, const CocoTruth& truth) {
  auto json = read_json(file);
  if (!json.ok()) return std::move(json).status().with_context(json.status().code() == ErrorCode::InvalidModel ? file.string() : "detections");
  const Ids ids(truth);
  std::vector<DetectedBox> boxes;
  const Json wrapped = {{"detections", std::move(*json)}};
  Status status = for_each_object(wrapped, "detections", [&](const Fields& fields) -> Status {
    DetectedBox box;
    FOVEA_ASSIGN(box.image, fields.whole("image_id"));
    FOVEA_ASSIGN(box.category, fields.whole("category_id"));
    FOVEA_RETURN_IF_ERROR(ids.check(fields, box.image, box.category));
    FOVEA_ASSIGN(box.box, fields.box("bbox"));
    FOVEA_ASSIGN(box.score, fields.number("score"));
    boxes.push_back(box);
    return {};
  });
  if (!status.ok()) return std::move(status).with_context(file.string());
  return boxes;
}

std::string to_coco_json(const std::vector<DetectedBox>& detections) {
  Json json = Json::array();
  for (const DetectedBox& d : detections) json.push_back({{"image_id", d.image}, {"category_id", d.category}, {"bbox", d.box}, {"score", d.score}});
  return json.dump();
}

}  // namespace fovea::metrics
