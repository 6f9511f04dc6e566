// SPDX-License-Identifier: Apache-2.0
// Engine: a compiled network, in memory or in its file. Immutable and safe to share between threads;
// many sessions may share one engine.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fovea/model.h"
#include "fovea/status.h"

namespace fovea {

struct Plan;

class Engine {
 public:
  explicit Engine(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}

  /// Maps an engine file and verifies it (FlatBuffers verifier, section hashes, bounds of every index)
  /// before anything is used. Weights stay mapped, not copied.
  static Result<Engine> load(const std::filesystem::path& file);
  /// The same from bytes, which are copied.
  static Result<Engine> load(std::span<const std::byte> bytes);
  /// Writes beside the target and renames: what was there before stays until the new file is whole.
  Status save(const std::filesystem::path& file) const;

  std::vector<TensorInfo> inputs() const;
  std::vector<TensorInfo> outputs() const;
  /// Task recipe as JSON text; empty if none was given at build time.
  const std::string& recipe() const;
  /// For tools inside the project.
  const Plan& plan() const { return *plan_; }
  std::shared_ptr<const Plan> shared_plan() const { return plan_; }

 private:
  std::shared_ptr<const Plan> plan_;
};

}  // namespace fovea
