// SPDX-License-Identifier: Apache-2.0
// The rule for errors is wide enough for right kernels and tight enough for wrong ones, at sizes that networks have.
#include "compiler/judge.h"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "base/float_types.h"
#include "compiler/error_limit.h"
#include "support/op_test.h"

namespace fovea::compiler {
namespace {

using testing::attributes;
using testing::random;

/// A node with the outputs of its reference.
struct Node {
  std::string op;
  Attributes attributes = {};
  std::vector<Tensor> inputs = {};

  Tensor reference() const { return reference_with(attributes); }
  Tensor reference_with(const Attributes& other) const {
    std::vector<Datum> in, out(1);
    for (const Tensor& tensor : inputs) in.emplace_back(tensor);
    ops::KernelContext context(op, other, in, out);
    EXPECT_TRUE(ops::find_reference(op)(context).ok());
    return out[0].tensor;
  }
  Verdict judge(const Tensor& actual) const {
    const Tensor expected = reference();
    std::vector<TensorDesc> descs, out{TensorDesc::dense(expected.type(), expected.shape())};
    for (const Tensor& tensor : inputs) descs.push_back(TensorDesc::dense(tensor.type(), tensor.shape()));
    const std::vector<Tensor> constants(inputs.size());
    const Problem problem{op, attributes, descs, out, constants, 1};
    return compiler::judge(problem, [&](int i) -> Result<Tensor> { return inputs[static_cast<std::size_t>(i)]; }, 0, actual.raw(), expected.raw()).value();
  }
  bool accepts(const Tensor& actual) const { return judge(actual).status.ok(); }
};

/// y = a b with `sum` in the place of the inner loop.
using Sum = std::function<float(const std::vector<float>& products)>;
Tensor product(const Node& node, const Sum& sum) {
  const Tensor &a = node.inputs[0], &b = node.inputs[1];
  const std::int64_t m = a.dim(0), k = a.dim(1), n = b.dim(1);
  Tensor y = Tensor::allocate(DataType::f32, {m, n}).value();
  std::vector<float> products(static_cast<std::size_t>(k));
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t p = 0; p < k; ++p) products[static_cast<std::size_t>(p)] = a.data<float>()[i * k + p] * b.data<float>()[p * n + j];
      y.data<float>()[i * n + j] = sum(products);
    }
  }
  return y;
}

float in_order(const std::vector<float>& x) {
  float sum = 0;
  for (const float value : x) sum += value;
  return sum;
}

template <class T>
float rounded_to(const std::vector<float>& x) {
  T sum(0.0f);
  for (const float value : x) sum = T(static_cast<float>(sum) + value);
  return static_cast<float>(sum);
}

class SumsOf : public ::testing::TestWithParam<int> {};

TEST_P(SumsOf, RightAndWrongProducts) {
  const int k = GetParam();
  for (const double low : {-1.0, 0.0}) {  // sums that cancel, and activations after a Relu
    const Node node{"MatMul", {}, {random(DataType::f32, {24, k}, low, 1, 1), random(DataType::f32, {k, 24}, -1, 1, 2)}};
    EXPECT_TRUE(node.accepts(product(node, in_order)));
    EXPECT_TRUE(node.accepts(product(node, [](const std::vector<float>& x) {  // from the end, in eight parts
      float parts[8] = {};
      for (std::size_t i = x.size(); i-- > 0;) parts[i % 8] += x[i];
      return in_order({parts, parts + 8});
    })));
    EXPECT_FALSE(node.accepts(product(node, [](std::vector<float> x) { return x[x.size() / 2] = 0, in_order(x); }))) << "a dropped term";
    EXPECT_FALSE(node.accepts(product(node, [](std::vector<float> x) { return x.back() = 0, in_order(x); }))) << "a dropped tail";
    EXPECT_FALSE(node.accepts(product(node, rounded_to<BFloat16>))) << "sums in bf16";
    EXPECT_FALSE(node.accepts(product(node, rounded_to<Half>))) << "sums in f16";
    Tensor one_off = product(node, in_order);
    one_off.data<float>()[77] += one_off.data<float>()[77] * 1e-3f;
    EXPECT_EQ(node.accepts(one_off), std::fabs(one_off.data<float>()[77]) * 1e-3 < node.judge(one_off).limit) << "limits are what they say";
  }
}
INSTANTIATE_TEST_SUITE_P(Lengths, SumsOf, ::testing::Values(27, 64, 576, 2304, 4608));

