// SPDX-License-Identifier: Apache-2.0
#include "support/kernel_test.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/layout_copy.h"
#include "compiler/judge.h"
#include "ops/fused/pointwise_program.h"

namespace fovea::testing {

namespace {

constexpr std::size_t kGuard = 256;
constexpr unsigned char kCanary = 0xa5;

/// A tensor in its layout, perhaps inside a larger one, with guard bytes around.
struct Placed {
  TensorDesc desc;
  std::vector<unsigned char> memory;
  std::size_t offset = 0;

  unsigned char* data() { return memory.data() + offset; }
};

bool contains(const std::vector<int>& list, int i) { return std::find(list.begin(), list.end(), i) != list.end(); }

Placed place(DataType type, const Shape& shape, Layout layout, bool sliced) {
  Placed placed;
  const bool shaped = shape.rank() >= 3;
  placed.desc = TensorDesc::dense(type, shape, shaped ? layout : Layout::plain);
  std::size_t inner = 0;
  if (sliced && shape.rank() >= 2) {
    // Channels 3 .. 3 + c of a tensor with c + 5 channels.
    Shape larger = shape;
    larger[1] += 5;
    const TensorDesc whole = TensorDesc::dense(type, larger, placed.desc.layout);
    placed.desc.strides = whole.strides;
    inner = static_cast<std::size_t>(3 * whole.strides[1]) * size_of(type);
    placed.memory.assign(whole.bytes() + 3 * kGuard, kCanary);
  } else {
    placed.memory.assign(placed.desc.bytes() + 3 * kGuard, kCanary);
  }
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(placed.memory.data()) % 64;
  placed.offset = kGuard + (64 - misaligned) % 64 + inner;
  return placed;
}

struct Setup {
  std::vector<Placed> inputs, outputs;
  std::vector<Placed> wanted;  // the reference's outputs, placed like the kernel's
  std::vector<TensorDesc> input_descs, output_descs;
  std::vector<Tensor> constants;
  std::vector<Tensor> expected;
};

Result<Setup> set_up(const KernelCase& test) {
  Setup setup;
  std::vector<Datum> inputs;
  for (const Tensor& input : test.inputs) inputs.emplace_back(input);
  std::vector<Datum> outputs(static_cast<std::size_t>(test.num_outputs));
  const auto reference = ops::find_reference(test.op);
  if (!reference) return not_found("no reference for ", test.op);
  ops::KernelContext context(test.op, test.attributes, inputs, outputs);
  FOVEA_RETURN_IF_ERROR(reference(context));
  for (std::size_t i = 0; i < test.inputs.size(); ++i) {
    const Tensor& input = test.inputs[i];
    const bool constant = contains(test.constants, static_cast<int>(i));
    setup.constants.push_back(constant ? input : Tensor());
    if (!input.defined()) {
      setup.inputs.emplace_back();
      setup.input_descs.emplace_back();
      continue;
    }
    const Layout layout = constant ? Layout::plain : test.input_layouts.empty() ? test.layout : test.input_layouts[i];
    Placed placed = place(input.type(), input.shape(), layout, contains(test.sliced_inputs, static_cast<int>(i)));
    FOVEA_RETURN_IF_ERROR(copy_layout(TensorDesc::dense(input.type(), input.shape()), input.raw(), placed.desc, placed.data()));
    setup.input_descs.push_back(placed.desc);
    setup.inputs.push_back(std::move(placed));
  }
  for (const Datum& output : outputs) {
    setup.expected.push_back(output.tensor);
    setup.outputs.push_back(place(output.tensor.type(), output.tensor.shape(), test.layout, test.sliced_output));
    setup.output_descs.push_back(setup.outputs.back().desc);
    setup.wanted.push_back(place(output.tensor.type(), output.tensor.shape(), test.layout, test.sliced_output));
    FOVEA_RETURN_IF_ERROR(copy_layout(TensorDesc::dense(output.tensor.type(), output.tensor.shape()), output.tensor.raw(), setup.wanted.back().desc, setup.wanted.back().data()));
  }
  return setup;
}

Problem problem_of(const KernelCase& test, const Setup& setup) {
  return {test.op, test.attributes, setup.input_descs, setup.output_descs, setup.constants, test.threads};
}

::testing::AssertionResult passes_for_reference(const KernelCase& test, Setup& setup, std::size_t o) {
  const auto input = [&](int i) -> Result<Tensor> { return test.inputs[static_cast<std::size_t>(i)]; };
  const auto verdict = compiler::judge(problem_of(test, setup), input, static_cast<int>(o), setup.outputs[o].data(), setup.wanted[o].data());
  if (!verdict.ok()) return ::testing::AssertionFailure() << verdict.status().message();
  return verdict->status.ok() ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << verdict->status.message();
}

/// Every byte that is no element of the tensor must still be the canary.
bool only_elements_written(Placed& placed) {
  std::vector<unsigned char> touched(placed.memory.size(), 0);
  const std::size_t size = size_of(placed.desc.type);
  const Shape& shape = placed.desc.shape;
  for (std::int64_t e = 0; e < shape.elements(); ++e) {
    std::int64_t rest = e, at = 0;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      at += rest % shape[axis] * placed.desc.strides[axis];
      rest /= shape[axis];
    }
    std::fill_n(touched.begin() + static_cast<std::ptrdiff_t>(placed.offset + static_cast<std::size_t>(at) * size), size, 1);
  }
  for (std::size_t i = 0; i < touched.size(); ++i) {
    if (!touched[i] && placed.memory[i] != kCanary) return false;
  }
  return true;
}

/// A prepared kernel with the memory it works in.
struct Bench {
  std::unique_ptr<PreparedKernel> prepared;
  std::vector<unsigned char> scratch;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;

