// SPDX-License-Identifier: Apache-2.0
#include "onnx/scope.h"

namespace fovea::onnx {

std::optional<ir::ValueId> Scope::find_local(std::string_view name) const {
  const auto known = names_.find(name);
  if (known == names_.end()) return std::nullopt;
  return known->second;
}

std::optional<ir::ValueId> Scope::find(std::string_view name) {
  if (const auto local = find_local(name)) return local;
  if (!outer_) return std::nullopt;
  const auto outside = outer_->find(name);
  if (!outside || *outside == ir::kNone) return outside;
  const ir::Value& value = outer_->graph_.value(*outside);
  ir::ValueId inner = ir::kNone;
  if (value.is_constant()) {
    inner = graph_.add_constant(name, value.constant);
  } else {
    inner = graph_.add_value(name, value.type);
    captures_.push_back({*outside, inner});
    facts_.set(inner, outer_->facts_.of(*outside));
  }
  names_.emplace(name, inner);
  return inner;
}

}  // namespace fovea::onnx
