// SPDX-License-Identifier: Apache-2.0
// Model: an imported network. Importing checks everything that can be checked without running it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/tensor.h"

namespace fovea {

namespace ir { class Graph; }

/// One input or output. Extents are numbers or expressions such as "N" or "2*H"; "?" where unknown.
struct TensorInfo {
  std::string name;
  DataType type = DataType::undefined;
  std::vector<std::string> shape;
  bool rank_known = true;
};

class Model {
 public:
  explicit Model(std::shared_ptr<const ir::Graph> graph) : graph_(std::move(graph)) {}
  explicit Model(ir::Graph&& graph);
  std::vector<TensorInfo> inputs() const;
  std::vector<TensorInfo> outputs() const;
  /// For passes, tests and tools inside the project.
  const ir::Graph& graph() const { return *graph_; }

 private:
  std::shared_ptr<const ir::Graph> graph_;
};

struct ImportOptions {
  /// Upper limit for the bytes of all initializers together, external data included.
  std::int64_t max_weight_bytes = std::int64_t{16} << 30;
};

/// Reads an ONNX file (opset 7 to 26). External data is read only from inside the model's folder; symbolic
/// links that leave it are refused. Fails with InvalidModel, Unsupported (unknown operators, with the nearest
/// known names), NotFound or ResourceExhausted; the message names node and operator.
Result<Model> import_onnx(const std::filesystem::path& file, const ImportOptions& options = {});
/// The same from bytes; external data is refused.
Result<Model> import_onnx(std::span<const std::byte> bytes, const ImportOptions& options = {});

inline constexpr int kOldestExportOpset = 11;
inline constexpr int kNewestOpset = 26;  ///< of the default domain; what import reads and the graph's operators follow

struct ExportOptions {
  /// Opset of the default domain to write, kOldestExportOpset to kNewestOpset; 0: the one that written_opset() says.
  int opset = 0;
};

/// Writes the model as ONNX, so that other tools can read it. Operators are written in the form that the opset has.
/// Operators of ours appear in the domain `fovea`. InvalidArgument names a node that the wanted opset cannot express;
/// nothing is written then.
Status export_onnx(const Model& model, const std::filesystem::path& file, const ExportOptions& options = {});

/// What export_onnx() would refuse about the options, without writing: for several files that should all appear or none.
Status check_export(const Model& model, const ExportOptions& options);

struct OpsetChoice {
  int opset = 0;
  std::string because;  ///< who needs it, e.g. "'norm' (LayerNormalization) needs it"; empty where the file's was kept
};

/// The opset in which export_onnx() writes by itself: that of the file the model came from, as long as it can express
/// every node, and at least 11. The newest for a model that came from no file.
OpsetChoice written_opset(const Model& model);

}  // namespace fovea
