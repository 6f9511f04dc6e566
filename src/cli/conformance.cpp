// SPDX-License-Identifier: Apache-2.0
// `fovea conformance`: runs ONNX test folders through the whole road (import, passes, kernels, session) and
// compares with the stored outputs, as onnx_test_runner does.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "compiler/compare.h"
#include "compiler/compile.h"
#include "ir/graph.h"
#include "onnx/test_data.h"
#include "runtime/executor.h"
#include "runtime/thread_count.h"

namespace fovea::cli {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> folders;
  std::string skip, filter;
  double rtol = 1e-3, atol = 1e-7;  // defaults of the ONNX backend test runner
  bool reference = false;
  CommonArguments common;
};

/// One model with its data: a folder with model.onnx and test_data_set_*, or "name.onnx" beside "name_output_0.pb"
/// (the light networks of the onnx package, whose input is the ramp i/n).
struct Case {
  std::string name;
  fs::path model;
  std::vector<fs::path> data_sets;
  bool ramp = false;
};

void find_cases(const fs::path& folder, const std::string& prefix, std::vector<Case>& cases) {
  std::error_code error;
  if (fs::exists(folder / "model.onnx", error)) {
    Case found{prefix, folder / "model.onnx", {}, false};
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().filename().string().starts_with("test_data_set")) found.data_sets.push_back(entry.path());
    }
    std::sort(found.data_sets.begin(), found.data_sets.end());
    if (!found.data_sets.empty()) cases.push_back(std::move(found));
    return;
  }
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(folder, error)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    const std::string name = (prefix.empty() ? "" : prefix + "/") + entry.filename().string();
    if (fs::is_directory(entry, error)) {
      find_cases(entry, name, cases);
    } else if (entry.extension() == ".onnx" && fs::exists(entry.parent_path() / (entry.stem().string() + "_output_0.pb"), error)) {
      cases.push_back({(prefix.empty() ? "" : prefix + "/") + entry.stem().string(), entry, {}, true});
    }
  }
}

/// "name reason" per line; '#' starts a comment.
Result<std::map<std::string, std::string>> read_skip_list(const std::string& file) {
  std::map<std::string, std::string> reasons;
  if (file.empty()) return reasons;
  std::ifstream in(file);
  if (!in) return not_found(file, ": cannot open: no such file, or not readable");
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find(' ');
    if (space == std::string::npos || space + 1 >= line.size()) return invalid_argument(file, ":", number, ": expected 'case reason', found '", line, "'");
    reasons[line.substr(0, space)] = line.substr(space + 1);
  }
  return reasons;
}

Result<Tensor> ramp(DataType type, const Shape& shape) {
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(type, shape));
  if (type != DataType::f32) return tensor;
  const std::int64_t count = tensor.elements();
  for (std::int64_t i = 0; i < count; ++i) tensor.data<float>()[i] = static_cast<float>(static_cast<double>(i) / static_cast<double>(count));
  return tensor;
}

Result<std::vector<Datum>> read_inputs(const ir::Graph& graph, const Case& item, const fs::path& folder) {
  std::vector<Datum> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const ir::Value& input = graph.value(graph.inputs[i]);
    Datum datum;
    if (item.ramp) {
      FOVEA_ASSIGN(const Shape shape, evaluate(input.shape.value_or(SymbolicShape()), {}));
      FOVEA_ASSIGN(datum, ramp(input.type.element, shape));
    } else {
      FOVEA_ASSIGN(datum, onnx::read_test_data(folder / ("input_" + std::to_string(i) + ".pb"), input.type));
    }
    inputs.push_back(std::move(datum));
  }
  return inputs;
}

Status check_outputs(const Executor& executor, const Case& item, const fs::path& folder, const Arguments& arguments) {
  const Plan& plan = executor.plan();
  for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
    const PlanValue& output = plan.values[static_cast<std::size_t>(plan.outputs[i])];
    const fs::path file = item.ramp ? item.model.parent_path() / (item.model.stem().string() + "_output_" + std::to_string(i) + ".pb")
                                    : folder / ("output_" + std::to_string(i) + ".pb");
    FOVEA_ASSIGN(const Datum expected, onnx::read_test_data(file, output.type));
    FOVEA_RETURN_IF_ERROR(expect_close(executor.output(static_cast<int>(i)), expected, arguments.rtol, arguments.atol).with_context("output '" + output.name + "'"));
  }
  return {};
}

