// SPDX-License-Identifier: Apache-2.0
// `fovea surgeon`: small edits of an ONNX file, applied in a fixed order.
#include <cstdio>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/name_list.h"
#include "fovea/surgery.h"
#include "ir/graph.h"

namespace fovea::cli {

namespace {

struct Arguments {
  std::string model, output, shapes, inputs, outputs, removed, renamed;
  OnnxOutput onnx;
  bool quiet = false;
};

Result<Model> edit(Model model, const Arguments& arguments) {
  FOVEA_ASSIGN(const auto shapes, parse_shapes(arguments.shapes));
  if (!shapes.empty()) {
    FOVEA_ASSIGN(model, fix_shapes(model, shapes));
  }
  FOVEA_ASSIGN(const std::vector<std::string> removed, parse_names(arguments.removed));
  if (!removed.empty()) {
    FOVEA_ASSIGN(model, remove_outputs(model, removed));
  }
  FOVEA_ASSIGN(const NameList inputs, parse_renamed_names(arguments.inputs));
  FOVEA_ASSIGN(NameList outputs, parse_renamed_names(arguments.outputs));
  if (!inputs.names.empty() || !outputs.names.empty()) {
    if (outputs.names.empty()) {
      for (const TensorInfo& info : model.outputs()) outputs.names.push_back(info.name);
    }
    FOVEA_ASSIGN(model, extract(model, inputs.names, outputs.names));
  }
  FOVEA_ASSIGN(const NameList others, parse_renamed_names(arguments.renamed));
  if (others.renamed.size() != others.names.size()) return invalid_argument("--rename: expected NEW=OLD,..., found '", arguments.renamed, "'");
  std::map<std::string, std::string> renamed = inputs.renamed;
  renamed.insert(outputs.renamed.begin(), outputs.renamed.end());
  renamed.insert(others.renamed.begin(), others.renamed.end());
  return renamed.empty() ? Result<Model>(model) : rename_tensors(model, renamed);
}

Status edit_file(const Arguments& arguments) {
  FOVEA_ASSIGN(const Model original, import_onnx(arguments.model));
  const auto edited = edit(original, arguments);
  if (!edited.ok()) return Status(edited.status()).with_context(arguments.model);
  const Model& model = *edited;
  FOVEA_ASSIGN(const Model prepared, arguments.onnx.prepare(model));
  FOVEA_ASSIGN(const std::string remark, arguments.onnx.write(prepared, arguments.output));
  if (!arguments.quiet) std::printf("wrote %s: %d nodes%s\n", arguments.output.c_str(), model.graph().num_nodes(), remark.c_str());
  return {};
}

}  // namespace

int surgeon(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Edits an ONNX file: fix shapes, remove outputs, extract the part between tensors, rename; in this order.",
                   "fovea surgeon net.onnx -o head.onnx --inputs feat=input.72 --outputs scores,boxes");
  line.option("model", arguments.model, "ONNX file").required();
  line.option("-o,--output", arguments.output, "ONNX file to write").required();
  line.option("--shapes", arguments.shapes, "fix the inputs' free extents: images:1x3x224x224,...");
  line.option("--remove-outputs", arguments.removed, "outputs to drop, with what only they needed: NAME,...");
  line.option("--inputs", arguments.inputs, "extract: tensors that become the inputs: NAME,... or NEW=NAME,...");
  line.option("--outputs", arguments.outputs, "extract: tensors that become the outputs: NAME,... or NEW=NAME,...");
  line.option("--rename", arguments.renamed, "new names for tensors: NEW=OLD,...");
  arguments.onnx.add_to(line);
  line.flag("-q,--quiet", arguments.quiet, "print nothing but errors");
  if (const auto code = line.parse(argc, argv)) return *code;
  const Status status = edit_file(arguments);
  return status.ok() ? kDone : fail(status);
}

}  // namespace fovea::cli
