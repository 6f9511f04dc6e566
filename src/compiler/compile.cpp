// SPDX-License-Identifier: Apache-2.0
#include "compiler/compile.h"

#include <malloc.h>

#include "base/guard.h"
#include "compiler/assign_layouts.h"
#include "compiler/choose_kernels.h"
#include "compiler/end_to_end.h"
#include "compiler/infer_shapes.h"
#include "compiler/input_shapes.h"
#include "compiler/lower_in_order.h"
#include "compiler/plan_views.h"
#include "compiler/samples.h"
#include "device/kernel_registry.h"
#include "engine/plugin_use.h"
#include "passes/pass_runner.h"
#include "runtime/executor.h"
#include "runtime/thread_count.h"

namespace fovea::compiler {

namespace {

/// Runs while building are on seeded inputs, which may send a Loop on forever.
ExecutorOptions build_run(int threads) {
  ExecutorOptions options;
  options.threads = threads;
  options.max_body_runs = 100'000;
  return options;
}

std::vector<Datum> outputs_of(const Executor& executor) {
  std::vector<Datum> outputs;
  for (std::size_t i = 0; i < executor.plan().outputs.size(); ++i) outputs.push_back(executor.output(static_cast<int>(i)));
  return outputs;
}

Result<std::vector<Datum>> run_once(const Plan& plan, const std::vector<Datum>& inputs, int threads) {
  Executor executor(plan, build_run(threads));
  FOVEA_RETURN_IF_ERROR(executor.run(inputs));
  return outputs_of(executor);
}

/// What choosing kernels leaves: the choice, the outputs of the plan that was run for it (none if none was), and its
/// instance, whose descriptors view planning reads.
struct Chosen {
  std::unique_ptr<Executor> executor;
  std::vector<Datum> outputs;
  Choice choice;
};

/// Runs the plan once; each step is chosen for while its values are there, so that memory holds what a run needs and no more.
Result<Chosen> choose_while_running(const Plan& plan, const std::vector<Datum>& inputs, const ChooseOptions& options) {
  Chosen chosen;
  KernelChooser chooser(plan, options);
  ExecutorOptions run = build_run(options.threads);
  run.after_step = [&](std::size_t step) {
    Status status = chooser.choose(*chosen.executor->current(), step);
    malloc_trim(0);  // what trials and comparisons let go: the allocator would keep it beside the next step's
    return status;
  };
  chosen.executor = std::make_unique<Executor>(plan, run);
  FOVEA_RETURN_IF_ERROR(chosen.executor->run(inputs));
  chosen.outputs = outputs_of(*chosen.executor);
  chosen.choice = chooser.take();
  return chosen;
}

/// Kernels on their word: nothing runs.
Result<Chosen> choose_unseen(const Plan& plan, const std::vector<Datum>& inputs, ChooseOptions options) {
  Chosen chosen;
  options.verify = false;
  options.tuning = Tuning::None;
  KernelChooser chooser(plan, options);
  chosen.executor = std::make_unique<Executor>(plan, build_run(options.threads));
  FOVEA_RETURN_IF_ERROR(chosen.executor->prepare(inputs));
  for (std::size_t step = 0; step < plan.steps.size(); ++step) FOVEA_RETURN_IF_ERROR(chooser.choose(*chosen.executor->current(), step));
  chosen.choice = chooser.take();
  return chosen;
}

/// The same plan on the kernels that stand first in the list, for timing without verification.
Plan on_first_kernels(Plan plan, std::string_view device) {
  for (PlanStep& step : plan.steps) {
    const auto candidates = kernels_of(device, step.op);
    if (step.bodies.empty() && !candidates.empty()) step.kernel = std::string(candidates.front()->name());
  }
  return plan;
}

Status report(const BuildOptions& options, std::string_view phase, double fraction) {
  if (options.progress && !options.progress(phase, fraction)) return {ErrorCode::Cancelled, "build cancelled"};
  return {};
}

}  // namespace

Result<std::vector<Datum>> make_inputs(const ir::Graph& graph, const std::vector<Shape>& typical,
                                       const std::map<std::string, Tensor>& sample, std::uint64_t seed) {
  std::vector<Datum> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const ir::Value& input = graph.value(graph.inputs[i]);
    if (const auto given = sample.find(input.name); given != sample.end()) {
      if (given->second.type() != input.type.element) {
        return invalid_argument("sample for input '", input.name, "': expected ", name(input.type.element), ", found ", name(given->second.type()));
      }
      inputs.emplace_back(given->second);
      continue;
    }
    if (input.type.kind != ValueType::Kind::Tensor) {
      inputs.push_back(input.type.kind == ValueType::Kind::Sequence ? Datum::make_sequence({}, input.type.element) : Datum());
      continue;
    }
    FOVEA_ASSIGN(Tensor tensor, make_sample(input.type.element, typical[i], seed + i));
    inputs.emplace_back(std::move(tensor));
  }
  return inputs;
}

