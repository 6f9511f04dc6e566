// SPDX-License-Identifier: Apache-2.0
// The comparison behind the tests of random graphs: f64, so that what differs is wrong and not rounded.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "ir/text.h"
#include "passes/match.h"
#include "support/graph_interpreter.h"

namespace fovea::testing {

/// Both graphs compute the same from one set of seeded inputs, whose shapes are concrete.
inline void expect_same_f64(const ir::Graph& before, const ir::Graph& after, unsigned seed) {
  std::vector<Datum> inputs;
  for (ir::ValueId id : before.inputs)
    inputs.emplace_back(ir::seeded_tensor(DataType::f64, *passes::concrete_shape_of(before, id), seed, -2, 2).value());
  const auto expected = interpret(before, inputs), actual = interpret(after, inputs);
  ASSERT_TRUE(expected.ok()) << expected.status().to_string();
  ASSERT_TRUE(actual.ok()) << actual.status().to_string();
  for (std::size_t i = 0; i < expected->size(); ++i) {
    const Tensor &e = (*expected)[i].tensor, &a = (*actual)[i].tensor;
    ASSERT_EQ(e.shape(), a.shape());
    for (std::int64_t k = 0; k < e.elements(); ++k) {
      const double wanted = e.data<double>()[k], found = a.data<double>()[k];
      // Parameters of activations are f32 even where the tensors are f64.
      ASSERT_LE(std::abs(wanted - found), 1e-6 * std::max(1.0, std::abs(wanted)))
          << "output " << i << ", element " << k;
    }
  }
}

}  // namespace fovea::testing
