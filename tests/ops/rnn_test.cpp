// SPDX-License-Identifier: Apache-2.0
// RNN, GRU, LSTM: what the ONNX test data leave out: directions, lengths, layouts, activations, clipping.
#include <cmath>

#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Strings = std::vector<std::string>;

Tensor ones(const Shape& shape) {
  Tensor tensor = Tensor::allocate(DataType::f32, shape).value();
  std::fill_n(tensor.data<float>(), tensor.elements(), 1.0f);
  return tensor;
}

// With the activation Affine (x) and weights 1 the state is a running sum.
const Tensor kX = tensor<float>({3, 1, 1}, {1, 2, 4});

TEST(Rnn, DirectionsRunBothWays) {
  const auto both = run_op("RNN", {kX, ones({2, 1, 1}), ones({2, 1, 1})}, attributes({{"direction", "bidirectional"}, {"activations", Strings{"Affine", "affine"}}}), 2).value();
  EXPECT_TRUE(close(both[0], tensor<float>({3, 2, 1, 1}, {1, 7, 3, 6, 7, 4})));
  EXPECT_TRUE(close(both[1], tensor<float>({2, 1, 1}, {7, 7})));
  EXPECT_TRUE(close(run_op1("RNN", {kX, ones({1, 1, 1}), ones({1, 1, 1})}, attributes({{"direction", "reverse"}, {"activations", Strings{"Affine"}}})),
                    tensor<float>({3, 1, 1, 1}, {7, 6, 4})));
}

TEST(Rnn, LengthsLeaveZerosAndTheLastState) {
  const Tensor x = tensor<float>({3, 3, 1}, {1, 1, 1, 2, 2, 2, 4, 4, 4}), lengths = tensor<std::int32_t>({3}, {3, 2, 0});
  const Tensor start = tensor<float>({1, 3, 1}, {10, 20, 30});
  for (const char* direction : {"forward", "reverse"}) {
    const auto out = run_op("RNN", {x, ones({1, 1, 1}), ones({1, 1, 1}), {}, lengths, start},
                            attributes({{"direction", direction}, {"activations", Strings{"Affine"}}}), 2).value();
    EXPECT_TRUE(close(out[1], tensor<float>({1, 3, 1}, {17, 23, 30})));
    const bool forward = direction[0] == 'f';
    EXPECT_TRUE(close(out[0], forward ? tensor<float>({3, 1, 3, 1}, {11, 21, 0, 13, 23, 0, 17, 0, 0}) : tensor<float>({3, 1, 3, 1}, {17, 23, 0, 16, 22, 0, 14, 0, 0})));
  }
}

TEST(Rnn, ActivationsTakeTheirConstantsInOrder) {
  const auto first = [](const char* name, double alpha, double beta, double x) {
    return element(run_op1("RNN", {tensor<float>({1, 1, 1}, {x}), ones({1, 1, 1}), ones({1, 1, 1})},
                           attributes({{"activations", Strings{name}}, {"activation_alpha", std::vector<double>{alpha}}, {"activation_beta", std::vector<double>{beta}}})), 0);
  };
  EXPECT_NEAR(first("Affine", 2, 3, 5), 13, 1e-6);
  EXPECT_NEAR(first("LeakyRelu", 0.5, 0, -4), -2, 1e-6);
  EXPECT_NEAR(first("ThresholdedRelu", 3, 0, 2), 0, 1e-6);
  EXPECT_NEAR(first("ScaledTanh", 2, 0.5, 1), 2 * std::tanh(0.5), 1e-6);
  EXPECT_NEAR(first("HardSigmoid", 0.1, 0.4, 1), 0.5, 1e-6);
  EXPECT_NEAR(first("Elu", 2, 0, -1), 2 * (std::exp(-1.0) - 1), 1e-6);
  EXPECT_NEAR(first("Softsign", 0, 0, -3), -0.75, 1e-6);
  EXPECT_NEAR(first("Softplus", 0, 0, 1), std::log1p(std::exp(1.0)), 1e-6);
}

TEST(Rnn, ClipBoundsWhatEntersAnActivation) {
  EXPECT_TRUE(close(run_op1("RNN", {kX, ones({1, 1, 1}), ones({1, 1, 1})}, attributes({{"clip", 2.5}, {"activations", Strings{"Affine"}}})),
                    tensor<float>({3, 1, 1, 1}, {1, 2.5, 2.5})));
}

