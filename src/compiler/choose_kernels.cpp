// SPDX-License-Identifier: Apache-2.0
#include "compiler/choose_kernels.h"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <optional>

#include "base/layout_copy.h"
#include "compiler/judge.h"
#include "device/kernel_registry.h"
#include "ops/user_operators.h"

namespace fovea::compiler {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// One step of the plan with everything a candidate needs. Inputs are read where the instance keeps them.
struct Trial {
  const PlanStep* step;
  std::vector<TensorDesc> inputs, outputs;
  std::vector<Tensor> constants;
  std::vector<const void*> input_addresses;
  std::vector<const void*> expected;     // the reference's outputs, laid out like the candidate's
  std::vector<void*> output_addresses;
};

struct Measured {
  CertificateEntry entry;
  double seconds = std::numeric_limits<double>::infinity();
};

Status judge_outputs(const Trial& trial, const Problem& problem, CertificateEntry& entry) {
  const InputReader input = [&](int i) { return plain_copy(trial.inputs[index_of(i)], trial.input_addresses[index_of(i)]); };
  for (std::size_t o = 0; o < trial.outputs.size(); ++o) {
    if (!trial.output_addresses[o]) continue;
    FOVEA_ASSIGN(const Verdict verdict, judge(problem, input, static_cast<int>(o), trial.output_addresses[o], trial.expected[o]));
    const Difference& d = verdict.difference;
    entry.range = std::max(entry.range, d.range);
    entry.max_abs = std::max(entry.max_abs, d.max_abs);
    entry.rms = std::max(entry.rms, d.rms);
    entry.cosine = std::min(entry.cosine, d.cosine);
    entry.limit = std::max(entry.limit, verdict.limit);
    entry.compared += d.elements;
    entry.by_terms = entry.by_terms || verdict.by_terms;
    entry.precision = std::string(name(trial.outputs[o].type));
    FOVEA_RETURN_IF_ERROR(verdict.status);
  }
  return {};
}

Result<Measured> try_candidate(const Kernel& kernel, Trial& trial, TrialMemory& scratch, const ChooseOptions& options, bool timed) {
  const Problem problem{trial.step->op, trial.step->attributes, trial.inputs, trial.outputs, trial.constants, options.threads};
  FOVEA_RETURN_IF_ERROR(kernel.can_run(problem));
  FOVEA_ASSIGN(const auto prepared, kernel.prepare(problem));
  FOVEA_RETURN_IF_ERROR(scratch.reserve(prepared->scratch_bytes()));
  const Arguments arguments{trial.input_addresses.data(), trial.output_addresses.data(), scratch.data()};
  Measured measured;
  measured.entry.step = trial.step->name;
  measured.entry.kernel = std::string(kernel.name());
  if (options.verify || timed) {
    // Poison, so that an element the kernel forgets is seen.
    for (std::size_t o = 0; o < trial.outputs.size(); ++o) {
      if (trial.output_addresses[o]) std::fill_n(static_cast<unsigned char*>(trial.output_addresses[o]), trial.outputs[o].bytes(), 0xff);
    }
    FOVEA_RETURN_IF_ERROR(prepared->run(arguments));
  }
  if (options.verify) FOVEA_RETURN_IF_ERROR(judge_outputs(trial, problem, measured.entry));
  if (timed) {
    const int repetitions = options.tuning == Tuning::Full ? 20 : 5;
    const auto begin = Clock::now();
    for (int i = 0; i < repetitions && (i < 2 || seconds_since(begin) < 0.2); ++i) {
      const auto start = Clock::now();
      FOVEA_RETURN_IF_ERROR(prepared->run(arguments));
      measured.seconds = std::min(measured.seconds, seconds_since(start));
    }
  }
  return measured;
}

}  // namespace

Status TrialMemory::reserve(std::size_t bytes) {
  if (data_ && bytes <= bytes_) return {};
  data_.reset();  // before the next, so that both are never held
  data_.reset(std::aligned_alloc(64, (bytes + 191) / 64 * 64));
  bytes_ = data_ ? bytes : 0;
  return data_ ? Status() : resource_exhausted("build: cannot allocate ", bytes, " bytes");
}

KernelChooser::KernelChooser(const Plan& plan, const ChooseOptions& options) : plan_(plan), options_(options) { omp_set_num_threads(options.threads); }

