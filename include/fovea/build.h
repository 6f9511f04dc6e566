// SPDX-License-Identifier: Apache-2.0
// build(): from a Model to an Engine: optimise, choose kernels, verify each of them, plan.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fovea/engine.h"
#include "fovea/model.h"

namespace fovea {

enum class Precision { Fp32, Fp16, Bf16, Int8, Best };
enum class Tuning {
  None,  ///< first candidate that can run and verifies
  Fast,  ///< time the candidates that can run, a few repetitions each
  Full,  ///< the same with layouts and many repetitions
};

/// Range of extents of one input: min, typical (tuned for) and max.
struct ShapeRange {
  Shape min, opt, max;
};

struct BuildOptions {
  std::string device = "cpu";
  Precision precision = Precision::Fp32;
  /// Per input name; inputs with free extents that are not named keep them free (typical extent: 1 for the
  /// first axis, else 320).
  std::map<std::string, ShapeRange> shapes = {};
  int threads = 0;                               ///< 0: all cores of this process
  Tuning tuning = Tuning::Fast;
  double tuning_budget_seconds = 60;
  bool verify = true;
  /// Largest allowed error of an output relative to its range; 0: derived from type and reduction length.
  double max_error = 0;
  /// Inputs for verification, each a full set by input name; empty: seeded data.
  std::vector<std::map<std::string, Tensor>> samples = {};
  std::vector<std::string> disabled_passes = {};
  std::string recipe = {};                            ///< JSON text stored in the engine
  /// Called now and then with a phase and a fraction 0..1; returning false cancels the build.
  std::function<bool(std::string_view phase, double fraction)> progress = {};
};

Result<Engine> build(const Model& model, const BuildOptions& options = {});
/// The same for a model that nobody else needs: its weights are let go as rewrites replace them.
Result<Engine> build(Model&& model, const BuildOptions& options = {});

}  // namespace fovea
