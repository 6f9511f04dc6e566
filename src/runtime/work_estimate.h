// SPDX-License-Identifier: Apache-2.0
// How much work a step is, from shapes and attributes alone: for the figures of a profile.
#pragma once

#include <span>
#include <string_view>

#include "base/attributes.h"
#include "base/tensor_desc.h"

namespace fovea {

struct Work {
  double flops = 0;  ///< multiplications and additions
  double bytes = 0;  ///< each input read and each output written once
};

Work estimate_work(std::string_view op, const Attributes& attributes, std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs);

}  // namespace fovea
