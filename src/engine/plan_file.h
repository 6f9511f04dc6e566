// SPDX-License-Identifier: Apache-2.0
// Plan <-> bytes of an engine file. The format is in container.h (outside) and engine.fbs (inside).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "base/check.h"
#include "engine/plan.h"

namespace fovea::engine {

/// The file's bytes. The same plan gives the same bytes on every machine. Internal when the plan would not
/// pass check_plan, so that a bug shows where it was made and not on the robot.
Result<std::vector<std::byte>> write_plan(const Plan& plan);
/// Without that check: tests make hostile engines with it.
Result<std::vector<std::byte>> write_plan_unchecked(const Plan& plan);
/// write_plan to a file, without holding the weights a second time.
Status save_plan(const Plan& plan, const std::filesystem::path& file);

/// Verifies everything (container, FlatBuffer, check_plan), then rebuilds the plan. `bytes` must start at a
/// multiple of 64; `owner` keeps them alive: constants point into them.
Result<std::shared_ptr<const Plan>> read_plan(std::span<const std::byte> bytes, std::shared_ptr<const void> owner);

}  // namespace fovea::engine