TEST(Gru, LinearBeforeResetAppliesTheResetAfterTheWeights) {
  // One unit, reset gate sigmoid(0 * x + 0 * h) = 1/2, update gate 1/2, hidden weights 1 with recurrent bias 2.
  const Tensor w = tensor<float>({1, 3, 1}, {0, 0, 1}), r = tensor<float>({1, 3, 1}, {0, 0, 1}), b = tensor<float>({1, 6}, {0, 0, 0, 0, 0, 2});
  const Tensor x = tensor<float>({1, 1, 1}, {1}), start = tensor<float>({1, 1, 1}, {4});
  const auto run = [&](int linear) {
    return element(run_op1("GRU", {x, w, r, b, {}, start}, attributes({{"linear_before_reset", linear}, {"activations", Strings{"Sigmoid", "Affine"}}})), 0);
  };
  EXPECT_NEAR(run(0), 0.5 * (1 + 0.5 * 4 + 2) + 0.5 * 4, 1e-6);
  EXPECT_NEAR(run(1), 0.5 * (1 + 0.5 * (4 + 2)) + 0.5 * 4, 1e-6);
}

TEST(Lstm, CoupledGatesAndPeepholes) {
  // All weights 0: gates see only the peepholes times the cell, here 2.
  const Tensor w = tensor<float>({1, 4, 1}, {0, 0, 0, 0}), x = tensor<float>({1, 1, 1}, {1}), cell = tensor<float>({1, 1, 1}, {2});
  const Tensor b = tensor<float>({1, 8}, {0, 0, 0, 1, 0, 0, 0, 0}), p = tensor<float>({1, 3}, {0.1, 0.2, 0.3});
  const auto run = [&](int coupled) {
    return run_op("LSTM", {x, w, w, b, {}, {}, cell, p}, attributes({{"input_forget", coupled}, {"activations", Strings{"Affine", "Affine", "Affine"}}}), 3).value();
  };
  const double free_cell = 0.6 * 2 + 0.2 * 1, coupled_cell = 0.8 * 2 + 0.2 * 1;
  EXPECT_NEAR(element(run(0)[2], 0), free_cell, 1e-6);
  EXPECT_NEAR(element(run(0)[1], 0), 0.2 * free_cell * free_cell, 1e-6);
  EXPECT_NEAR(element(run(1)[2], 0), coupled_cell, 1e-6);
}

TEST(Lstm, BatchFirstIsTheSameTransposed) {
  const Tensor x = random(DataType::f32, {4, 2, 3}), w = random(DataType::f32, {2, 20, 3}, -1, 1, 2), r = random(DataType::f32, {2, 20, 5}, -1, 1, 3);
  Tensor swapped = Tensor::allocate(DataType::f32, {2, 4, 3}).value();
  for (int t = 0; t < 4; ++t) {
    for (int n = 0; n < 2; ++n) std::copy_n(x.data<float>() + (t * 2 + n) * 3, 3, swapped.data<float>() + (n * 4 + t) * 3);
  }
  const auto plain = run_op("LSTM", {x, w, r}, attributes({{"direction", "bidirectional"}}), 3).value();
  const auto batch_first = run_op("LSTM", {swapped, w, r}, attributes({{"direction", "bidirectional"}, {"layout", 1}}), 3).value();
  for (int t = 0; t < 4; ++t) {
    for (int d = 0; d < 2; ++d) {
      for (int n = 0; n < 2; ++n) {
        for (int j = 0; j < 5; ++j) {
          EXPECT_EQ(element(plain[0], ((t * 2 + d) * 2 + n) * 5 + j), element(batch_first[0], ((n * 4 + t) * 2 + d) * 5 + j));
          EXPECT_EQ(element(plain[2], (d * 2 + n) * 5 + j), element(batch_first[2], (n * 2 + d) * 5 + j));
        }
      }
    }
  }
}

TEST(Recurrent, ShapesAndErrors) {
  EXPECT_EQ(infer_text("GRU", {symbolic(DataType::f32, "TxNx3"), symbolic(DataType::f32, "1x15x3"), symbolic(DataType::f32, "1x15x5")}), "f32 Tx1xNx5");
  const Tensor w = ones({1, 1, 1});
  const auto refused = [&](Datum lengths, Attributes attributes, const char* phrase, ErrorCode code) {
    return fails(run_op("RNN", {kX, w, w, {}, std::move(lengths)}, attributes), code, phrase);
  };
  EXPECT_TRUE(refused(tensor<std::int32_t>({1}, {4}), {}, "sequence_lens: 4", ErrorCode::InvalidArgument));
  EXPECT_TRUE(refused(tensor<std::int32_t>({1}, {-1}), {}, "sequence_lens: -1", ErrorCode::InvalidArgument));
  EXPECT_TRUE(refused({}, attributes({{"hidden_size", 7}}), "hidden_size", ErrorCode::InvalidArgument));
  EXPECT_TRUE(refused({}, attributes({{"activations", Strings{"Swish"}}}), "Swish", ErrorCode::InvalidModel));
  EXPECT_TRUE(refused({}, attributes({{"direction", "bidirectional"}}), "R: expected 2x1x1", ErrorCode::InvalidArgument));
}

}  // namespace
}  // namespace fovea::testing
