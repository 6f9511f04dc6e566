// SPDX-License-Identifier: Apache-2.0
// A description as text. Its hash stands in engines, so a change of the form makes all engines with plugins strangers.
#include <cstdio>

#include "plugins/description.h"

namespace fovea::plugins {

namespace {

std::string number_text(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", number);
  return text;
}

}  // namespace

std::string value_text(const AttributeValue& value) {
  const auto list = [](const auto& items, auto print) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ",") + print(item);
    return "[" + text + "]";
  };
  const auto quote = [](const std::string& text) { return "'" + text + "'"; };
  if (const auto* v = std::get_if<std::int64_t>(&value)) return std::to_string(*v);
  if (const auto* v = std::get_if<double>(&value)) return number_text(*v);
  if (const auto* v = std::get_if<std::string>(&value)) return quote(*v);
  if (const auto* v = std::get_if<std::vector<std::int64_t>>(&value)) return list(*v, [](std::int64_t i) { return std::to_string(i); });
  if (const auto* v = std::get_if<std::vector<double>>(&value)) return list(*v, number_text);
  if (const auto* v = std::get_if<std::vector<std::string>>(&value)) return list(*v, quote);
  return {};
}

std::string schema_text(const Description& d) {
  std::string text = "operator " + d.name + (d.callbacks.flags & FOVEA_NON_DETERMINISTIC ? " non-deterministic" : "") + "\n";
  const auto add_ports = [&](const char* what, const std::vector<Port>& ports) {
    for (const Port& port : ports) {
      text += str_cat(what, " '", port.name, "'", port.optional ? " optional" : "", port.variadic ? " variadic" : "", ":");
      for (int type = 1; type <= static_cast<int>(DataType::u2); ++type) {
        if (port.types >> type & 1) text += " " + std::string(fovea::name(static_cast<DataType>(type)));
      }
      text += "\n";
    }
  };
  add_ports("input", d.inputs);
  add_ports("output", d.outputs);
  for (const AttributeRow& row : d.attributes) {
    text += str_cat("attribute '", row.name, "' type ", static_cast<int>(row.type), row.required ? " required" : " default " + row.default_text);
    for (const std::string& allowed : row.allowed) text += " allowed '" + allowed + "'";
    text += "\n";
  }
  return text;
}

}  // namespace fovea::plugins
