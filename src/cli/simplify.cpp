// SPDX-License-Identifier: Apache-2.0
// `fovea simplify`: ONNX in, ONNX out, with what is known folded away and checked by numbers.
#include <cstdio>
#include <map>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/surgery.h"
#include "ir/graph.h"

namespace fovea::cli {

namespace {

struct Arguments {
  RewriteArguments files;
  std::string shapes;
  std::vector<std::string> disabled;
};

std::map<std::string, int> count_operators(const Model& model) {
  std::map<std::string, int> counts;
  for (const ir::NodeId id : model.graph().topological_order()) ++counts[model.graph().node(id).op];
  return counts;
}

void print_table(const Model& before, const Model& after) {
  auto rows = count_operators(before);
  const auto left = count_operators(after);
  for (const auto& [op, count] : left) rows.emplace(op, 0);
  std::printf("%-28s %8s %8s\n", "operator", "before", "after");
  for (const auto& [op, count] : rows) {
    const auto found = left.find(op);
    std::printf("%-28s %8d %8d\n", op.c_str(), count, found == left.end() ? 0 : found->second);
  }
  std::printf("%-28s %8d %8d\n", "all", before.graph().num_nodes(), after.graph().num_nodes());
}

Result<int> simplify_file(const Arguments& arguments) {
  FOVEA_ASSIGN(const Model before, import_onnx(arguments.files.model));
  SimplifyOptions options;
  FOVEA_ASSIGN(options.shapes, parse_shapes(arguments.shapes));
  options.disabled_passes = arguments.disabled;
  FOVEA_ASSIGN(const Model after, simplify(before, options));
  if (!arguments.files.quiet) print_table(before, after);
  return arguments.files.check_and_write(before, after, options.shapes);
}

}  // namespace

int simplify(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Folds away what is known: constants, shape arithmetic, identities, transposes that cancel, BatchNormalization. Writes ONNX.",
                   "fovea simplify net.onnx -o net_slim.onnx --shapes images:1x3x224x224");
  arguments.files.add_files_to(line);
  line.option("--shapes", arguments.shapes, "fix free extents: images:1x3x224x224,...");
  line.option("--disable-pass", arguments.disabled, "leave a pass out (repeatable)");
  arguments.files.add_check_to(line);
  if (const auto code = line.parse(argc, argv)) return *code;
  const Result<int> result = simplify_file(arguments);
  return result.ok() ? *result : fail(result.status());
}

}  // namespace fovea::cli
