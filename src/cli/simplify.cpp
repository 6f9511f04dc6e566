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
  std::string model, output, shapes, check_shapes;
  std::vector<std::string> disabled;
  double max_error = 1e-4;
  bool no_check = false, quiet = false;
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
  FOVEA_ASSIGN(const Model before, import_onnx(arguments.model));
  SimplifyOptions options;
  FOVEA_ASSIGN(options.shapes, parse_shapes(arguments.shapes));
  options.disabled_passes = arguments.disabled;
  FOVEA_ASSIGN(const Model after, simplify(before, options));
  if (!arguments.quiet) print_table(before, after);
  if (!arguments.no_check) {
    FOVEA_ASSIGN(auto shapes, parse_shapes(arguments.check_shapes));
    shapes.insert(options.shapes.begin(), options.shapes.end());
    FOVEA_ASSIGN(const bool same, check_unchanged(arguments.model, before, after, shapes, arguments.max_error, arguments.quiet));
    if (!same) return kNo;
  }
  FOVEA_RETURN_IF_ERROR(export_onnx(after, arguments.output));
  if (!arguments.quiet) std::printf("wrote %s\n", arguments.output.c_str());
  return kDone;
}

}  // namespace

int simplify(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Folds away what is known: constants, shape arithmetic, identities, transposes that cancel, BatchNormalization. Writes ONNX.",
                   "fovea simplify net.onnx -o net_slim.onnx --shapes images:1x3x224x224");
  line.option("model", arguments.model, "ONNX file").required();
  line.option("-o,--output", arguments.output, "ONNX file to write").required();
  line.option("--shapes", arguments.shapes, "fix free extents: images:1x3x224x224,...");
  line.option("--check-shapes", arguments.check_shapes, "extents for the check of a network that keeps free ones");
  line.option("--disable-pass", arguments.disabled, "leave a pass out (repeatable)");
  line.option("--max-error", arguments.max_error, "largest change of an output, relative to its range").zero_or_more().with_default();
  line.flag("--no-check", arguments.no_check, "do not run both networks on seeded inputs");
  line.flag("-q,--quiet", arguments.quiet, "print nothing but errors");
  if (const auto code = line.parse(argc, argv)) return *code;
  const Result<int> result = simplify_file(arguments);
  return result.ok() ? *result : fail(result.status());
}

}  // namespace fovea::cli
