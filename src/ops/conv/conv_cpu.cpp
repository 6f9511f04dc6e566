// SPDX-License-Identifier: Apache-2.0
// Conv, fovea::conv and ConvTranspose on oneDNN: direct and batch-reduced GEMM convolutions for every x86 ISA,
// channels-last preferred. Weights are packed once; bias, residual and activation are part of the primitive.
#include "ops/conv/conv_onednn.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kConvLayouts[] = {Layout::nhwc, Layout::plain};

/// Stored weights [groups * a, b, k...] as oneDNN's [g,] oc/g, ic/g, k... ; `transposed` swaps a and b.
dnnl::memory::desc stored_weights(const ops::ConvGeometry& g, bool transposed) {
  dnnl::memory::dims dims = {g.oc_per_group(), g.ic_per_group()};
  std::int64_t kernel = 1;
  for (const ops::WindowAxis& axis : g.axes) kernel *= axis.kernel;
  dnnl::memory::dims strides = transposed ? dnnl::memory::dims{kernel, g.oc_per_group() * kernel} : dnnl::memory::dims{g.ic_per_group() * kernel, kernel};
  for (const ops::WindowAxis& axis : g.axes) {
    dims.push_back(axis.kernel);
    kernel /= axis.kernel;
    strides.push_back(kernel);
  }
  if (g.group > 1) {
    std::int64_t per_group = g.oc_per_group() * g.ic_per_group();
    for (const ops::WindowAxis& axis : g.axes) per_group *= axis.kernel;
    dims.insert(dims.begin(), g.group);
    strides.insert(strides.begin(), per_group);
  }
  return {dims, dnnl::memory::data_type::f32, strides};
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
    FOVEA_ASSIGN(ConvSetup setup, set_up_convolution(problem, std::move(geometry)));
    setup.weights_given = stored_weights(setup.geometry, false);
    return PreparedConvolution::create(problem, setup, [&](const dnnl::primitive_attr& attributes) {
      using Forward = dnnl::convolution_forward;
      const auto kind = dnnl::prop_kind::forward_inference;
      const auto algorithm = dnnl::algorithm::convolution_direct;
      const Forward::desc desc = setup.has_bias ? Forward::desc(kind, algorithm, setup.src, setup.weights_any, setup.bias, setup.dst, setup.strides,
                                                                setup.dilations, setup.pads_begin, setup.pads_end)
                                                : Forward::desc(kind, algorithm, setup.src, setup.weights_any, setup.dst, setup.strides,
                                                                setup.dilations, setup.pads_begin, setup.pads_end);
      const Forward::primitive_desc primitive(desc, attributes, onednn_engine());
      return PreparedConvolution::Built{Forward(primitive), primitive.weights_desc(), primitive.scratchpad_desc(), primitive.impl_info_str()};
    });
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
    FOVEA_ASSIGN(ConvSetup setup, set_up_convolution(problem, std::move(geometry)));
    setup.weights_given = stored_weights(setup.geometry, true);
    return PreparedConvolution::create(problem, setup, [&](const dnnl::primitive_attr& attributes) {
      using Forward = dnnl::deconvolution_forward;
      const auto kind = dnnl::prop_kind::forward_inference;
      const auto algorithm = dnnl::algorithm::deconvolution_direct;
      const Forward::desc desc = setup.has_bias ? Forward::desc(kind, algorithm, setup.src, setup.weights_any, setup.bias, setup.dst, setup.strides,
                                                                setup.dilations, setup.pads_begin, setup.pads_end)
                                                : Forward::desc(kind, algorithm, setup.src, setup.weights_any, setup.dst, setup.strides,
                                                                setup.dilations, setup.pads_begin, setup.pads_end);
      const Forward::primitive_desc primitive(desc, attributes, onednn_engine());
      return PreparedConvolution::Built{Forward(primitive), primitive.weights_desc(), primitive.scratchpad_desc(), primitive.impl_info_str()};
    });
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
