// SPDX-License-Identifier: Apache-2.0
// Conv, fovea::conv and ConvTranspose on oneDNN: direct and batch-reduced GEMM convolutions for every x86 ISA,
// channels-last preferred. Weights are packed once; bias, residual and activation are part of the primitive.
#include "ops/conv/conv_onednn.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kConvLayouts[] = {Layout::nhwc, Layout::plain};

/// The primitive of a set-up, with the post-ops that are tried.
template <class Forward>
Result<std::unique_ptr<PreparedKernel>> prepare_primitive(const Problem& problem, const ConvSetup& setup) {
  return PreparedConvolution::create(problem, setup, [&](const dnnl::primitive_attr& attributes) {
    const auto operation = describe_operation<Forward>(setup);
    const typename Forward::primitive_desc primitive(operation, attributes, onednn_engine());
    return PreparedConvolution::Built{Forward(primitive), primitive.weights_desc(), primitive.scratchpad_desc(), primitive.impl_info_str()};
  });
}

class OnednnConv : public Kernel {
 public:
  std::string_view name() const override { return "onednn_conv"; }
  std::span<const Layout> layouts() const override { return kConvLayouts; }
  bool may_run_in_place(int input, int output) const override { return input == 3 && output == 0; }
  Status can_run(const Problem& problem) const override { return check_convolution(problem); }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const Shape &x = problem.inputs[0].shape, &w = problem.inputs[1].shape;
    FOVEA_ASSIGN(const auto params, ops::ConvParams::parse(problem.attributes, x.rank()));
    FOVEA_ASSIGN(ops::ConvGeometry geometry, params.resolve(x, w));
    FOVEA_ASSIGN(const ConvSetup setup, set_up_convolution(problem, std::move(geometry), StoredWeights::OutputFirst));
    return prepare_primitive<dnnl::convolution_forward>(problem, setup);
  }
};

class OnednnConvTranspose : public Kernel {
 public:
  std::string_view name() const override { return "onednn_conv_transpose"; }
  std::span<const Layout> layouts() const override { return kConvLayouts; }
  Status can_run(const Problem& problem) const override { return check_convolution(problem); }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const Shape &x = problem.inputs[0].shape, &w = problem.inputs[1].shape;
    FOVEA_ASSIGN(const auto params, ops::ConvTransposeParams::parse(problem.attributes, x.rank()));
    FOVEA_ASSIGN(ops::ConvGeometry geometry, params.resolve(x, w));
    // oneDNN wants the pads that make its extent formula hold; they differ from ONNX's by output_padding.
    for (ops::WindowAxis& axis : geometry.axes) axis.pad_end = (axis.input - 1) * axis.stride + axis.span() - axis.output - axis.pad_begin;
    FOVEA_ASSIGN(const ConvSetup setup, set_up_convolution(problem, std::move(geometry), StoredWeights::InputFirst));
    return prepare_primitive<dnnl::deconvolution_forward>(problem, setup);
  }
};

}  // namespace

const Kernel& onednn_conv() {
  static const OnednnConv kernel;
  return kernel;
}

const Kernel& onednn_conv_transpose() {
  static const OnednnConvTranspose kernel;
  return kernel;
}

}  // namespace fovea
