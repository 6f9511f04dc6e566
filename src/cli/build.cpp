// SPDX-License-Identifier: Apache-2.0
// `fovea build`: ONNX in, verified engine file out.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/check.h"
#include "base/file.h"
#include "base/npz.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "engine/plan.h"
#include "task/recipe_fit.h"

namespace fovea::cli {

namespace {

const std::map<std::string, Tuning> kTunings = {{"none", Tuning::None}, {"fast", Tuning::Fast}, {"full", Tuning::Full}};

struct Arguments {
  std::string model, output, device = "cpu", data, recipe, tuning = "fast";
  bool fp32 = false, fp16 = false, bf16 = false, int8 = false, best = false, no_verify = false, explain = false;
  double max_error = 0, budget = 60;
  std::vector<std::string> disabled;
  ShapeArguments shapes;
  CommonArguments common;
};

const Decision* find_decision(const Plan& plan, std::string_view code) {
  const auto found = std::find_if(plan.decisions.begin(), plan.decisions.end(), [&](const Decision& decision) { return decision.code == code; });
  return found == plan.decisions.end() ? nullptr : &*found;
}

/// What nobody should have to look for in the certificate; to stderr, quiet or not.
void print_warnings(const Plan& plan, const Arguments& arguments) {
  for (const char* code : {"NOT_VERIFIED", "LARGE_ERROR"}) {
    const Decision* decision = find_decision(plan, code);
    if (!decision || (arguments.no_verify && decision->code == "NOT_VERIFIED")) continue;
    std::fprintf(stderr, "warning: %s: %s\nhint: %s\n", arguments.output.c_str(), decision->sentence.c_str(), decision->remedy.c_str());
  }
}

void print_summary(const Plan& plan, const Arguments& arguments) {
  std::size_t tuned = 0;
  for (const PlanStep& step : plan.steps) tuned += step.kernel != "reference";
  std::int64_t weights = 0;
  for (const Tensor& tensor : plan.constants) weights += static_cast<std::int64_t>(tensor.bytes());
  double worst = 0;
  std::string worst_step;
  for (const CertificateEntry& entry : plan.certificate) {
    const double relative = entry.range > 0 ? entry.max_abs / entry.range : 0;
    if (relative > worst) worst = relative, worst_step = entry.step;
  }
  std::printf("%s: %zu steps (%zu tuned, %zu reference), %.2f MB of constants\n", arguments.output.c_str(), plan.steps.size(), tuned,
              plan.steps.size() - tuned, static_cast<double>(weights) / 1e6);
  if (!find_decision(plan, "NOT_VERIFIED")) {
    std::printf("verified: each step against the reference");
    if (!worst_step.empty()) std::printf(", largest error %.2g of its range (%s)", worst, worst_step.c_str());
    std::printf("\n");
    if (const Decision* end_to_end = find_decision(plan, "END_TO_END")) std::printf("%s\n", end_to_end->sentence.c_str());
  }
}

void print_decisions(const Plan& plan) {
  for (const Decision& decision : plan.decisions) {
    std::printf("%-18s %s: %s%s%s\n", decision.code.c_str(), decision.subject.c_str(), decision.sentence.c_str(),
                decision.remedy.empty() ? "" : " -> ", decision.remedy.c_str());
  }
}

Status in_recipe(const Arguments& arguments, Status status) {
  return std::move(status).with_context(arguments.recipe).with_hint("docs/recipes.md lists the keys");
}

/// The model's inputs with the extents that --shapes fixes.
std::vector<TensorInfo> shaped_inputs(const Model& model, const std::map<std::string, ShapeRange>& shapes) {
  std::vector<TensorInfo> inputs = model.inputs();
  for (TensorInfo& info : inputs) {
    const auto range = shapes.find(info.name);
    if (range == shapes.end() || range->second.min.rank() != static_cast<int>(info.shape.size())) continue;
    for (int axis = 0; axis < range->second.min.rank(); ++axis) {
      if (range->second.min[axis] == range->second.max[axis]) info.shape[static_cast<std::size_t>(axis)] = std::to_string(range->second.min[axis]);
    }
  }
  return inputs;
}

/// What is wrong with a recipe is said now rather than by `predict`, and what the model's names and inputs tell before the work.
Result<task::Recipe> fit_recipe(const Arguments& arguments, const BuildOptions& options, const Model& model) {
  auto recipe = task::parse_recipe(options.recipe);
  if (!recipe.ok()) return in_recipe(arguments, std::move(recipe).status());
  FOVEA_RETURN_IF_ERROR(in_recipe(arguments, task::fit_inputs(*recipe, shaped_inputs(model, options.shapes))));
  task::OutputShapes names;
  for (const TensorInfo& info : model.outputs()) names[info.name] = {info.type, false, {}, {}};
  FOVEA_RETURN_IF_ERROR(in_recipe(arguments, task::fit_outputs(*recipe, names, {})));
  return recipe;
}

Result<Engine> build_engine(const Arguments& arguments) {
  BuildOptions options;
  options.device = arguments.device;
  options.precision = arguments.best ? Precision::Best : arguments.int8 ? Precision::Int8 : arguments.bf16 ? Precision::Bf16 : arguments.fp16 ? Precision::Fp16 : Precision::Fp32;
  options.threads = arguments.common.threads;
  options.tuning = kTunings.at(arguments.tuning);
  options.tuning_budget_seconds = arguments.budget;
  options.verify = !arguments.no_verify;
  options.max_error = arguments.max_error;
  options.disabled_passes = arguments.disabled;
  options.progress = progress_bar(arguments.common.quiet);
  FOVEA_RETURN_IF_ERROR(check_writable(arguments.output));  // before the work, not after it
  FOVEA_ASSIGN(options.shapes, arguments.shapes.ranges());
  FOVEA_ASSIGN(Model model, import_onnx(arguments.model));
  std::optional<task::Recipe> recipe;
  if (!arguments.recipe.empty()) {
    FOVEA_ASSIGN(options.recipe, read_file(arguments.recipe, 1 << 20));
    FOVEA_ASSIGN(recipe, fit_recipe(arguments, options, model));
  }
  if (!arguments.data.empty()) {
    FOVEA_ASSIGN(NamedTensors sample, read_npz(arguments.data));
    options.samples.push_back(std::move(sample));
  }
  auto engine = build(std::move(model), options);
  if (!engine.ok()) return std::move(engine).status().with_context(arguments.model);
  if (recipe) FOVEA_RETURN_IF_ERROR(in_recipe(arguments, task::fit_engine(*recipe, *engine)));
  FOVEA_RETURN_IF_ERROR(engine->save(arguments.output));
  return engine;
}

}  // namespace

int build(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Imports an ONNX network, optimises it, chooses and verifies kernels, and writes an engine file.",
                   "fovea build net.onnx -o net.fovea --shapes images:1x3x224x224");
  line.option("model", arguments.model, "ONNX file").required();
  line.option("-o,--output", arguments.output, "engine file to write").required();
  line.option("--device", arguments.device, "cpu").with_default();
  line.one_flag_of("precision", {{"--fp32", arguments.fp32, "f32 (default)"},
                                {"--fp16", arguments.fp16, "f16 where it verifies"},
                                {"--bf16", arguments.bf16, "bf16 where it verifies"},
                                {"--int8", arguments.int8, "int8 where it verifies"},
                                {"--best", arguments.best, "the fastest that verifies"}});
  arguments.shapes.add_to(line);
  line.option("--data", arguments.data, "real inputs for verification: .npz, or a folder of pictures (needs a recipe)");
  line.option("--recipe", arguments.recipe, "task recipe (JSON) stored in the engine for `predict`");
  line.option("--max-error", arguments.max_error, "largest accepted error of an output, relative to its range").zero_or_more();
  line.flag("--no-verify", arguments.no_verify, "skip the comparison with the reference kernels");
  line.option("--tune", arguments.tuning, "how kernels are timed: none, fast or full").one_of_any_case({"none", "fast", "full"}).with_default();
  line.option("--budget", arguments.budget, "seconds for timing kernels").above_zero().with_default();
  line.option("--disable-pass", arguments.disabled, "switch an optimisation pass off by name (repeatable)");
  line.flag("--explain", arguments.explain, "print every decision with its reason");
  arguments.common.add_to(line, false);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  catch_interrupts();
  const auto engine = build_engine(arguments);
  if (!engine.ok()) return fail(engine.status());
  if (!arguments.common.quiet) print_summary(engine->plan(), arguments);
  print_warnings(engine->plan(), arguments);
  if (arguments.explain) print_decisions(engine->plan());
  return kDone;
}

}  // namespace fovea::cli