TEST(Judge, PaddingOffByOne) {
  const auto window = [](std::vector<std::int64_t> pads) { return attributes({{"pads", std::move(pads)}}); };
  for (const int channels : {3, 64, 512}) {
    const Node node{"Conv", window({1, 1, 1, 1}), {random(DataType::f32, {1, channels, 14, 14}, 0, 1, 1), random(DataType::f32, {8, channels, 3, 3}, -1, 1, 2)}};
    EXPECT_TRUE(node.accepts(node.reference()));
    EXPECT_FALSE(node.accepts(node.reference_with(window({2, 2, 0, 0}))));
    EXPECT_FALSE(node.accepts(node.reference_with(window({1, 2, 1, 0}))));
    Tensor border = node.reference();  // the last column without its last tap
    const Tensor &x = node.inputs[0], &w = node.inputs[1];
    for (int y = 0; y < 14; ++y) border.data<float>()[y * 14 + 13] -= x.data<float>()[y * 14 + 13] * w.data<float>()[4];
    EXPECT_FALSE(node.accepts(border));
  }
}

TEST(Judge, VarianceDividedByOneLess) {
  for (const int width : {64, 256, 768}) {
    const Node node{"LayerNormalization", {}, {random(DataType::f32, {50, width}, -2, 3, 1), random(DataType::f32, {width}, 0.5, 2, 2), random(DataType::f32, {width}, -1, 1, 3)}};
    Tensor wrong = node.reference();
    const float factor = std::sqrt(static_cast<float>(width - 1) / static_cast<float>(width));
    for (std::int64_t i = 0; i < wrong.elements(); ++i) {
      const float bias = node.inputs[2].data<float>()[i % width];
      wrong.data<float>()[i] = (wrong.data<float>()[i] - bias) * factor + bias;
    }
    EXPECT_TRUE(node.accepts(node.reference()));
    EXPECT_FALSE(node.accepts(wrong)) << width;
  }
}

TEST(Judge, SoftmaxThatLeavesOneOut) {
  const Node node{"Softmax", {}, {random(DataType::f32, {20, 1024}, -4, 4, 1)}};
  Tensor wrong = node.reference();
  for (std::int64_t row = 0; row < 20; ++row) {
    const float last = wrong.data<float>()[row * 1024 + 1023];
    for (int i = 0; i < 1024; ++i) wrong.data<float>()[row * 1024 + i] /= 1 - last;
  }
  EXPECT_FALSE(node.accepts(wrong));
}

TEST(Judge, RangeIsSmallWhereTermsCancel) {
  // Weights +1 and -1 side by side on nearly equal numbers: results are a thousandth of their terms.
  const int k = 512;
  Node node{"MatMul", {}, {random(DataType::f32, {16, k}, 1000, 1001, 1), Tensor::allocate(DataType::f32, {k, 4}).value()}};
  for (int i = 0; i < 4 * k; ++i) node.inputs[1].data<float>()[i] = i / 4 % 2 == 0 ? 1.0f : -1.0f;
  const Verdict right = node.judge(product(node, in_order));
  EXPECT_TRUE(right.status.ok()) << right.status.message();
  const Verdict wrong = node.judge(product(node, [](std::vector<float> x) { return x[100] = 0, in_order(x); }));
  EXPECT_FALSE(wrong.status.ok());
  EXPECT_TRUE(wrong.by_terms);
}

