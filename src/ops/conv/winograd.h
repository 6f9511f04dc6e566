// SPDX-License-Identifier: Apache-2.0
// The transforms of Winograd's F(2x2, 3x3): a tile of 2 x 2 outputs from 4 x 4 inputs takes 16 products a channel instead
// of 36. Factors are 0, 1, -1 and, in the filters, 1/2, so that little is lost in f32.
//   output = A^T ((G filter G^T) * (B^T input B)) A, element by element in the middle, summed over input channels
#pragma once

#include <cstdint>

#include "base/activation.h"

namespace fovea::cpu {

inline constexpr int kWinogradPlaces = 16;

/// What becomes of finished sums.
struct WinogradEnd {
  const float* bias;  ///< of the first of the channels, or null
  Residual residual;
  Activation activation;
};

struct WinogradOps {
  /// to[place * step + c] for 16 places; pixels are the rows of a tile one behind the other, `channels` contiguous numbers each.
  void (*transform_input)(const float* const* pixels, float* to, std::int64_t step, std::int64_t channels);
  /// The other way: from[place * step + c] to four pixels, of which those that are null do not exist. `residual` is read before
  /// the same place of `to` is written, and not at all with Residual::None.
  void (*transform_output)(const float* from, std::int64_t step, const WinogradEnd& end, const float* const* residual, float* const* to, std::int64_t channels);
};

/// Channels come in multiples of this.
inline constexpr std::int64_t kWinogradChannels = 16;

/// Whether transform_output knows the activation.
bool winograd_knows(ActivationKind kind);
/// to[16] = G filter G^T for a filter of 3 x 3.
void transform_filter(const float* filter, float* to);

/// The loops for the machine this runs on.
const WinogradOps& winograd_ops();

}  // namespace fovea::cpu
