// SPDX-License-Identifier: Apache-2.0
// The attributes of every operator with an activation and a residual input (see base/activation.h), for schemas.
#pragma once

#include "base/activation.h"
#include "ops/schema.h"

namespace fovea::ops {

inline void add_post_op_attributes(std::vector<AttributeSpec>& into) {
  into.push_back({.name = "activation", .type = AttributeType::String, .default_text = "none",
                  .allowed = {std::begin(kActivationNames), std::end(kActivationNames)}});
  into.push_back({.name = "alpha", .type = AttributeType::Float, .default_text = "the activation's own"});
  into.push_back({.name = "beta", .type = AttributeType::Float, .default_text = "the activation's own"});
  into.push_back({.name = "residual", .type = AttributeType::String, .default_text = "none", .allowed = {"none", "before", "after"}});
}

}  // namespace fovea::ops
