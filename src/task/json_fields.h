// SPDX-License-Identifier: Apache-2.0
// Strict reading of JSON objects: every field is named, typed and bounded; the first mistake is kept with its path
// and the rest is skipped, so callers check once at the end.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace fovea::task {

/// The JSON of a text. InvalidModel with line and column where it is none, with its path for a key that stands twice.
Result<nlohmann::json> parse_strict_json(std::string_view text);

class JsonFields {
 public:
  using Json = nlohmann::json;

  /// `object` must outlive this. A value that is no object is the first mistake.
  JsonFields(const Json& object, std::string path, Status& mistake);

  bool has(const char* key) const { return object_.is_object() && object_.contains(key); }

  // Each reads `key` into `into`; an absent key leaves it, unless required.
  void read(const char* key, std::string& into, bool required = false);
  void read(const char* key, bool& into);
  void read(const char* key, double& into, double low, double high, bool required = false);
  void read(const char* key, int& into, int low, int high, bool required = false);
  void read(const char* key, std::vector<std::string>& into);
  /// One text or a list of texts.
  void read_names(const char* key, std::vector<std::string>& into, bool required);
  template <std::size_t N>
  void read(const char* key, std::array<double, N>& into, double low, double high);
  template <std::size_t N>
  void read(const char* key, std::array<int, N>& into, int low, int high);
  /// One of the spellings.
  template <class T>
  void read(const char* key, T& into, std::initializer_list<std::pair<const char*, T>> spellings, bool required = false);

  /// Calls f(JsonFields&) for the object at `key`, or for each object of the list.
  template <class F>
  void object(const char* key, bool required, F f);
  template <class F>
  void list(const char* key, bool required, F f);
  /// The raw value; null when absent. Counts as read.
  const Json* raw(const char* key, bool required = false);

  void fail(const char* key, std::string_view expected, const Json& found);
  /// The same for the whole value of a key that is there.
  void fail(const char* key, std::string_view expected) {
    if (mistake_.ok() && has(key)) fail(key, expected, object_[key]);
  }
  /// Names a key that nobody read.
  void finish();
  std::string path_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

 private:
  bool number(const char* key, const Json& value, double low, double high, double& into);
  bool whole(const char* key, const Json& value, int low, int high, int& into);

  const Json& object_;
  std::string path_;
  Status& mistake_;
  std::set<std::string, std::less<>> seen_;
};

template <std::size_t N>
void JsonFields::read(const char* key, std::array<double, N>& into, double low, double high) {
  const Json* value = raw(key);
  if (!value) return;
  if (!value->is_array() || value->size() != N) return fail(key, str_cat("a list of ", N, " numbers"), *value);
  for (std::size_t i = 0; i < N; ++i) {
    if (!number(key, (*value)[i], low, high, into[i])) return;
  }
}

template <std::size_t N>
void JsonFields::read(const char* key, std::array<int, N>& into, int low, int high) {
  const Json* value = raw(key);
  if (!value) return;
  if (!value->is_array() || value->size() != N) return fail(key, str_cat("a list of ", N, " numbers"), *value);
  for (std::size_t i = 0; i < N; ++i) {
    if (!whole(key, (*value)[i], low, high, into[i])) return;
  }
}

template <class T>
void JsonFields::read(const char* key, T& into, std::initializer_list<std::pair<const char*, T>> spellings, bool required) {
  const Json* value = raw(key, required);
  if (!value) return;
  std::string known;
  for (const auto& [spelling, meaning] : spellings) {
    if (value->is_string() && value->get_ref<const std::string&>() == spelling) {
      into = meaning;
      return;
    }
    known += str_cat(known.empty() ? "" : ", ", '"', spelling, '"');
  }
  fail(key, "one of " + known, *value);
}

template <class F>
void JsonFields::object(const char* key, bool required, F f) {
  const Json* value = raw(key, required);
  if (!value) return;
  JsonFields fields(*value, path_of(key), mistake_);
  f(fields);
  fields.finish();
}

template <class F>
void JsonFields::list(const char* key, bool required, F f) {
  const Json* value = raw(key, required);
  if (!value) return;
  if (!value->is_array() || value->empty() || value->size() > 1024) return fail(key, "a list of 1 to 1024 objects", *value);
  for (std::size_t i = 0; i < value->size(); ++i) {
    JsonFields fields((*value)[i], str_cat(path_of(key), "[", i, "]"), mistake_);
    f(fields);
    fields.finish();
  }
}

}  // namespace fovea::task
