// SPDX-License-Identifier: Apache-2.0
// Products of small f32 matrices that lie in the cache, for kernels that string several of them together.
#pragma once

#include <cstdint>

namespace fovea::cpu {

/// Columns of b and c come in whole vectors: pad with zeros to a multiple of this.
inline constexpr std::int64_t kProductPadding = 16;

/// c[rows, n] = a[rows, k] * b[k, n], or c += when `adds`; `*_step` elements lie between rows. n is a multiple of kProductPadding.
using TileProduct = void (*)(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, float* c, std::int64_t c_step, std::int64_t rows,
                             std::int64_t k, std::int64_t n, bool adds);

/// The loops for the machine this runs on.
TileProduct tile_product();

}  // namespace fovea::cpu
