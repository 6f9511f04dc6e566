// SPDX-License-Identifier: Apache-2.0
// Kernel choice: for every step the candidates that can run are run on the reference's own inputs, compared with
// the reference's outputs and timed; the fastest that verifies is taken. What nothing tuned may do stays with the
// reference kernel. Errors never mix: each step sees exact inputs.
#pragma once

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/plan.h"
#include "fovea/build.h"
#include "runtime/instance.h"

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

/// Aligned memory with a vector of slack, as a session's arena gives it; kept from one trial to the next.
class TrialMemory {
 public:
  Status reserve(std::size_t bytes);
  void* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> data_;
  std::size_t bytes_ = 0;
};

class KernelChooser {
 public:
  /// The plan must outlive the chooser; its steps are named in the choice.
  KernelChooser(const Plan& plan, const ChooseOptions& options);

  /// Chooses for step number `step` of an instance of the plan that has just run it: its inputs and outputs are where the
  /// instance says (see ExecutorOptions::after_step). With verification the outputs must be the reference's. Without
  /// verification and timing nothing is read, the instance need only be prepared, and the first candidate that can run is taken.
  Status choose(const Instance& instance, std::size_t step);
  Choice take() { return std::move(choice_); }

 private:
  bool runs_candidates() const { return options_.verify || options_.tuning != Tuning::None; }

  const Plan& plan_;
  ChooseOptions options_;
  Choice choice_;
  double seconds_ = 0;  // spent on timing so far
  TrialMemory scratch_;
};

}  // namespace fovea::compiler
