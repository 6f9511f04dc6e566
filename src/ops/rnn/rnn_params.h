// SPDX-License-Identifier: Apache-2.0
// Parameters of RNN, GRU and LSTM, and their checked extents.
// Layouts: W [directions, gates * hidden, input], R [directions, gates * hidden, hidden], B [directions, 2 * gates * hidden]
// (of W, then of R), P [directions, 3 * hidden]. `layout` 1 puts batch first in x, states and outputs.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/attributes.h"
#include "base/check.h"

namespace fovea::ops {

enum class ActivationKind : std::uint8_t { Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign, Softplus };

struct Activation {
  ActivationKind kind = ActivationKind::Tanh;
  double alpha = 0, beta = 0;
  double operator()(double x) const;
};

/// How the three operators differ in their weights.
struct RnnKind {
  std::string_view op;
  int gates;
  std::vector<std::string_view> activations;  ///< defaults of one direction
};
const RnnKind& rnn_kind(std::string_view op);

struct RnnParams {
  bool forward = true, backward = false;  ///< directions, in this order
  bool batch_first = false;
  bool linear_before_reset = false;       ///< GRU
  bool input_forget = false;              ///< LSTM: the forget gate is 1 - input gate
  double clip = 0;                        ///< bound of what goes into an activation; infinite when absent
  std::int64_t hidden = 0;                ///< 0 when only the weights tell it
  std::vector<Activation> activations;    ///< one direction after the other

  int directions() const { return (forward ? 1 : 0) + (backward ? 1 : 0); }
  static Result<RnnParams> parse(const RnnKind& kind, const Attributes& attributes);
};

struct RnnExtents {
  std::int64_t steps = 0, batch = 0, input = 0, hidden = 0;

  /// Checks all shapes against each other. Undefined tensors are missing inputs.
  static Result<RnnExtents> check(const RnnKind& kind, const RnnParams& params, const Tensor& x, const Tensor& w, const Tensor& r,
                                  const Tensor& b, const Tensor& lengths, const Tensor& initial_h, const Tensor& initial_c, const Tensor& p);
  Shape output_shape(const RnnParams& params) const;
  Shape state_shape(const RnnParams& params) const;
};

}  // namespace fovea::ops
