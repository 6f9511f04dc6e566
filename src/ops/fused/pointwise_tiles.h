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

/// Whole quantisation steps; null where there is no vector code. Of scale, zero, low and high only the first element is read.
///   quantise        q = min(max(round(x / scale) + zero, low), high)       x f32, scale, zero, low, high
///   dequantise      (x - zero) * scale                                    x a byte, scale, zero
///   fake_quantise   (q - zero) * scale                                    as quantise
///   quantised_sum   quantise(dequantise(a) + dequantise(b))               a, b, scale, zero of each, then as quantise
TileFunction quantise_tile_function(DataType to);
TileFunction dequantise_tile_function(DataType from);
TileFunction fake_quantise_tile_function();
TileFunction quantised_sum_tile_function(DataType from, DataType to);

}  // namespace fovea::cpu
