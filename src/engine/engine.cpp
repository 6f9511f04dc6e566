// SPDX-License-Identifier: Apache-2.0
// The public Engine over plan and file.
#include "fovea/engine.h"

#include <cstring>

#include "base/file.h"
#include "base/guard.h"
#include "engine/plan_file.h"

namespace fovea {

namespace {

std::vector<TensorInfo> describe(const Plan& plan, const std::vector<int>& values) {
  std::vector<TensorInfo> infos;
  for (int index : values) {
    const PlanValue& value = plan.values[static_cast<std::size_t>(index)];
    TensorInfo info{value.name, value.type.element, {}, value.shape.has_value()};
    if (value.shape) {
      for (const Dim& dim : *value.shape) info.shape.push_back(dim.to_string());
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace

Result<Engine> Engine::load(const std::filesystem::path& file) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  auto plan = guarded([&] { return engine::read_plan(mapped->bytes(), mapped); });
  if (!plan.ok()) return std::move(plan).status().with_context(file.string());
  return Engine(*std::move(plan));
}

Result<Engine> Engine::load(std::span<const std::byte> bytes) {
  // A tensor of bytes is what owns aligned memory.
  FOVEA_ASSIGN(const Tensor copy, Tensor::allocate(DataType::u8, {static_cast<std::int64_t>(bytes.size())}));
  if (!bytes.empty()) std::memcpy(const_cast<void*>(copy.raw()), bytes.data(), bytes.size());
  const std::span aligned(static_cast<const std::byte*>(copy.raw()), bytes.size());
  FOVEA_ASSIGN(auto plan, guarded([&] { return engine::read_plan(aligned, std::make_shared<Tensor>(copy)); }));
  return Engine(std::move(plan));
}

Status Engine::save(const std::filesystem::path& file) const { return engine::save_plan(*plan_, file); }

std::vector<TensorInfo> Engine::inputs() const { return describe(*plan_, plan_->inputs); }
std::vector<TensorInfo> Engine::outputs() const { return describe(*plan_, plan_->outputs); }
const std::string& Engine::recipe() const { return plan_->recipe; }

}  // namespace fovea
