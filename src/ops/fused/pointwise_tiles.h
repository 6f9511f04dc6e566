// SPDX-License-Identifier: Apache-2.0
// Functions that apply one pointwise instruction to a tile: n consecutive elements of each operand. The kernel
// strings them together; a tile and its intermediate values stay in the L1 cache.
#pragma once

#include <cstdint>

#include "ops/fused/pointwise_program.h"

namespace fovea::cpu {

using TileFunction = void (*)(const void* const* operands, void* result, std::int64_t n);

/// Vector code for the machine this runs on; null where there is none. `operand` is the type of operand 0
/// (comparisons, casts), `type` the result's.
TileFunction simd_tile_function(PointwiseOp op, DataType operand, DataType type);
/// Plain loops for everything else that a verified program can contain.
TileFunction scalar_tile_function(PointwiseOp op, DataType operand, DataType type);

/// (min(max(round(x / scale) + zero, low), high) - zero) * scale: a value put on its quantised grid. Operands x,
/// scale, zero, low, high; only the first element of the last four is read.
TileFunction fake_quantise_tile_function();

}  // namespace fovea::cpu
