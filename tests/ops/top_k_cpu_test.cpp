// SPDX-License-Identifier: Apache-2.0
// The tuned TopK against its reference: ties, NaN, both directions, lines that lie apart, lines long enough for
// threads.
#include <cmath>

#include "support/kernel_test.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

/// Few distinct values, both zeros, infinities and NaN.
Tensor coarse(const Shape& shape, unsigned seed, bool odd) {
  Tensor x = random(DataType::f32, shape, -20, 20, seed);
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    float& v = x.data<float>()[i];
    v = std::round(v) / 4;
    if (odd && i % 17 == 3) v = i % 2 ? -0.0f : 0.0f;
    if (odd && i % 97 == 5) v = i % 2 ? std::nanf("") : -INFINITY;
  }
  return x;
}

TEST(TopKKernel, AgreesWithTheReference) {
  struct Sizes {
    Shape shape;
    int axis;
    std::int64_t k;
  };
  const Sizes cases[] = {{{5}, 0, 5},          {{3, 40}, 1, 7}, {{3, 40}, 0, 2},    {{2, 300, 5}, 1, 300},
                         {{1, 20000}, 1, 100}, {{70000}, 0, 5}, {{90000}, 0, 4000}, {{2, 80000}, 1, 30}};
  for (const Sizes& sizes : cases) {
    for (const int largest : {0, 1}) {
      for (const bool odd : {false, true}) {
        KernelCase test{.op = "TopK",
                        .attributes = attributes({{"axis", sizes.axis}, {"largest", largest}}),
                        .inputs = {coarse(sizes.shape, 3, odd), ints({sizes.k})}};
        test.num_outputs = 2;
        for (const int threads : {1, 2, 3}) {
          test.threads = threads;
          EXPECT_TRUE(agrees(test)) << sizes.shape.to_string() << " k " << sizes.k << " largest " << largest
                                    << " threads " << threads;
        }
      }
    }
  }
}

TEST(TopKKernel, BestAtTheEndAndNothingButNaN) {
  Tensor rising = Tensor::allocate(DataType::f32, {50000}).value(),
         none = Tensor::allocate(DataType::f32, {50000}).value();
  for (std::int64_t i = 0; i < 50000; ++i)
    rising.data<float>()[i] = static_cast<float>(i / 3), none.data<float>()[i] = std::nanf("");
  for (const Tensor& x : {rising, none}) {
    KernelCase test{.op = "TopK", .inputs = {x, ints({300})}};
    test.num_outputs = 2;
    test.threads = 1;
    EXPECT_TRUE(agrees(test));
  }
}

TEST(TopKKernel, KMustBeWhatTheOutputHolds) {
  KernelCase test{.op = "TopK", .inputs = {random(DataType::i32, {5}, 0, 9), ints({3})}};
  test.num_outputs = 2;
  EXPECT_NE(refusal(test, "top_k_lines").find("f32"), std::string::npos);
}

}  // namespace
}  // namespace fovea::testing
