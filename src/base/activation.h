// SPDX-License-Identifier: Apache-2.0
// Activation: what fovea::conv and fovea::matmul can apply to a finished sum, named by the attribute
// `activation` with parameters `alpha` and `beta`. The scalar form here is the definition.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/attributes.h"
#include "base/check.h"

namespace fovea {

enum class ActivationKind : std::uint8_t {
  None,         ///< x
  Relu,         ///< max(x, 0)
  Clip,         ///< min(max(x, alpha), beta)
  LeakyRelu,    ///< x < 0 ? alpha * x : x                         alpha 0.01
  Sigmoid,      ///< 1 / (1 + exp(-x))
  Silu,         ///< x * sigmoid(alpha * x)                        alpha 1
  HardSigmoid,  ///< min(max(alpha * x + beta, 0), 1)              alpha 0.2, beta 0.5
  HardSwish,    ///< x * min(max(alpha * x + beta, 0), 1)          alpha 1/6, beta 0.5
  Tanh,
  Gelu,         ///< x / 2 * (1 + erf(x / sqrt(2)))
  GeluTanh,     ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  Elu,          ///< x < 0 ? alpha * (exp(x) - 1) : x              alpha 1
  Mish,         ///< x * tanh(log(1 + exp(x)))
  Softplus,     ///< log(1 + exp(x))
};

inline constexpr std::string_view kActivationNames[] = {"none",      "relu", "clip", "leaky_relu", "sigmoid", "silu", "hardsigmoid",
                                                        "hardswish", "tanh", "gelu", "gelu_tanh",  "elu",     "mish", "softplus"};

struct Activation {
  ActivationKind kind = ActivationKind::None;
  float alpha = 0, beta = 0;

  /// Reads `activation`, `alpha`, `beta`; absent parameters take the defaults above.
  static Activation from(const Attributes& attributes) {
    Activation result;
    const std::string text = attributes.get_string("activation", "none");
    for (std::size_t i = 0; i < std::size(kActivationNames); ++i) {
      if (kActivationNames[i] == text) result.kind = static_cast<ActivationKind>(i);
    }
    double alpha = 0, beta = 0;
    switch (result.kind) {
      case ActivationKind::Clip: alpha = -INFINITY, beta = INFINITY; break;
      case ActivationKind::LeakyRelu: alpha = 0.01; break;
      case ActivationKind::Silu: alpha = 1; break;
      case ActivationKind::HardSigmoid: alpha = 0.2, beta = 0.5; break;
      case ActivationKind::HardSwish: alpha = 1.0 / 6, beta = 0.5; break;
      case ActivationKind::Elu: alpha = 1; break;
      default: break;
    }
    result.alpha = static_cast<float>(attributes.get_float("alpha", alpha));
    result.beta = static_cast<float>(attributes.get_float("beta", beta));
    return result;
  }

  double apply(double x) const {
    switch (kind) {
      case ActivationKind::None: return x;
      case ActivationKind::Relu: return x < 0 ? 0 : x;
      case ActivationKind::Clip: return x < alpha ? alpha : x > beta ? beta : x;
      case ActivationKind::LeakyRelu: return x < 0 ? alpha * x : x;
      case ActivationKind::Sigmoid: return 1 / (1 + std::exp(-x));
      case ActivationKind::Silu: return x / (1 + std::exp(-alpha * x));
      case ActivationKind::HardSigmoid: return std::fmin(std::fmax(alpha * x + beta, 0), 1);
      case ActivationKind::HardSwish: return x * std::fmin(std::fmax(alpha * x + beta, 0), 1);
      case ActivationKind::Tanh: return std::tanh(x);
      case ActivationKind::Gelu: return x / 2 * (1 + std::erf(x * M_SQRT1_2));
      case ActivationKind::GeluTanh: return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
      case ActivationKind::Elu: return x < 0 ? alpha * std::expm1(x) : x;
      case ActivationKind::Mish: return x * std::tanh(softplus(x));
      case ActivationKind::Softplus: return softplus(x);
    }
    return x;
  }

 private:
  static double softplus(double x) { return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x))); }
};

/// Where the optional residual input R joins: before the activation, act(y + R), or after it, act(y) + R.
enum class Residual : std::uint8_t { None, Before, After };

inline Residual residual_from(const Attributes& attributes) {
  const std::string text = attributes.get_string("residual", "none");
  return text == "before" ? Residual::Before : text == "after" ? Residual::After : Residual::None;
}

}  // namespace fovea
