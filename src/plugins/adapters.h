// SPDX-License-Identifier: Apache-2.0
// A plugin's callbacks in the forms that the rest of Fovea knows: a shape rule, a reference kernel, tuned kernels.
#pragma once

#include <memory>
#include <optional>

#include "device/kernel.h"
#include "ops/kernel_context.h"
#include "ops/schema.h"
#include "plugins/description.h"

namespace fovea::plugins {

/// ShapeRule of every plugin operator; finds its description by the operator's name.
Status infer(ops::InferContext& context);

/// Type and shape of each output for concrete inputs, and small integer inputs as far as `constants` has them; null where the
/// rule did not find them.
Result<std::vector<std::optional<TensorDesc>>> infer_concrete(const Problem& problem);

/// Reference kernel of every plugin operator: its reference callback, else its last CPU kernel that can.
Status reference(ops::KernelContext& context);

/// The CPU kernels, best first. Both arguments' objects live until the process ends.
std::vector<std::unique_ptr<const Kernel>> make_kernels(const Description& description);

}  // namespace fovea::plugins