Result<Plan> compile_reference(ir::Graph graph) {
  FOVEA_RETURN_IF_ERROR(infer_shapes(graph));
  return lower(graph);
}

Result<Plan> compile(ir::Graph graph, const BuildOptions& options, const std::vector<Datum>* given) {
  if (options.device != "cpu") return Status(ErrorCode::Unavailable, str_cat("device '", options.device, "' is not available; this version builds for: cpu"));
  if (options.precision != Precision::Fp32) {
    return unsupported("precision: this version builds fp32 engines").with_hint("leave the precision flags away; quantised (Q/DQ) models run as they are");
  }
  if (options.max_error > 0 && !options.verify) return invalid_argument("max error: a limit needs verification, which is switched off");
  const int threads = resolve_thread_count(options.threads);

  // 1. Shapes and the oracle's outputs of the model as imported.
  FOVEA_RETURN_IF_ERROR(report(options, "reading shapes", 0));
  FOVEA_ASSIGN(const InputShapes shapes, apply_shape_ranges(graph, options.shapes));
  FOVEA_RETURN_IF_ERROR(infer_shapes(graph));
  const double remarkable = remarkable_error(graph);
  const bool seeded = !given && options.samples.empty();
  std::vector<Datum> inputs;
  if (given) {
    inputs = *given;
  } else {
    const std::map<std::string, Tensor> no_sample;
    FOVEA_ASSIGN(inputs, make_inputs(graph, shapes.typical, seeded ? no_sample : options.samples[0], 0));
  }
  // Seeded data may be nonsense to a model whose inputs are indices, axes or shapes. Then nothing can be measured:
  // kernels are taken on their word, and the engine says so.
  std::vector<Decision> proofs;
  ChooseOptions choose_options{options.device, threads, options.tuning, options.tuning_budget_seconds, options.verify, options.progress};
  const auto cannot_run = [&](const Status& why) {
    proofs.push_back({"NOT_VERIFIED", graph.name, "the model does not run on seeded inputs (" + why.message() + ")", "give real inputs with --data"});
    choose_options.verify = false;
    choose_options.tuning = Tuning::None;
  };
  std::vector<Datum> expected;
  if (options.verify) {
    FOVEA_RETURN_IF_ERROR(report(options, "running the reference", 0.05));
    FOVEA_ASSIGN(const Plan oracle, lower_reference(graph, shapes.bindings));
    auto outputs = run_once(oracle, inputs, threads);
    if (!outputs.ok() && (!seeded || options.max_error > 0)) return std::move(outputs).status();
    if (!outputs.ok()) cannot_run(outputs.status());
    else expected = *std::move(outputs);
    malloc_trim(0);  // what the run let go, which the allocator would keep for later
  } else {
    proofs.push_back({"NOT_VERIFIED", graph.name, "built without verification: no kernel was compared with its reference", "build without --no-verify"});
  }

  // 2. Rewrites, each provable: the rewritten graph on reference kernels must give the same outputs.
  FOVEA_RETURN_IF_ERROR(report(options, "optimising", 0.3));
  passes::PassOptions pass_options;
  pass_options.disabled = options.disabled_passes;
  pass_options.refresh = infer_shapes;
  FOVEA_RETURN_IF_ERROR(passes::run_passes(graph, passes::optimization_passes(), pass_options).status());
  FOVEA_RETURN_IF_ERROR(assign_layouts(graph, options.device));

  graph.compact();  // weights that rewrites replaced need not be held any longer
  malloc_trim(0);

  // 3. Kernels, chosen on the rewritten graph's own reference values.
  FOVEA_RETURN_IF_ERROR(report(options, "choosing kernels", 0.35));
  FOVEA_ASSIGN(Plan rewritten, lower_in_order(graph, shapes.bindings, Observed::Yes));
  Chosen chosen;
  if (choose_options.verify) {
    FOVEA_ASSIGN(chosen, choose_while_running(rewritten, inputs, choose_options));
    FOVEA_ASSIGN(const EndToEnd rewrites, compare_outputs(rewritten, chosen.outputs, expected));
    proofs.push_back(rewrites.to_decision("REWRITES_VERIFIED", "rewritten graph against the model, both on reference kernels"));
    chosen.outputs.clear();
  } else if (choose_options.tuning != Tuning::None) {
    rewritten = on_first_kernels(std::move(rewritten), options.device);
    auto timed = choose_while_running(rewritten, inputs, choose_options);
    if (!timed.ok() && (!seeded || timed.status().code() == ErrorCode::Cancelled)) return std::move(timed).status();
    if (timed.ok()) chosen = *std::move(timed);
    else cannot_run(timed.status());
  }
  if (!chosen.executor) {
    FOVEA_ASSIGN(chosen, choose_unseen(rewritten, inputs, choose_options));
  }
  Choice& choice = chosen.choice;

  // 4. Plan.
  Decisions decisions;
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    if (const auto it = choice.kernels.find(graph.node(id).name); it != choice.kernels.end()) decisions.kernels[id] = it->second;
  }
  FOVEA_RETURN_IF_ERROR(plan_views(graph, *chosen.executor->current(), options.device, threads, decisions));
  FOVEA_ASSIGN(Plan plan, lower_in_order(graph, shapes.bindings, Observed::No, std::move(decisions)));
  chosen.executor.reset();
  malloc_trim(0);
  plan.device = options.device;
  plan.symbols = shapes.symbols;
  plan.certificate = std::move(choice.certificate);
  plan.decisions = std::move(choice.decisions);
  plan.recipe = options.recipe;
  plan.plugins = plugin_uses(plan);

  // 5. End to end.
  if (choose_options.verify) {
    FOVEA_RETURN_IF_ERROR(report(options, "verifying end to end", 0.95));
    FOVEA_ASSIGN(const std::vector<Datum> actual, run_once(plan, inputs, threads));
    FOVEA_ASSIGN(const EndToEnd whole, compare_outputs(plan, actual, expected));
    if (options.max_error > 0 && !(whole.relative <= options.max_error)) {
      return Status(ErrorCode::Unsupported, str_cat("output '", whole.worst, "': error ", whole.relative, " of its range is over --max-error ", options.max_error),
                    "'fovea build --explain' without --max-error shows the largest error of every step");
    }
    proofs.insert(proofs.begin(), whole.to_decision("END_TO_END", "engine against the model on reference kernels"));
    if (!(whole.relative <= remarkable)) proofs.push_back(whole.remark());
  }
  plan.decisions.insert(plan.decisions.begin(), proofs.begin(), proofs.end());
  return plan;
}

}  // namespace fovea::compiler

namespace fovea {

namespace {

Result<Engine> build_graph(ir::Graph graph, const BuildOptions& options) {
  return guarded([&]() -> Result<Engine> {
    FOVEA_ASSIGN(Plan plan, compiler::compile(std::move(graph), options));
    return Engine(std::make_shared<const Plan>(std::move(plan)));
  });
}

}  // namespace

Result<Engine> build(const Model& model, const BuildOptions& options) { return build_graph(model.graph(), options); }

Result<Engine> build(Model&& model, const BuildOptions& options) {
  ir::Graph graph = model.graph();
  { const Model done = std::move(model); }
  return build_graph(std::move(graph), options);
}

}  // namespace fovea
