// SPDX-License-Identifier: Apache-2.0
// Kernel choice: for every step the candidates that can run are run on the reference's own inputs, compared with
// the reference's outputs and timed; the fastest that verifies is taken. What nothing tuned may do stays with the
// reference kernel. Errors never mix: each step sees exact inputs.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/datum.h"
#include "engine/plan.h"
#include "fovea/build.h"
#include "runtime/executor.h"

namespace fovea::compiler {

struct ChooseOptions {
  std::string device = "cpu";
  int threads = 1;
  Tuning tuning = Tuning::Fast;
  double budget_seconds = 60;
  bool verify = true;
  std::function<bool(std::string_view, double)> progress;
};

/// Kernels, certificate entries and refusals of every step of a plan.
struct Choice {
  std::map<std::string, std::string> kernels;   ///< step name -> candidate; absent: reference
  std::vector<CertificateEntry> certificate;
  std::vector<Decision> decisions;
};

/// `executor` has just run a reference-only plan lowered with keep_all_values on `inputs`. Without verification and
/// timing it need only be prepared: kernels are then taken in order of preference if they can run.
Result<Choice> choose_kernels(const Executor& executor, const std::vector<Datum>& inputs, const ChooseOptions& options);

}  // namespace fovea::compiler
