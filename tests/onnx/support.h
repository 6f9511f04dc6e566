// SPDX-License-Identifier: Apache-2.0
// Models for the importer's tests, written in protobuf's text form.
#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/model.h"
#include "ir/graph.h"
#include "onnx/onnx_model.pb.h"

namespace fovea::testing {

template <class Message = onnx_proto::ModelProto>
Message parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

inline std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Imports a model of the newest opset (or another) whose graph is given as text.
inline Result<Model> import_graph(const std::string& graph_text, int opset = 26, const std::string& rest = {}) {
  const auto message = parse("ir_version: 10 opset_import { version: " + std::to_string(opset) + " } graph { " + graph_text + " } " + rest);
  const std::string bytes = message.SerializeAsString();
  return import_onnx(as_bytes(bytes));
}

/// The text of a graph input or output.
inline std::string input(const std::string& name, const std::string& dims = "dim { dim_value: 2 }", int type = 1, const char* field = "input") {
  return std::string(field) + " { name: '" + name + "' type { tensor_type { elem_type: " + std::to_string(type) + " shape { " + dims + " } } } } ";
}
inline std::string output(const std::string& name, const std::string& dims = "dim { dim_value: 2 }", int type = 1) {
  return input(name, dims, type, "output");
}
/// The dims of a shape: dims({1, 3}).
inline std::string dims(const std::vector<int>& extents) {
  std::string text;
  for (const int extent : extents) text += "dim { dim_value: " + std::to_string(extent) + " } ";
  return text;
}
inline std::string integer(const std::string& name, int value) { return "attribute { name: '" + name + "' type: INT i: " + std::to_string(value) + " } "; }
inline std::string node(const std::string& op, const std::string& inputs, const std::string& outputs, const std::string& more = {}) {
  std::string text = "node { op_type: '" + op + "' ";
  const auto list = [&](const char* field, const std::string& names) {
    std::size_t at = 0;
    while (at < names.size()) {
      const std::size_t end = std::min(names.find(' ', at), names.size());
      text += std::string(field) + ": '" + (names.substr(at, end - at) == "-" ? "" : names.substr(at, end - at)) + "' ";
      at = end + 1;
    }
  };
  list("input", inputs);
  list("output", outputs);
  return text + more + " } ";
}

/// The operators of a graph in execution order: "Add Relu".
inline std::string ops_of(const ir::Graph& graph) {
  std::string text;
  for (const ir::NodeId id : graph.topological_order()) text += (text.empty() ? "" : " ") + graph.node(id).op;
  return text;
}

/// A folder for one test, removed at its end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    static int counter = 0;
    path_ = std::filesystem::temp_directory_path() / ("fovea_onnx_test_" + std::to_string(::getpid()) + "_" + std::to_string(counter++));
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(std::string_view name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

#define EXPECT_ERROR(status, expected_code, phrase)                                          \
  do {                                                                                       \
    const ::fovea::Status status_ = (status);                                                \
    EXPECT_EQ(status_.code(), ::fovea::ErrorCode::expected_code) << status_.to_string();     \
    EXPECT_NE(status_.to_string().find(phrase), std::string::npos) << status_.to_string();   \
  } while (false)

}  // namespace fovea::testing