TEST(Judge, NormalisationFarFromZero) {
  const Node node{"LayerNormalization", {}, {random(DataType::f32, {8, 256}, 4096, 4097, 1), random(DataType::f32, {256}, 1, 1, 2)}};
  Tensor rounded_mean = node.reference();  // a mean that is off by one rounding moves a whole row
  for (std::int64_t i = 0; i < 256; ++i) rounded_mean.data<float>()[i] += 4096 * 0x1p-24f / 0.2887f;
  const Verdict verdict = node.judge(rounded_mean);
  EXPECT_TRUE(verdict.status.ok() && verdict.by_terms) << verdict.status.message();
  for (std::int64_t i = 0; i < 256; ++i) rounded_mean.data<float>()[i] += 0.5f;
  EXPECT_FALSE(node.accepts(rounded_mean));
}

TEST(Judge, ProgramsByTheirRunningError) {
  // (x + 1000) - 1000: the sum's rounding is large beside the result, for a kernel that keeps more digits as for the reference.
  Node node{"fovea::pointwise", attributes({{"program", "input f32 0; const f32 0x1.f4p9; add f32 0 1; sub f32 2 1; output 3"}}), {random(DataType::f32, {64}, 0, 1, 1)}};
  Verdict verdict = node.judge(node.inputs[0]);
  EXPECT_TRUE(verdict.status.ok() && verdict.by_terms) << verdict.status.message();
  Tensor wrong = node.inputs[0].clone().value();
  wrong.data<float>()[5] += 1e-3f;
  EXPECT_FALSE(node.accepts(wrong));
  // Comparisons may differ exactly where rounding may tip them.
  node.attributes = attributes({{"program", "input f32 0; const f32 0x1.8p-1; mul f32 0 0; less bool 2 1; output 3"}});
  node.inputs[0].data<float>()[7] = std::sqrt(0.75f);
  Tensor tipped = node.reference();
  tipped.data<std::uint8_t>()[7] ^= 1;
  EXPECT_TRUE(node.accepts(tipped));
  tipped.data<std::uint8_t>()[8] ^= 1;
  EXPECT_FALSE(node.accepts(tipped));
}

TEST(Judge, MovedElementsMustBeTheSame) {
  const Node node{"Transpose", {}, {random(DataType::f32, {5, 7}, -1, 1, 1)}};
  Tensor wrong = node.reference();
  EXPECT_TRUE(node.accepts(wrong));
  wrong.data<float>()[3] = std::nextafter(wrong.data<float>()[3], 2.0f);
  EXPECT_FALSE(node.accepts(wrong));
}

TEST(Judge, MissingNumbersAreRefused) {
  const Node node{"MatMul", {}, {random(DataType::f32, {4, 32}, -1, 1, 1), random(DataType::f32, {32, 4}, -1, 1, 2)}};
  Tensor wrong = node.reference();
  wrong.data<float>()[3] = NAN;
  EXPECT_FALSE(node.accepts(wrong));
}

TEST(ErrorLimit, ShortSumsAreBoundedByTheWorstCase) {
  const double u = 0x1p-24;
  EXPECT_DOUBLE_EQ(relative_bound({.length = 9}, DataType::f32, 1000), 9 * u / (1 - 9 * u));
  // From lambda^2 terms on chance is the smaller bound: about lambda sqrt(n) u.
  const double lambda = std::sqrt(2 * std::log(2 * 4608e6 / kFalseAlarm));
  EXPECT_NEAR(relative_bound({.length = 4608}, DataType::f32, 1000000), lambda * std::sqrt(4608) * u, 1e-3 * lambda * std::sqrt(4608) * u);
  EXPECT_EQ(relative_bound({.exact = true}, DataType::f32, 10), 0);
}

}  // namespace
}  // namespace fovea::compiler
