// SPDX-License-Identifier: Apache-2.0
// Checked access to sequences at run time, shared by the kernels of this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/axis.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

/// No real network has longer ones; a loop that inserts without end stops here.
inline constexpr std::size_t kMaxSequenceLength = std::size_t{1} << 20;

inline Result<const std::vector<Datum>*> sequence_items(const KernelContext& context, int i) {
  if (!context.has_input(i) || context.datum(i).kind != Datum::Kind::Sequence || !context.datum(i).items) {
    return invalid_argument("input ", i, ": expected a sequence");
  }
  return context.datum(i).items.get();
}

inline Status set_sequence(KernelContext& context, int i, std::vector<Datum> items, DataType element) {
  if (items.size() > kMaxSequenceLength) return resource_exhausted("a sequence may have at most ", kMaxSequenceLength, " elements");
  context.set_output(i, Datum::make_sequence(std::move(items), element));
  return {};
}

}  // namespace fovea::ops
