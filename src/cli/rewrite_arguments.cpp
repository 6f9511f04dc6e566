// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/surgery.h"
#include "ir/graph.h"
#include "passes/infer_shapes.h"

namespace fovea::cli {

namespace {

/// False, with an error line, when an output moved by more than the limit.
Result<bool> check_unchanged(const RewriteArguments& arguments, const Model& before, const Model& after, const std::map<std::string, Shape>& shapes) {
  FOVEA_ASSIGN(const auto differences, compare_models(before, after, shapes));
  for (const OutputDifference& difference : differences) {
    const double limit = arguments.max_error * difference.range;
    if (!(difference.max_abs <= limit)) {
      fail(unsupported(arguments.model, ": output '", difference.name, "' changed by ", difference.max_abs, ", expected at most ", limit, " (",
                       arguments.max_error, " of its range); nothing was written")
               .with_hint("--max-error sets the limit"));
      return false;
    }
    if (arguments.quiet) continue;
    std::printf("output %-28s differs by at most %.3g (range %.3g)\n", difference.name.c_str(), difference.max_abs, difference.range);
  }
  return true;
}

}  // namespace

void OnnxOutput::add_to(CommandLine& line) {
  line.option("--opset", opset, "opset to write, 11 to 26 (default: the file's, or the oldest that has all operators)");
}

Result<Model> OnnxOutput::prepare(const Model& model) const {
  // Types and ranks tell which older forms fit, and they are worth having in the file. A network that contradicts itself
  // may be cut and renamed as well; then it is written without.
  ir::Graph graph = model.graph();
  Model known = passes::infer_shapes(graph).ok() ? Model(std::move(graph)) : model;
  FOVEA_RETURN_IF_ERROR(check_export(known, {.opset = opset}));
  return known;
}

Result<std::string> OnnxOutput::write(const Model& prepared, const std::filesystem::path& file) const {
  FOVEA_RETURN_IF_ERROR(export_onnx(prepared, file, {.opset = opset}));
  const OpsetChoice choice = written_opset(prepared);
  return opset != 0 || choice.because.empty() ? std::string() : str_cat(" (opset ", choice.opset, ": ", choice.because, ")");
}

void RewriteArguments::add_files_to(CommandLine& line) {
  line.option("model", model, "ONNX file").required();
  line.option("-o,--output", output, "ONNX file to write").required();
}

void RewriteArguments::add_check_to(CommandLine& line) {
  onnx.add_to(line);
  line.option("--check-shapes", check_shapes, "extents for the check of a network with free ones");
  line.option("--max-error", max_error, "largest change of an output, relative to its range").zero_or_more().with_default();
  line.flag("--no-check", no_check, "do not run both networks on seeded inputs");
  line.flag("-q,--quiet", quiet, "print nothing but errors");
}

Result<int> RewriteArguments::check_and_write(const Model& before, const Model& after, const std::map<std::string, Shape>& fixed) const {
  if (!no_check) {
    FOVEA_ASSIGN(auto shapes, parse_shapes(check_shapes));
    shapes.insert(fixed.begin(), fixed.end());
    FOVEA_ASSIGN(const bool same, check_unchanged(*this, before, after, shapes));
    if (!same) return kNo;
  }
  FOVEA_ASSIGN(const Model prepared, onnx.prepare(after));
  FOVEA_ASSIGN(const std::string remark, onnx.write(prepared, output));
  if (!quiet) std::printf("wrote %s%s\n", output.c_str(), remark.c_str());
  return kDone;
}

}  // namespace fovea::cli
