// SPDX-License-Identifier: Apache-2.0
// import_onnx: file or bytes -> Model.
#include <algorithm>

#include "base/file.h"
#include "base/guard.h"
#include "fovea/model.h"
#include "onnx/importer.h"

namespace fovea {

namespace {

Result<Model> import_bytes(std::span<const std::byte> bytes, const std::filesystem::path& folder, const ImportOptions& options) {
  FOVEA_ASSIGN(const onnx::ModelMessage message, onnx::read_model_message(bytes));
  onnx::TensorReader tensors(folder, options.max_weight_bytes);
  onnx::Importer importer(tensors);
  FOVEA_ASSIGN(ir::Graph graph, importer.import_model(*message.model));
  return Model(std::move(graph));
}

}  // namespace

Result<Model> import_onnx(const std::filesystem::path& file, const ImportOptions& options) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  if (mapped->bytes().empty()) return invalid_model(file.string(), ": expected an ONNX file, found an empty one");
  const std::string_view head(reinterpret_cast<const char*>(mapped->bytes().data()), std::min<std::size_t>(mapped->bytes().size(), 5));
  if (head == "FOVEA") return invalid_model(file.string(), ": expected an ONNX file, found an engine");
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  auto model = guarded([&] { return import_bytes(mapped->bytes(), folder, options); });
  if (!model) return std::move(model).status().with_context(file.string());
  return model;
}

Result<Model> import_onnx(std::span<const std::byte> bytes, const ImportOptions& options) {
  return guarded([&] { return import_bytes(bytes, {}, options); });
}

}  // namespace fovea
