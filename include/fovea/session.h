// SPDX-License-Identifier: Apache-2.0
// Session: one execution state of an engine. Not thread-safe; make one per thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/engine.h"
#include "fovea/tensor.h"

namespace fovea {

struct SessionOptions {
  int threads = 0;               ///< 0: all cores of this process
  int max_shape_instances = 4;   ///< prepared input shapes kept (least recently used goes first)
  bool profile = false;          ///< keep time per step; see Session::profile()
};

struct StepProfile {
  std::string name, op, kernel;
  double milliseconds = 0;       ///< mean per run
  std::int64_t runs = 0;
  double flops = 0, bytes = 0;   ///< per run, from shapes
};

class Session {
 public:
  static Result<Session> create(const Engine& engine, const SessionOptions& options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Binds an input without copying: the tensor's memory is read when run() is called. Type must match; free
  /// extents take the tensor's values. Fails with InvalidArgument naming the input and what was expected.
  Status set_input(std::string_view name, const Tensor& tensor);
  /// Optional: the output is written into this memory if type and shape fit, otherwise run() fails.
  Status bind_output(std::string_view name, const Tensor& tensor);
  /// Runs the network. With the input shapes of an earlier run it allocates nothing.
  Status run();
  /// Output of the last run; valid until the next run(), set_input() with another shape, or destruction.
  Result<Tensor> output(std::string_view name) const;

  /// Bytes of the arena and of packed weights for the current input shapes; known after prepare() or run().
  std::int64_t planned_bytes() const;
  /// Prepares for the bound inputs without running.
  Status prepare();
  /// Mean times per step since creation, in execution order (profile option).
  std::vector<StepProfile> profile() const;

  struct State;

 private:
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fovea
