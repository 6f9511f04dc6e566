// SPDX-License-Identifier: Apache-2.0
// What Conv, fovea::conv, ConvTranspose and QLinearConv share when oneDNN computes them.
#pragma once

#include "backends/cpu/kit/onednn.h"
#include "ops/conv/conv_params.h"

#include <functional>
#include <memory>
#include <string>
#include <type_traits>

namespace fovea::cpu {

/// The problem in oneDNN's words. Spatial vectors have one entry per spatial axis.
struct ConvSetup {
  ops::ConvGeometry geometry;
  dnnl::memory::desc src, weights_any, weights_given, bias, dst;
  dnnl::memory::dims strides, dilations, pads_begin, pads_end;
  bool has_bias = false;
  Residual residual = Residual::None;
  Activation activation;
};

/// Stored weights: [groups * oc, ic, k...], or of a transposed convolution [groups * ic, oc, k...].
enum class StoredWeights : std::uint8_t { OutputFirst, InputFirst };

/// Windows and weights of a geometry.
ConvSetup describe_windows(ops::ConvGeometry geometry, dnnl::memory::data_type weights, StoredWeights stored);
/// Refusals that hold for every convolution in f32: types, layouts, strides of views.
Status check_convolution(const Problem& problem);
/// All of a convolution in f32.
Result<ConvSetup> set_up_convolution(const Problem& problem, ops::ConvGeometry geometry, StoredWeights stored);

/// The operation in oneDNN's words; it must outlive a primitive descriptor that still looks for implementations. `Forward` is
/// dnnl::convolution_forward or dnnl::deconvolution_forward.
template <class Forward>
typename Forward::desc describe_operation(const ConvSetup& s) {
  constexpr bool transposed = std::is_same_v<Forward, dnnl::deconvolution_forward>;
  const auto algorithm = transposed ? dnnl::algorithm::deconvolution_direct : dnnl::algorithm::convolution_direct;
  const auto kind = dnnl::prop_kind::forward_inference;
  if (!s.has_bias) return {kind, algorithm, s.src, s.weights_any, s.dst, s.strides, s.dilations, s.pads_begin, s.pads_end};
  return {kind, algorithm, s.src, s.weights_any, s.bias, s.dst, s.strides, s.dilations, s.pads_begin, s.pads_end};
}

/// A convolution-like primitive bound to the arguments X, W, B, R -> Y of a problem.
class PreparedConvolution : public PreparedKernel {
 public:
  /// `make` builds the primitive for given post-ops; it is called until one way to add the residual is fast.
  struct Built {
    dnnl::primitive primitive;
    dnnl::memory::desc weights, scratchpad;
    std::string implementation;
  };
  using Make = std::function<Built(const dnnl::primitive_attr&)>;
  static Result<std::unique_ptr<PreparedKernel>> create(const Problem& problem, const ConvSetup& setup, const Make& make);

  std::size_t scratch_bytes() const override { return scratch_bytes_; }
  Status run(const Arguments& arguments) override;

 private:
  OnednnCall call_;
  OnednnCall repack_;                   // of weights that are no constant, at each run
  int src_ = -1, weights_ = -1, bias_ = -1, dst_ = -1, addend_ = -1, scratchpad_ = -1;
  int repack_from_ = -1, repack_to_ = -1;
  std::size_t scratch_bytes_ = 0, packed_offset_ = 0;
  std::size_t copy_residual_bytes_ = 0;  // the sum post-op adds to what stands in dst
  int threads_ = 1;
};

}  // namespace fovea::cpu
