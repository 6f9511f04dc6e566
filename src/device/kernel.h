// SPDX-License-Identifier: Apache-2.0
// Kernel = can_run + prepare + run: the contract between operators and devices. A kernel sees plain
// structs (attributes, descriptors), never the IR, so the runtime library carries it without the compiler.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/attributes.h"
#include "base/check.h"
#include "base/tensor_desc.h"

namespace fovea {

/// One concrete piece of work: shapes, layouts and constants are known.
struct Problem {
  std::string_view op;
  const Attributes& attributes;
  std::span<const TensorDesc> inputs;    ///< type undefined for a missing optional input
  std::span<const TensorDesc> outputs;
  std::span<const Tensor> constants;     ///< per input: the tensor if it is constant, else undefined
  int threads = 1;

  bool has_input(int i) const {
    return i < static_cast<int>(inputs.size()) && inputs[static_cast<std::size_t>(i)].type != DataType::undefined;
  }
  bool is_constant(int i) const {
    return i < static_cast<int>(constants.size()) && constants[static_cast<std::size_t>(i)].defined();
  }
};

/// Addresses for one run, in the order of the problem's inputs and outputs; null for missing ones.
struct Arguments {
  const void* const* inputs = nullptr;
  void* const* outputs = nullptr;
  void* scratch = nullptr;  ///< scratch_bytes() bytes, 64-byte aligned, contents arbitrary
};

/// A kernel made ready for one problem: weights packed, primitives built. Not thread-safe.
class PreparedKernel {
 public:
  virtual ~PreparedKernel() = default;
  virtual std::size_t scratch_bytes() const { return 0; }
  /// Allocates nothing, takes no locks, throws nothing.
  virtual Status run(const Arguments& arguments) = 0;
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  /// "onednn_conv", "reference": unique per device and operator; stored in engines.
  virtual std::string_view name() const = 0;
  /// Why not, in one sentence; the first failed check. Must be cheap.
  virtual Status can_run(const Problem& problem) const = 0;
  virtual Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const = 0;
  /// Layouts this kernel works in for the problem's operator, best first (all tensors of rank >= 3 share it).
  virtual std::span<const Layout> layouts() const {
    static constexpr Layout kPlain[] = {Layout::plain};
    return kPlain;
  }
  /// Output `o` may overwrite input `i` when that input dies here (same descriptor).
  virtual bool may_run_in_place(int input, int output) const { return static_cast<void>(input), static_cast<void>(output), false; }
};

}  // namespace fovea
