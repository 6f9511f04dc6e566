// SPDX-License-Identifier: Apache-2.0
// Compares a tuned kernel with the operator's reference on one case: any layout, inputs and outputs as slices of
// larger tensors, constant or not, any number of threads.
#pragma once

#include <string>
#include <vector>

#include "support/op_test.h"
#include "base/tensor_desc.h"
#include "device/kernel_registry.h"

namespace fovea::testing {

struct KernelCase {
  std::string op;
  Attributes attributes = {};
  std::vector<Tensor> inputs = {};           ///< undefined for missing optional inputs
  std::vector<int> constants = {};           ///< inputs that the kernel may see at preparation
  Layout layout = Layout::plain;             ///< of inputs and outputs that are no constants and have rank >= 3
  std::vector<Layout> input_layouts = {};    ///< overrides `layout` per input when not empty
  std::vector<int> sliced_inputs = {};       ///< inputs that lie in a tensor with more channels (axis 1)
  bool sliced_output = false;
  int num_outputs = 1;
  int threads = 2;
};

/// Runs the first candidate that can run (or only `kernel`) and judges every output as a build does (compiler/judge.h). Fails with the
/// refusals when none can; memory around outputs must stay untouched.
::testing::AssertionResult agrees(const KernelCase& test, std::string_view kernel = {});
/// Runs `kernel` with 1, 2 and 3 threads; every output must have the same bytes.
::testing::AssertionResult same_for_any_threads(KernelCase test, std::string_view kernel);
/// Why `kernel` does not run this case; empty if it does.
std::string refusal(const KernelCase& test, std::string_view kernel);

}  // namespace fovea::testing
