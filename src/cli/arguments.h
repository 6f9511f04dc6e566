// SPDX-License-Identifier: Apache-2.0
// Pieces of command lines that several sub-commands share.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "fovea/build.h"
#include "fovea/engine.h"

namespace fovea::cli {

/// --plugin lib.so, repeatable: libraries with operators of the user's own.
struct PluginArguments {
  std::vector<std::string> libraries;
  void add_to(CommandLine& line);
  Status load() const;
};

/// Parses, then loads the plugins. The exit code when the command must stop (as CommandLine::parse; 3 for a plugin that
/// cannot be loaded), else nothing.
std::optional<int> parse(CommandLine& line, int argc, char** argv, const PluginArguments& plugins = {});

/// --min-shapes, --opt-shapes, --max-shapes or --shapes, each "name:1x3x224x224,other:1x10".
struct ShapeArguments {
  std::string shapes, min_shapes, opt_shapes, max_shapes;
  void add_to(CommandLine& line);
  Result<std::map<std::string, ShapeRange>> ranges() const;
};

/// "name:1x3x224x224,other:1x10" -> shapes by name.
Result<std::map<std::string, Shape>> parse_shapes(const std::string& text);

/// --threads, --plugin, -v, -q and --json where figures are printed.
struct CommonArguments {
  PluginArguments plugins;
  int threads = 0;
  bool verbose = false, quiet = false;
  std::string json;
  void add_to(CommandLine& line, bool with_json);
};

/// True when the file's first bytes say it is an engine rather than ONNX.
Result<bool> is_engine_file(const std::string& file);

/// An engine: loaded from a .fovea file, or built from an .onnx file with these options.
Result<Engine> load_or_build(const std::string& file, const BuildOptions& options);

/// How commands write ONNX: --opset, and a remark where the file's opset could not be kept.
struct OnnxOutput {
  int opset = 0;
  void add_to(CommandLine& line);
  /// The model as it will be written, with types and shapes; an error where the opset asked for cannot express it.
  Result<Model> prepare(const Model& model) const;
  /// Writes what prepare() gave. The remark: " (opset 17: 'norm' (LayerNormalization) needs it)"; empty where the opset is the file's or was asked for.
  Result<std::string> write(const Model& prepared, const std::filesystem::path& file) const;
};

/// What every command that rewrites ONNX asks: which file, where to, and the check by numbers in between.
struct RewriteArguments {
  std::string model, output, check_shapes;
  OnnxOutput onnx;
  double max_error = 1e-4;
  bool no_check = false, quiet = false;
  void add_files_to(CommandLine& line);
  void add_check_to(CommandLine& line);
  /// Runs both on the same seeded inputs, with --check-shapes and then `fixed` for free extents, prints how far each output
  /// moved and writes `after`. kNo, with an error line and nothing written, when one moved by more than `max_error` of its range.
  Result<int> check_and_write(const Model& before, const Model& after, const std::map<std::string, Shape>& fixed = {}) const;
};

/// Inputs of a run: "name=file.(npy|npz|jpg|png)" (a bare file name for a single input), else seeded data.
/// Missing extents of dynamic inputs come from `shapes`, else 1 for the first axis and 320.
Result<std::map<std::string, Tensor>> load_inputs(const Engine& engine, const std::vector<std::string>& arguments,
                                                  const std::map<std::string, Shape>& shapes, std::uint64_t seed);

/// A progress bar on stderr for work that takes longer than two seconds, only when it is a terminal. Ctrl-C makes it
/// return false once.
std::function<bool(std::string_view, double)> progress_bar(bool quiet);
/// Installs the Ctrl-C handler that progress_bar and long loops ask.
void catch_interrupts();
bool interrupted();

}  // namespace fovea::cli
