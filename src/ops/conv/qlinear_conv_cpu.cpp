// SPDX-License-Identifier: Apache-2.0
// QLinearConv on oneDNN: 8-bit inputs and weights, exact i32 sums, scaled, rounded to even and saturated in the
// primitive. Weights are packed once.
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "ops/conv/conv_onednn.h"

namespace fovea {

namespace {

using namespace cpu;

/// Inputs of QLinearConv.
enum Input { kX, kXScale, kXZero, kW, kWScale, kWZero, kYScale, kYZero, kBias };

Status constant_scalar(const Problem& problem, int i, const char* what) {
  if (!problem.is_constant(i) || problem.constants[static_cast<std::size_t>(i)].elements() != 1) return unsupported(what, " must be one constant");
  return {};
}

std::int32_t byte_at(const Tensor& tensor, std::int64_t i) {
  return tensor.type() == DataType::i8 ? tensor.data<std::int8_t>()[i] : tensor.data<std::uint8_t>()[i];
}

Status check(const Problem& problem) {
  const TensorDesc &x = problem.inputs[kX], &y = problem.outputs[0];
  if (x.shape.rank() < 3 || x.shape.rank() > 5) return unsupported("one to three spatial axes, found rank ", x.shape.rank());
  if (x.layout != y.layout || block_of(x.layout) != 1) return unsupported("input and output share the layout plain or nhwc");
  if (!x.is_dense() || !y.is_dense()) return unsupported("input and output are dense, not slices of larger tensors");
  if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors without elements");
  FOVEA_RETURN_IF_ERROR(constant_scalar(problem, kXScale, "x_scale"));
  FOVEA_RETURN_IF_ERROR(constant_scalar(problem, kXZero, "x_zero_point"));
  FOVEA_RETURN_IF_ERROR(constant_scalar(problem, kYScale, "y_scale"));
  FOVEA_RETURN_IF_ERROR(constant_scalar(problem, kYZero, "y_zero_point"));
  if (!problem.is_constant(kW) || problem.inputs[kW].type != DataType::i8) return unsupported("weights must be constant i8");
  if (!problem.is_constant(kWScale) || !problem.is_constant(kWZero)) return unsupported("scales of weights must be constant");
  const Tensor& zero = problem.constants[kWZero];
  for (std::int64_t i = 0; i < zero.elements(); ++i) {
    if (byte_at(zero, i) != 0) return unsupported("zero points of weights must be 0");
  }
  if (problem.has_input(kBias) && !problem.is_constant(kBias)) return unsupported("the bias must be constant");
  return {};
}

class PreparedQuantizedConv : public PreparedKernel {
 public:
  static Result<std::unique_ptr<PreparedKernel>> create(const Problem& problem, MatrixUnit unit) {
    return onednn_guard("QLinearConv", [&]() -> Result<std::unique_ptr<PreparedKernel>> {
      const ThreadCountScope scope(problem.threads);
      const Tensor& weights = problem.constants[kW];
      FOVEA_ASSIGN(const auto params, ops::ConvParams::parse(problem.attributes, problem.inputs[kX].shape.rank()));
      FOVEA_ASSIGN(ops::ConvGeometry geometry, params.resolve(problem.inputs[kX].shape, weights.shape()));
      using Type = dnnl::memory::data_type;
      ConvSetup setup = describe_windows(std::move(geometry), Type::s8, StoredWeights::OutputFirst);
      FOVEA_ASSIGN(setup.src, onednn_desc(problem.inputs[kX]));
      FOVEA_ASSIGN(setup.dst, onednn_desc(problem.outputs[0]));
      setup.has_bias = problem.has_input(kBias);
      if (setup.has_bias) setup.bias = dnnl::memory::desc({setup.geometry.oc}, Type::s32, dnnl::memory::format_tag::a);

      // y = round((sum + bias) * sx * sw / sy) + zy
      const float x_scale = problem.constants[kXScale].data<float>()[0], y_scale = problem.constants[kYScale].data<float>()[0];
      std::vector<float> scales;
      for (const float w_scale : problem.constants[kWScale].values<float>()) scales.push_back(x_scale * w_scale / y_scale);
      dnnl::primitive_attr attributes;
      attributes.set_output_scales(scales.size() == 1 ? 0 : 1 << 1, scales);
      const std::int32_t x_zero = byte_at(problem.constants[kXZero], 0), y_zero = byte_at(problem.constants[kYZero], 0);
      if (x_zero != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {x_zero});
      if (y_zero != 0) {
        // oneDNN adds the zero point before it rounds: then the sum is rounded to f32 first, and values next to a tie fall
        // to the other side. One such value in a layer can change half of a deep network's outputs.
        dnnl::post_ops round_first;
        round_first.append_eltwise(1, dnnl::algorithm::eltwise_round, 0, 0);
        attributes.set_post_ops(round_first);
        attributes.set_zero_points(DNNL_ARG_DST, 0, {y_zero});
      }
      attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);

      using Forward = dnnl::convolution_forward;
      const Forward::desc operation = describe_operation<Forward>(setup);
      Forward::primitive_desc primitive(operation, attributes, onednn_engine());
      FOVEA_RETURN_IF_ERROR(choose_implementation(primitive, unit));

      auto kernel = std::make_unique<PreparedQuantizedConv>();
      kernel->src_ = kernel->call_.add(DNNL_ARG_SRC, setup.src);
      kernel->dst_ = kernel->call_.add(DNNL_ARG_DST, setup.dst);
      kernel->scratchpad_ = kernel->call_.add(DNNL_ARG_SCRATCHPAD, primitive.scratchpad_desc());
      kernel->scratch_bytes_ = primitive.scratchpad_desc().get_size();
      FOVEA_ASSIGN(dnnl::memory packed, onednn_pack(weights.raw(), setup.weights_given, primitive.weights_desc()));
      kernel->call_.add_constant(DNNL_ARG_WEIGHTS, std::move(packed));
      if (setup.has_bias) {
        FOVEA_ASSIGN(dnnl::memory copied, onednn_pack(problem.constants[kBias].raw(), setup.bias, setup.bias));
        kernel->call_.add_constant(DNNL_ARG_BIAS, std::move(copied));
      }
      kernel->call_.finish(Forward(primitive));
      return std::unique_ptr<PreparedKernel>(std::move(kernel));
    });
  }

