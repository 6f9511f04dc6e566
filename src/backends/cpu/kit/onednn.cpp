// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/kit/onednn.h"

#include <cmath>
#include <cstring>
#include <string_view>

namespace fovea::cpu {

dnnl::engine& onednn_engine() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

Result<dnnl::memory::data_type> onednn_type(DataType type) {
  switch (type) {
    case DataType::f32: return dnnl::memory::data_type::f32;
    case DataType::bf16: return dnnl::memory::data_type::bf16;
    case DataType::i32: return dnnl::memory::data_type::s32;
    case DataType::i8: return dnnl::memory::data_type::s8;
    case DataType::u8: return dnnl::memory::data_type::u8;
    default: return unsupported("oneDNN has no type ", name(type));
  }
}

Result<dnnl::memory::desc> onednn_desc(const TensorDesc& desc) {
  FOVEA_ASSIGN(const auto type, onednn_type(desc.type));
  if (block_of(desc.layout) != 1) return unsupported("layout ", name(desc.layout), " with oneDNN");
  const int rank = desc.shape.rank();
  if (rank == 0) return dnnl::memory::desc({1}, type, dnnl::memory::dims{1});
  return dnnl::memory::desc(desc.shape.to_vector(), type, desc.strides.to_vector());
}

Status append_activation(dnnl::post_ops& into, const Activation& a) {
  using dnnl::algorithm;
  switch (a.kind) {
    case ActivationKind::None: return {};
    case ActivationKind::Relu: into.append_eltwise(1, algorithm::eltwise_relu, 0, 0); return {};
    case ActivationKind::Clip:
      if (std::isinf(a.alpha) && std::isinf(a.beta)) return {};
      if (a.alpha > a.beta) return unsupported("clip with alpha > beta");
      into.append_eltwise(1, algorithm::eltwise_clip, std::fmax(a.alpha, -3.4028234e38f), std::fmin(a.beta, 3.4028234e38f));
      return {};
    case ActivationKind::LeakyRelu: into.append_eltwise(1, algorithm::eltwise_relu, a.alpha, 0); return {};
    case ActivationKind::Sigmoid: into.append_eltwise(1, algorithm::eltwise_logistic, 0, 0); return {};
    case ActivationKind::Silu: into.append_eltwise(1, algorithm::eltwise_swish, a.alpha, 0); return {};
    case ActivationKind::HardSigmoid:
      into.append_eltwise(1, algorithm::eltwise_linear, a.alpha, a.beta);
      into.append_eltwise(1, algorithm::eltwise_clip, 0, 1);
      return {};
    case ActivationKind::HardSwish:
      // oneDNN's form is fixed to x * clip(x + 3, 0, 6) / 6.
      if (std::fabs(a.alpha - 1.0f / 6) > 1e-6f || std::fabs(a.beta - 0.5f) > 1e-6f) return unsupported("hardswish with other parameters than 1/6 and 0.5");
      into.append_eltwise(1, algorithm::eltwise_hardswish, 0, 0);
      return {};
    case ActivationKind::Tanh: into.append_eltwise(1, algorithm::eltwise_tanh, 0, 0); return {};
    case ActivationKind::Gelu: into.append_eltwise(1, algorithm::eltwise_gelu_erf, 0, 0); return {};
    case ActivationKind::GeluTanh: into.append_eltwise(1, algorithm::eltwise_gelu_tanh, 0, 0); return {};
    case ActivationKind::Elu: into.append_eltwise(1, algorithm::eltwise_elu, a.alpha, 0); return {};
    case ActivationKind::Mish: into.append_eltwise(1, algorithm::eltwise_mish, 0, 0); return {};
    case ActivationKind::Softplus: into.append_eltwise(1, algorithm::eltwise_soft_relu, 0, 0); return {};
  }
  return unsupported("unknown activation");
}

bool is_slow_implementation(const char* implementation) {
  const std::string_view text = implementation;
  return text.find("ref") != std::string_view::npos || text.find("gemm") != std::string_view::npos;
}

bool has_matrix_unit() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  return isa == dnnl::cpu_isa::avx512_core_amx;
}

Status judge_implementation(const char* implementation, MatrixUnit unit) {
  const std::string_view text = implementation;
  const bool amx = text.find("amx") != std::string_view::npos;
  // oneDNN 2.6 stores whole tiles where the picture ends inside one, behind the destination (128 channels of 6x6, say).
  if (text.starts_with("jit_1x1:avx512_core_amx")) return unsupported("oneDNN's '", text, "' writes behind its output");
  if (amx != (unit == MatrixUnit::With)) return unsupported("'", text, "' is another candidate");
  if (is_slow_implementation(implementation)) return unsupported("oneDNN has only '", text, "' for it");
  return {};
}

int OnednnCall::add(int dnnl_argument, const dnnl::memory::desc& desc) {
  slots_.push_back({dnnl::memory(desc, onednn_engine(), nullptr), nullptr});
  arguments_.push_back(dnnl_argument);
  return static_cast<int>(slots_.size()) - 1;
}

void OnednnCall::add_constant(int dnnl_argument, dnnl::memory memory) {
  slots_.push_back({std::move(memory), nullptr});
  arguments_.push_back(dnnl_argument);
}

void OnednnCall::finish(dnnl::primitive primitive) {
  primitive_ = std::move(primitive);
  stream_ = dnnl::stream(onednn_engine());
  bound_.clear();
  for (std::size_t i = 0; i < slots_.size(); ++i) bound_.push_back({arguments_[i], slots_[i].memory.get()});
}

void OnednnCall::set(int number, const void* address) {
  Slot& slot = slots_[static_cast<std::size_t>(number)];
  if (slot.address == address) return;
  slot.address = address;
  dnnl_memory_set_data_handle(slot.memory.get(), const_cast<void*>(address));
}

Status OnednnCall::run() {
  const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(bound_.size()), bound_.data());
  if (status != dnnl_success) return internal_error("oneDNN primitive failed with status ", static_cast<int>(status));
  return {};
}

Result<dnnl::memory> onednn_pack(const void* source, const dnnl::memory::desc& from, const dnnl::memory::desc& to) {
  return onednn_guard("packing weights", [&]() -> Result<dnnl::memory> {
    dnnl::memory original(from, onednn_engine(), const_cast<void*>(source));
    dnnl::memory packed(to, onednn_engine());
    dnnl::stream stream(onednn_engine());
    dnnl::reorder(original, packed).execute(stream, original, packed);
    stream.wait();
    return packed;
  });
}

}  // namespace fovea::cpu
