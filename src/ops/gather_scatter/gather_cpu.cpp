// SPDX-License-Identifier: Apache-2.0
// Gather: runs of elements copied by index ([outer][axis][inner] in memory), or, where the axis is innermost (a
// channel shuffle in channels-last), element by element.
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/axis.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

class PreparedGather : public PreparedKernel {
 public:
  std::int64_t outer = 1, extent = 1, inner = 1, count = 1;  ///< inner in elements
  std::size_t element = 4;
  bool wide_indices = true;
  int threads = 1;

  /// The indices, checked and not negative.
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(count) * sizeof(std::int64_t); }

  Status run(const Arguments& arguments) override {
    auto* indices = static_cast<std::int64_t*>(arguments.scratch);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t given = wide_indices ? static_cast<const std::int64_t*>(arguments.inputs[1])[i] : static_cast<const std::int32_t*>(arguments.inputs[1])[i];
      const std::int64_t index = given < 0 ? given + extent : given;
      if (index < 0 || index >= extent) return invalid_argument("index ", given, " is out of range for extent ", extent);
      indices[i] = index;
    }
    const auto* src = static_cast<const char*>(arguments.inputs[0]);
    auto* dst = static_cast<char*>(arguments.outputs[0]);
    const auto run_bytes = static_cast<std::int64_t>(element) * inner;
    parallel_for(useful_threads(threads, outer, count * run_bytes), outer, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t o = begin; o < end; ++o) {
        const char* from = src + o * extent * run_bytes;
        char* to = dst + o * count * run_bytes;
        if (run_bytes == 4) pick<std::uint32_t>(from, to, indices);
        else if (run_bytes == 8) pick<std::uint64_t>(from, to, indices);
        else if (run_bytes == 1) pick<std::uint8_t>(from, to, indices);
        else copy_runs(from, to, indices, run_bytes);
      }
    });
    return {};
  }

 private:
  template <class T>
  void pick(const char* from, char* to, const std::int64_t* indices) const {
    for (std::int64_t i = 0; i < count; ++i) reinterpret_cast<T*>(to)[i] = reinterpret_cast<const T*>(from)[indices[i]];
  }
  void copy_runs(const char* from, char* to, const std::int64_t* indices, std::int64_t run_bytes) const {
    for (std::int64_t i = 0; i < count; ++i) std::memcpy(to + i * run_bytes, from + indices[i] * run_bytes, static_cast<std::size_t>(run_bytes));
  }
};

class GatherKernel : public Kernel {
 public:
  std::string_view name() const override { return "gather_runs"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &indices = problem.inputs[1], &y = problem.outputs[0];
    const std::size_t size = size_of(x.type);
    if (x.type == DataType::string || size > 8) return unsupported("elements of at most 8 bytes, no strings");
    if (indices.type != DataType::i64 && indices.type != DataType::i32) return unsupported("indices of type i64 or i32");
    if (block_of(x.layout) != 1 || !x.is_dense() || !y.is_dense() || !indices.is_plain_dense()) return unsupported("dense unblocked tensors");
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors with elements");
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", 0), x.shape.rank()));
    const std::int64_t rest = x.shape.elements() / x.shape[axis];
    if (y.type != x.type || y.shape.elements() != rest * indices.shape.elements()) return unsupported("an output of one slice per index");
    if (x.is_plain_dense() && y.is_plain_dense()) return {};
    Shape expected = x.shape;
    expected[axis] = indices.shape.elements();
    if (x.layout != y.layout || indices.shape.rank() != 1 || !(expected == y.shape)) return unsupported("plain tensors, or a list of indices in one layout");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const TensorDesc& x = problem.inputs[0];
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", 0), x.shape.rank()));
    auto kernel = std::make_unique<PreparedGather>();
    kernel->extent = x.shape[axis];
    kernel->inner = x.strides[axis];
    kernel->outer = x.shape.elements() / (kernel->extent * kernel->inner);
    kernel->count = problem.inputs[1].shape.elements();
    kernel->element = size_of(x.type);
    kernel->wide_indices = problem.inputs[1].type == DataType::i64;
    kernel->threads = problem.threads;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& gather_runs() {
  static const GatherKernel kernel;
  return kernel;
}

}  // namespace fovea