Status KernelChooser::choose(const Instance& instance, std::size_t index) {
  const PlanStep& step = plan_.steps[index];
  if (options_.progress && !options_.progress("choosing kernels", static_cast<double>(index) / static_cast<double>(plan_.steps.size()))) {
    return {ErrorCode::Cancelled, "build cancelled"};
  }
  const auto candidates = kernels_of(options_.device, step.op);
  CertificateEntry reference;
  reference.step = step.name;
  reference.kernel = "reference";
  if (!step.outputs.empty() && step.outputs[0] >= 0) reference.precision = std::string(name(plan_.values[index_of(step.outputs[0])].type.element));
  if (const ops::UserOperator* user = ops::find_user_operator(step.op); user && !user->has_reference && options_.verify) {
    choice_.decisions.push_back({"NO_REFERENCE", step.name, str_cat(step.op, " of plugin '", user->plugin, "' has no reference of its own: its last kernel was taken for one"),
                                 "give the operator a reference callback"});
  }
  const auto known = [&](int v) { return v < 0 || instance.is_static(v); };
  const bool is_static = step.bodies.empty() && std::all_of(step.inputs.begin(), step.inputs.end(), known) && std::all_of(step.outputs.begin(), step.outputs.end(), known);
  if (!is_static && step.bodies.empty() && !candidates.empty()) {
    // The runtime picks the first candidate that can run once the shapes are there.
    choice_.kernels[step.name] = std::string(candidates.front()->name());
    choice_.decisions.push_back({"CHOSEN_AT_RUN_TIME", step.name, str_cat(step.op, ": a shape depends on data; kernels are chosen when it is known"), ""});
    reference.kernel = "chosen at run time";
    choice_.certificate.push_back(std::move(reference));
    return {};
  }
  if (!is_static || candidates.empty()) {
    choice_.decisions.push_back({"REFERENCE_ONLY", step.name,
                                 is_static ? str_cat("no tuned kernel for ", step.op, " on ", options_.device) : str_cat(step.op, ": a shape depends on data"), ""});
    choice_.certificate.push_back(std::move(reference));
    return {};
  }
  Trial trial{&step, {}, {}, {}, {}, {}, {}};
  for (int v : step.inputs) {
    trial.inputs.push_back(v < 0 ? TensorDesc() : instance.desc(v));
    const int constant = v < 0 ? -1 : plan_.values[index_of(v)].constant;
    trial.constants.push_back(constant < 0 ? Tensor() : plan_.constants[index_of(constant)]);
    trial.input_addresses.push_back(v < 0 || !runs_candidates() ? nullptr : instance.address(v));
  }
  for (int v : step.outputs) {
    trial.outputs.push_back(v < 0 ? TensorDesc() : instance.desc(v));
    trial.output_addresses.push_back(nullptr);
    trial.expected.push_back(nullptr);
    if (v < 0 || !runs_candidates()) continue;
    trial.expected.back() = instance.address(v);
    trial.output_addresses.back() = instance.address(instance.steps()[index].rooms[trial.outputs.size() - 1]);
  }
  const bool timed = options_.tuning != Tuning::None && candidates.size() > 1 && seconds_ <= options_.budget_seconds;
  const auto begin = Clock::now();
  std::optional<Measured> best;
  std::string refused;
  for (const Kernel* candidate : candidates) {
    auto measured = try_candidate(*candidate, trial, scratch_, options_, timed);
    if (!measured.ok()) {
      refused += str_cat(refused.empty() ? "" : "; ", candidate->name(), ": ", measured.status().message());
      if (measured.status().code() != ErrorCode::Unsupported) {
        choice_.decisions.push_back({"KERNEL_REFUSED", step.name, str_cat(candidate->name(), ": ", measured.status().message()), "the next candidate is used instead"});
      }
      continue;
    }
    if (!best || measured->seconds < best->seconds) best = *std::move(measured);
    if (!timed) break;
  }
  if (timed) seconds_ += seconds_since(begin);
  if (best) {
    choice_.kernels[step.name] = best->entry.kernel;
    best->entry.refused = refused;
    choice_.certificate.push_back(std::move(best->entry));
  } else {
    choice_.decisions.push_back({"REFERENCE_ONLY", step.name, refused, ""});
    reference.refused = refused;
    choice_.certificate.push_back(std::move(reference));
  }
  return {};
}

}  // namespace fovea::compiler
