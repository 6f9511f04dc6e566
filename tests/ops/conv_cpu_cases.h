// SPDX-License-Identifier: Apache-2.0
// Shapes that convolution kernels are tested and timed on.
#pragma once

#include <cstdint>
#include <ostream>

namespace fovea::testing {

struct ConvCase {
  const char* name;
  std::int64_t n, ic, oc, group, h, w, kernel, stride, pad, dilation;
  const char* activation = "none";
  const char* residual = "none";
  bool bias = true;
};

inline constexpr ConvCase kConvCases[] = {
    {"stem", 1, 3, 16, 1, 17, 19, 3, 2, 1, 1, "relu"},
    {"pointwise", 2, 16, 32, 1, 7, 9, 1, 1, 0, 1, "silu"},
    {"pointwise_odd_channels", 1, 13, 29, 1, 7, 5, 1, 1, 0, 1, "hardswish"},
    {"residual_before", 1, 32, 16, 1, 8, 8, 3, 1, 1, 1, "relu", "before"},
    {"residual_after", 1, 32, 16, 1, 8, 8, 3, 1, 1, 1, "leaky_relu", "after"},
    {"depthwise_3x3", 1, 24, 24, 24, 15, 15, 3, 1, 1, 1, "clip"},
    {"depthwise_5x5_stride_2_odd", 1, 19, 19, 19, 15, 14, 5, 2, 2, 1, "none"},
    {"grouped", 1, 12, 18, 3, 9, 9, 3, 1, 1, 1, "sigmoid"},
    {"dilated", 1, 16, 16, 1, 13, 13, 3, 1, 2, 2, "tanh"},
    {"no_bias", 1, 8, 8, 1, 6, 6, 3, 1, 1, 1, "gelu", "none", false},
    {"one_pixel", 1, 64, 10, 1, 1, 1, 1, 1, 0, 1, "mish"},
    {"elu", 1, 8, 8, 1, 6, 6, 3, 1, 1, 1, "elu"},
    {"hardsigmoid", 1, 8, 8, 1, 6, 6, 1, 1, 0, 1, "hardsigmoid"},
};

inline std::ostream& operator<<(std::ostream& out, const ConvCase& c) { return out << c.name; }

}  // namespace fovea::testing
