// SPDX-License-Identifier: Apache-2.0
#include "task/json_fields.h"

#include <cmath>

namespace fovea::task {

namespace {

/// A short form of a value for messages. Nested values are not printed: nesting may be as deep as the file is long.
std::string shown(const nlohmann::json& value) {
  bool flat = value.size() <= 8;
  if (value.is_structured() && flat) {
    for (const auto& item : value) flat = flat && !item.is_structured();
  }
  if (value.is_structured() && !flat) return value.is_array() ? "another list" : "another object";
  const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > 80 ? text.substr(0, 77) + "..." : text;
}

}  // namespace

JsonFields::JsonFields(const Json& object, std::string path, Status& mistake) : object_(object), path_(std::move(path)), mistake_(mistake) {
  if (!object_.is_object() && mistake_.ok()) {
    mistake_ = invalid_model("recipe: ", path_.empty() ? "the file" : path_, ": expected an object, found ", shown(object_));
  }
}

void JsonFields::fail(const char* key, std::string_view expected, const Json& found) {
  if (mistake_.ok()) mistake_ = invalid_model("recipe: ", path_of(key), ": expected ", expected, ", found ", shown(found));
}

const JsonFields::Json* JsonFields::raw(const char* key, bool required) {
  seen_.insert(key);
  if (!mistake_.ok()) return nullptr;
  if (!has(key)) {
    if (required) mistake_ = invalid_model("recipe: ", path_of(key), " is missing");
    return nullptr;
  }
  return &object_[key];
}

bool JsonFields::number(const char* key, const Json& value, double low, double high, double& into) {
  const double found = value.is_number() ? value.get<double>() : NAN;
  if (!(found >= low && found <= high)) {
    fail(key, str_cat("a number from ", low, " to ", high), value);
    return false;
  }
  into = found;
  return true;
}

void JsonFields::read(const char* key, std::string& into, bool required) {
  const Json* value = raw(key, required);
  if (!value) return;
  if (!value->is_string() || (required && value->get_ref<const std::string&>().empty())) return fail(key, "a text", *value);
  into = value->get<std::string>();
}

void JsonFields::read(const char* key, bool& into) {
  const Json* value = raw(key);
  if (!value) return;
  if (!value->is_boolean()) return fail(key, "true or false", *value);
  into = value->get<bool>();
}

void JsonFields::read(const char* key, double& into, double low, double high, bool required) {
  if (const Json* value = raw(key, required)) number(key, *value, low, high, into);
}

bool JsonFields::whole(const char* key, const Json& value, int low, int high, int& into) {
  const double number = value.is_number() ? value.get<double>() : NAN;
  if (!(number >= low && number <= high) || number != std::floor(number)) {
    fail(key, str_cat("a whole number from ", low, " to ", high), value);
    return false;
  }
  into = static_cast<int>(number);
  return true;
}

void JsonFields::read(const char* key, int& into, int low, int high, bool required) {
  if (const Json* value = raw(key, required)) whole(key, *value, low, high, into);
}

void JsonFields::read(const char* key, std::vector<std::string>& into) {
  const Json* value = raw(key);
  if (!value) return;
  if (!value->is_array() || value->size() > 100000) return fail(key, "a list of texts", *value);
  for (const Json& item : *value) {
    if (!item.is_string()) return fail(key, "a list of texts", item);
    into.push_back(item.get<std::string>());
  }
}

void JsonFields::read_names(const char* key, std::vector<std::string>& into, bool required) {
  const Json* value = raw(key, required);
  if (!value) return;
  if (value->is_string()) {
    into = {value->get<std::string>()};
  } else {
    read(key, into);
  }
  for (const std::string& name : into) {
    if (name.empty()) return fail(key, "names of outputs", *value);
  }
}

void JsonFields::finish() {
  if (!mistake_.ok() || !object_.is_object()) return;
  for (const auto& [key, value] : object_.items()) {
    if (seen_.contains(key)) continue;
    std::string known;
    for (const std::string& name : seen_) known += (known.empty() ? "" : ", ") + name;
    mistake_ = Status(ErrorCode::InvalidModel, str_cat("recipe: ", path_of(key.substr(0, 64)), ": unknown key"), "known here: " + known);
    return;
  }
}

}  // namespace fovea::task