  Status run() {
    void* aligned = scratch.data() + (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64) % 64;
    return prepared->run({inputs.data(), outputs.data(), aligned});
  }
};

Result<Bench> prepare(const KernelCase& test, Setup& setup, const Kernel& kernel) {
  Bench bench;
  FOVEA_ASSIGN(bench.prepared, kernel.prepare(problem_of(test, setup)));
  bench.scratch.resize(bench.prepared->scratch_bytes() + 64);
  for (std::size_t i = 0; i < setup.inputs.size(); ++i) bench.inputs.push_back(test.inputs[i].defined() ? setup.inputs[i].data() : nullptr);
  for (Placed& output : setup.outputs) {
    std::fill(output.memory.begin(), output.memory.end(), kCanary);
    bench.outputs.push_back(output.data());
  }
  return bench;
}

Result<Tensor> output_of(Setup& setup, std::size_t i) {
  FOVEA_ASSIGN(Tensor actual, Tensor::allocate(setup.expected[i].type(), setup.expected[i].shape()));
  FOVEA_RETURN_IF_ERROR(copy_layout(setup.outputs[i].desc, setup.outputs[i].data(), TensorDesc::dense(actual.type(), actual.shape()), actual.raw()));
  return actual;
}

::testing::AssertionResult run(const KernelCase& test, Setup& setup, const Kernel& kernel) {
  auto bench = prepare(test, setup, kernel);
  if (!bench.ok()) return ::testing::AssertionFailure() << kernel.name() << ": " << bench.status().message();
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (Placed& output : setup.outputs) std::fill(output.memory.begin(), output.memory.end(), kCanary);
    const Status status = bench->run();
    if (!status.ok()) return ::testing::AssertionFailure() << kernel.name() << ": " << status.message();
    for (std::size_t i = 0; i < setup.outputs.size(); ++i) {
      const auto same = passes_for_reference(test, setup, i);
      if (!same) return ::testing::AssertionFailure() << kernel.name() << ", output " << i << ": " << same.message();
      if (!only_elements_written(setup.outputs[i])) return ::testing::AssertionFailure() << kernel.name() << " writes outside output " << i;
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace

::testing::AssertionResult agrees(const KernelCase& test, std::string_view wanted) {
  auto setup = set_up(test);
  if (!setup.ok()) return ::testing::AssertionFailure() << "reference: " << setup.status().message();
  std::string refusals;
  for (const Kernel* kernel : kernels_of("cpu", test.op)) {
    if (!wanted.empty() && kernel->name() != wanted) continue;
    const Status status = kernel->can_run(problem_of(test, *setup));
    if (status.ok()) return run(test, *setup, *kernel);
    refusals += std::string(kernel->name()) + ": " + status.message() + "; ";
  }
  return ::testing::AssertionFailure() << "no kernel can run this: " << refusals;
}

::testing::AssertionResult same_for_any_threads(KernelCase test, std::string_view name) {
  const Kernel* kernel = find_kernel("cpu", test.op, name);
  if (!kernel) return ::testing::AssertionFailure() << "no kernel " << name;
  std::vector<Tensor> first;
  for (const int threads : {1, 2, 3}) {
    test.threads = threads;
    auto setup = set_up(test);
    if (!setup.ok()) return ::testing::AssertionFailure() << "reference: " << setup.status().message();
    const Status can_run = kernel->can_run(problem_of(test, *setup));
    if (!can_run.ok()) return ::testing::AssertionFailure() << name << ": " << can_run.message();
    auto bench = prepare(test, *setup, *kernel);
    const Status ran = bench.ok() ? bench->run() : bench.status();
    if (!ran.ok()) return ::testing::AssertionFailure() << name << ": " << ran.message();
    for (std::size_t i = 0; i < setup->outputs.size(); ++i) {
      const Tensor actual = output_of(*setup, i).value();
      if (threads == 1) first.push_back(actual);
      if (std::memcmp(actual.raw(), first[i].raw(), actual.bytes()) != 0) {
        return ::testing::AssertionFailure() << name << ": output " << i << " with " << threads << " threads differs from that with one";
      }
    }
  }
  return ::testing::AssertionSuccess();
}

std::string refusal(const KernelCase& test, std::string_view kernel) {
  auto setup = set_up(test);
  if (!setup.ok()) return setup.status().message();
  const Kernel* found = find_kernel("cpu", test.op, kernel);
  if (!found) return "no such kernel";
  const Status status = found->can_run(problem_of(test, *setup));
  return std::string(status.ok() ? found->prepare(problem_of(test, *setup)).status().message() : status.message());
}

}  // namespace fovea::testing