Status run_case(const Case& item, const Arguments& arguments) {
  FOVEA_ASSIGN(const Model model, import_onnx(item.model));
  BuildOptions options;
  options.threads = arguments.common.threads;
  options.tuning = Tuning::None;
  options.verify = false;
  std::optional<Plan> plan;
  std::optional<Executor> executor;
  const std::vector<fs::path> no_folder = {{}};
  for (const fs::path& folder : item.ramp ? no_folder : item.data_sets) {
    FOVEA_ASSIGN(const std::vector<Datum> inputs, read_inputs(model.graph(), item, folder));
    if (!plan) {
      FOVEA_ASSIGN(plan, arguments.reference ? compiler::compile_reference(model.graph()) : compiler::compile(model.graph(), options, &inputs));
      executor.emplace(*plan, ExecutorOptions{resolve_thread_count(arguments.common.threads)});
    }
    FOVEA_RETURN_IF_ERROR(executor->run(inputs));
    FOVEA_RETURN_IF_ERROR(check_outputs(*executor, item, folder, arguments));
  }
  return {};
}

}  // namespace

int conformance(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Runs ONNX test folders (model.onnx with test_data_set_*) and compares with the stored outputs.",
                   "fovea conformance backend/test/data/node --skip tests/conformance/skip.txt");
  line.option("folders", arguments.folders, "folders, searched recursively").required();
  line.option("--skip", arguments.skip, "file of 'case reason' lines; a listed case that passes makes the run fail");
  line.option("--filter", arguments.filter, "only cases whose name contains this");
  line.option("--rtol", arguments.rtol, "relative tolerance").with_default();
  line.option("--atol", arguments.atol, "absolute tolerance").with_default();
  line.flag("--reference", arguments.reference, "reference kernels on the model as it is, without passes and tuned kernels");
  arguments.common.add_to(line, true);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  catch_interrupts();
  const auto skip = read_skip_list(arguments.skip);
  if (!skip.ok()) return fail(skip.status());
  std::vector<Case> cases;
  for (const std::string& folder : arguments.folders) {
    if (!fs::is_directory(folder)) return fail(not_found(folder, ": no such folder"));
    const fs::path root = fs::path(folder).lexically_normal();
    const std::string name = root.filename().empty() ? root.parent_path().filename().string() : root.filename().string();
    find_cases(root, name, cases);
  }
  if (cases.empty()) return fail(not_found("conformance: no test cases (model.onnx with test_data_set_*) in the given folders"));
  nlohmann::json passed = nlohmann::json::array(), failed = nlohmann::json::array(), skipped = nlohmann::json::array();
  for (const Case& item : cases) {
    if (!arguments.filter.empty() && item.name.find(arguments.filter) == std::string::npos) continue;
    if (interrupted()) return fail(Status(ErrorCode::Cancelled, "conformance: cancelled"));
    const Status status = run_case(item, arguments);
    const auto listed = skip->find(item.name);
    if (status.ok() && listed == skip->end()) {
      passed.push_back(item.name);
      if (arguments.common.verbose) std::printf("PASS %s\n", item.name.c_str());
    } else if (!status.ok() && listed != skip->end()) {
      skipped.push_back(item.name);
      if (arguments.common.verbose) std::printf("SKIP %s: %s\n", item.name.c_str(), listed->second.c_str());
    } else {
      const std::string reason = status.ok() ? "passes, but is listed in the skip file; take it off the list" : status.message();
      failed.push_back({{"name", item.name}, {"reason", reason}});
      if (arguments.common.json != "-") std::printf("FAIL %s: %s\n", item.name.c_str(), reason.c_str());
    }
    std::fflush(stdout);
  }
  if (!arguments.common.json.empty()) {
    const Status status = write_json(arguments.common.json, nlohmann::json{{"passed", passed}, {"failed", failed}, {"skipped", skipped}}.dump(1));
    if (!status.ok()) return fail(status);
  }
  if (arguments.common.json != "-") std::printf("%zu passed, %zu failed, %zu skipped\n", passed.size(), failed.size(), skipped.size());
  return failed.empty() ? kDone : kNo;
}

}  // namespace fovea::cli
