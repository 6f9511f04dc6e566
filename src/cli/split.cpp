// SPDX-License-Identifier: Apache-2.0
// `fovea split`: one ONNX file into several, cut at tensors.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include "base/check.h"
#include "base/unique_name.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/name_list.h"
#include "fovea/surgery.h"

namespace fovea::cli {

namespace {

struct Arguments {
  std::string model, at, outputs, names, folder = ".";
  OnnxOutput onnx;
  bool quiet = false;
};

Result<std::vector<Part>> cut(const Model& model, const Arguments& arguments) {
  FOVEA_ASSIGN(const NameList at, parse_renamed_names(arguments.at));
  FOVEA_ASSIGN(const NameList outputs, parse_renamed_names(arguments.outputs));
  FOVEA_ASSIGN(std::vector<Part> parts, split(model, at.names, outputs.names));
  std::map<std::string, std::string> renamed = at.renamed;
  renamed.insert(outputs.renamed.begin(), outputs.renamed.end());
  for (Part& part : parts) {
    std::map<std::string, std::string> here;
    for (const auto& infos : {part.model.inputs(), part.model.outputs()}) {
      for (const TensorInfo& info : infos) {
        if (const auto found = renamed.find(info.name); found != renamed.end()) here.insert(*found);
      }
    }
    if (const auto found = renamed.find(part.name); found != renamed.end()) part.name = found->second;
    FOVEA_ASSIGN(part.model, rename_tensors(part.model, here));
  }
  FOVEA_ASSIGN(const std::vector<std::string> names, parse_names(arguments.names));
  if (!names.empty() && names.size() != parts.size()) {
    std::string list;
    for (const Part& part : parts) list += str_cat(list.empty() ? "" : ", ", part.name);
    return invalid_argument("--names: expected ", parts.size(), " names for the parts ", list, "; found ", names.size());
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (file_name_of(names[i]) != names[i]) {
      return invalid_argument("--names: '", names[i], "': letters, digits, '.', '-' and '_' may stand in the name of a part");
    }
    if (std::count(names.begin(), names.end(), names[i]) > 1) return invalid_argument("--names: '", names[i], "' is given twice");
    parts[i].name = names[i];
  }
  std::set<std::string> taken;
  for (Part& part : parts) {
    part.name = unique_name(file_name_of(part.name), [&](const std::string& tried) { return taken.contains(tried); });
    taken.insert(part.name);
  }
  return parts;
}

std::string listed(const std::vector<TensorInfo>& infos) {
  std::string text;
  for (const TensorInfo& info : infos) {
    text += (text.empty() ? "" : ", ") + info.name + " [";
    for (std::size_t i = 0; i < info.shape.size(); ++i) text += (i ? "," : "") + info.shape[i];
    text += "]";
  }
  return text;
}

Status split_file(const Arguments& arguments) {
  FOVEA_ASSIGN(const Model model, import_onnx(arguments.model));
  auto cut_parts = cut(model, arguments);
  if (!cut_parts.ok()) return Status(cut_parts.status()).with_context(arguments.model);
  std::vector<Part>& parts = *cut_parts;
  for (Part& part : parts) {  // all of them before the first is written
    auto prepared = arguments.onnx.prepare(part.model);
    if (!prepared.ok()) return std::move(prepared).status().with_context(str_cat("part '", part.name, "'"));
    part.model = *std::move(prepared);
  }
  std::error_code error;
  std::filesystem::create_directories(arguments.folder, error);
  if (error) return Status(ErrorCode::Unavailable, str_cat(arguments.folder, ": ", error.message()), "name a folder that can be written with -o");
  const std::string stem = std::filesystem::path(arguments.model).stem().string();
  for (const Part& part : parts) {
    const std::filesystem::path file = std::filesystem::path(arguments.folder) / (stem + "_" + part.name + ".onnx");
    FOVEA_ASSIGN(const std::string remark, arguments.onnx.write(part.model, file));
    if (!arguments.quiet) {
      std::printf("wrote %s%s\n  in   %s\n  out  %s\n", file.c_str(), remark.c_str(), listed(part.model.inputs()).c_str(), listed(part.model.outputs()).c_str());
    }
  }
  return {};
}

}  // namespace

int split(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Cuts a network at tensors: a front part that computes them, and a part for each group of outputs behind them.",
                   "fovea split mtmi.onnx --at feat1=input.72,feat2=input.148 --names encoder,depth_head,seg_head -o parts");
  line.option("model", arguments.model, "ONNX file").required();
  line.option("--at", arguments.at, "tensors to cut at: NAME,... or NEW=NAME,... to rename them in the parts").required();
  line.option("--outputs", arguments.outputs, "take these tensors as the network's outputs: NAME,... or NEW=NAME,...");
  line.option("--names", arguments.names, "names of the parts in order, for the file names");
  line.option("-o,--output", arguments.folder, "folder for <model>_<part>.onnx").with_default();
  arguments.onnx.add_to(line);
  line.flag("-q,--quiet", arguments.quiet, "print nothing but errors");
  if (const auto code = line.parse(argc, argv)) return *code;
  const Status status = split_file(arguments);
  return status.ok() ? kDone : fail(status);
}

}  // namespace fovea::cli
