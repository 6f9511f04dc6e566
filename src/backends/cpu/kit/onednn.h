// SPDX-License-Identifier: Apache-2.0
// oneDNN for kernels: descriptors from ours, post-ops from activations, and a call that is bound once and run
// with new addresses. oneDNN throws while it is being set up; onednn_guard turns that into a Status.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <memory>
#include <string>
#include <vector>

#include "base/activation.h"
#include "base/check.h"
#include "base/tensor_desc.h"
#include "device/kernel.h"

namespace fovea::cpu {

/// The process's CPU engine.
dnnl::engine& onednn_engine();

/// Unsupported when oneDNN has no such type.
Result<dnnl::memory::data_type> onednn_type(DataType type);
/// The same elements in the same places; layouts plain and nhwc, any strides.
Result<dnnl::memory::desc> onednn_desc(const TensorDesc& desc);

/// Appends an activation. Unsupported when oneDNN has none that computes the same.
Status append_activation(dnnl::post_ops& into, const Activation& activation);

/// True for implementations that are slower than ours would be ("ref", "gemm").
bool is_slow_implementation(const char* implementation);

/// Which of oneDNN's implementations a kernel takes: those on the matrix unit (AMX) or the others. They are candidates beside
/// each other, because on small pictures the matrix unit is the slower one.
enum class MatrixUnit : std::uint8_t { Without, With };
bool has_matrix_unit();

/// Moves a primitive descriptor on to its first implementation of that kind, past those that are faulty. Unsupported if none is
/// left or only slow ones.
template <class PrimitiveDesc>
Status choose_implementation(PrimitiveDesc& primitive, MatrixUnit unit);

/// Runs `body`, which returns a Status or Result; an exception of oneDNN becomes Unsupported or ResourceExhausted.
template <class Body>
auto onednn_guard(const char* what, Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_out_of_memory) return resource_exhausted(what, ": oneDNN ran out of memory");
    return unsupported(what, ": oneDNN says '", error.what(), "'");
  } catch (const std::bad_alloc&) {
    return resource_exhausted(what, ": out of memory");
  }
}

/// A primitive with its arguments. Addresses may change from run to run.
class OnednnCall {
 public:
  /// An argument whose address is given at each run; returns its number for set().
  int add(int dnnl_argument, const dnnl::memory::desc& desc);
  /// An argument that is kept, for example packed weights.
  void add_constant(int dnnl_argument, dnnl::memory memory);
  /// Takes the primitive once all arguments are added.
  void finish(dnnl::primitive primitive);

  void set(int number, const void* address);
  Status run();

 private:
  struct Slot {
    dnnl::memory memory;
    const void* address = nullptr;
  };
  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<Slot> slots_;
  std::vector<int> arguments_;
  std::vector<dnnl_exec_arg_t> bound_;
};

/// A copy of `source` (described by `from`) in the form `to`, in memory of its own.
Result<dnnl::memory> onednn_pack(const void* source, const dnnl::memory::desc& from, const dnnl::memory::desc& to);

/// What choose_implementation asks of each; Ok to take it.
Status judge_implementation(const char* implementation, MatrixUnit unit);

template <class PrimitiveDesc>
Status choose_implementation(PrimitiveDesc& primitive, MatrixUnit unit) {
  Status verdict = judge_implementation(primitive.impl_info_str(), unit);
  while (!verdict.ok() && primitive.next_impl()) verdict = judge_implementation(primitive.impl_info_str(), unit);
  return verdict;
}

}  // namespace fovea::cpu