  std::size_t scratch_bytes() const override { return scratch_bytes_; }
  Status run(const Arguments& arguments) override {
    call_.set(src_, arguments.inputs[kX]);
    call_.set(dst_, arguments.outputs[0]);
    call_.set(scratchpad_, arguments.scratch);
    return call_.run();
  }

 private:
  OnednnCall call_;
  int src_ = -1, dst_ = -1, scratchpad_ = -1;
  std::size_t scratch_bytes_ = 0;
};

class OnednnQuantizedConv : public Kernel {
 public:
  explicit OnednnQuantizedConv(MatrixUnit unit) : unit_(unit) {}

  std::string_view name() const override { return unit_ == MatrixUnit::With ? "onednn_qlinear_conv_amx" : "onednn_qlinear_conv"; }
  std::span<const Layout> layouts() const override {
    static constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};
    return kLayouts;
  }
  Status can_run(const Problem& problem) const override {
    if (unit_ == MatrixUnit::With && !has_matrix_unit()) return unsupported("this machine has no matrix unit (AMX)");
    return check(problem);
  }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override { return PreparedQuantizedConv::create(problem, unit_); }

 private:
  MatrixUnit unit_;
};

}  // namespace

const Kernel& onednn_qlinear_conv() {
  static const OnednnQuantizedConv kernel(MatrixUnit::Without);
  return kernel;
}

const Kernel& onednn_qlinear_conv_amx() {
  static const OnednnQuantizedConv kernel(MatrixUnit::With);
  return kernel;
}

}  // namespace fovea
