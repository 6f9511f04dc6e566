// SPDX-License-Identifier: Apache-2.0
#include "ops/conv/conv_onednn.h"

#include <cstring>

#include "backends/cpu/kit/threads.h"

namespace fovea::cpu {

namespace {

constexpr std::size_t kAlignment = 64;
std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// How the residual enters: `sum` adds to what stands in dst and is fastest, `binary` reads a second tensor.
enum class AddBy : std::uint8_t { None, Sum, Binary };

Result<dnnl::primitive_attr> attributes_of(const ConvSetup& setup, AddBy add) {
  dnnl::post_ops post_ops;
  const auto append_residual = [&] {
    if (add == AddBy::Sum) post_ops.append_sum(1);
    if (add == AddBy::Binary) post_ops.append_binary(dnnl::algorithm::binary_add, setup.dst);
  };
  if (setup.residual == Residual::Before) append_residual();
  FOVEA_RETURN_IF_ERROR(append_activation(post_ops, setup.activation));
  if (setup.residual == Residual::After) append_residual();
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post_ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

int residual_position(const ConvSetup& setup, const dnnl::primitive_attr& attributes) {
  return setup.residual == Residual::Before ? 0 : attributes.get_post_ops().len() - 1;
}

}  // namespace

Status check_convolution(const Problem& problem) {
  const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1], &y = problem.outputs[0];
  if (x.type != DataType::f32) return unsupported("computes in f32, found ", name(x.type));
  if (x.shape.rank() < 3 || x.shape.rank() > 5) return unsupported("one to three spatial axes, found rank ", x.shape.rank());
  if (x.layout != y.layout || block_of(x.layout) != 1) return unsupported("input and output share the layout plain or nhwc");
  if (!x.is_dense() || !y.is_dense()) return unsupported("input and output are dense, not slices of larger tensors");
  if (!w.is_plain_dense()) return unsupported("weights are plain and dense");
  if (problem.has_input(3) && !(problem.inputs[3] == y)) return unsupported("the residual has the output's layout");
  if (x.shape.elements() == 0 || y.shape.elements() == 0 || w.shape.elements() == 0) return unsupported("tensors without elements");
  for (const TensorDesc& input : problem.inputs) {
    if (input.type != DataType::undefined && input.type != x.type) return unsupported("inputs of one type");
  }
  return {};
}

ConvSetup describe_windows(ops::ConvGeometry g, dnnl::memory::data_type type, StoredWeights stored) {
  ConvSetup setup;
  dnnl::memory::dims dims = {g.oc_per_group(), g.ic_per_group()};
  std::int64_t kernel = 1;
  for (const ops::WindowAxis& axis : g.axes) kernel *= axis.kernel;
  const std::int64_t per_group = g.oc_per_group() * g.ic_per_group() * kernel;
  dnnl::memory::dims strides = stored == StoredWeights::InputFirst ? dnnl::memory::dims{kernel, g.oc_per_group() * kernel}
                                                                   : dnnl::memory::dims{g.ic_per_group() * kernel, kernel};
  for (const ops::WindowAxis& axis : g.axes) {
    setup.strides.push_back(axis.stride);
    setup.dilations.push_back(axis.dilation - 1);
    setup.pads_begin.push_back(axis.pad_begin);
    setup.pads_end.push_back(axis.pad_end);
    dims.push_back(axis.kernel);
    kernel /= axis.kernel;
    strides.push_back(kernel);
  }
  if (g.group > 1) {
    dims.insert(dims.begin(), g.group);
    strides.insert(strides.begin(), per_group);
  }
  setup.weights_any = dnnl::memory::desc(dims, type, dnnl::memory::format_tag::any);
  setup.weights_given = dnnl::memory::desc(dims, type, strides);
  setup.geometry = std::move(g);
  return setup;
}

Result<ConvSetup> set_up_convolution(const Problem& problem, ops::ConvGeometry geometry, StoredWeights stored) {
  if (!(geometry.output_shape() == problem.outputs[0].shape)) return unsupported("an output of shape ", geometry.output_shape().to_string());
  if (problem.has_input(2) && (problem.inputs[2].shape.elements() != geometry.oc || !problem.inputs[2].is_plain_dense())) return unsupported("one bias per output channel");
  ConvSetup setup = describe_windows(std::move(geometry), dnnl::memory::data_type::f32, stored);
  FOVEA_ASSIGN(setup.src, onednn_desc(problem.inputs[0]));
  FOVEA_ASSIGN(setup.dst, onednn_desc(problem.outputs[0]));
  setup.has_bias = problem.has_input(2);
  if (setup.has_bias) setup.bias = dnnl::memory::desc({setup.geometry.oc}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
  setup.activation = Activation::from(problem.attributes);
  setup.residual = problem.has_input(3) ? residual_from(problem.attributes) : Residual::None;
  return setup;
}

Result<std::unique_ptr<PreparedKernel>> PreparedConvolution::create(const Problem& problem, const ConvSetup& setup, const Make& make) {
  return onednn_guard("convolution", [&]() -> Result<std::unique_ptr<PreparedKernel>> {
    const ThreadCountScope scope(problem.threads);
    auto kernel = std::make_unique<PreparedConvolution>();
    kernel->threads_ = problem.threads;
    // 1. The primitive; a residual by `sum` unless only `binary` has a fast implementation.
    Built built;
    AddBy add = setup.residual == Residual::None ? AddBy::None : AddBy::Sum;
    FOVEA_ASSIGN(dnnl::primitive_attr attributes, attributes_of(setup, add));
    built = make(attributes);
    if (add == AddBy::Sum && is_slow_implementation(built.implementation.c_str())) {
      FOVEA_ASSIGN(dnnl::primitive_attr other, attributes_of(setup, AddBy::Binary));
      Built second = make(other);
      if (!is_slow_implementation(second.implementation.c_str())) add = AddBy::Binary, attributes = other, built = std::move(second);
    }
    // 2. Arguments.
    OnednnCall& call = kernel->call_;
    kernel->src_ = call.add(DNNL_ARG_SRC, setup.src);
    kernel->dst_ = call.add(DNNL_ARG_DST, setup.dst);
    if (setup.has_bias) kernel->bias_ = call.add(DNNL_ARG_BIAS, setup.bias);
    if (add == AddBy::Binary) kernel->addend_ = call.add(DNNL_ARG_ATTR_MULTIPLE_POST_OP(residual_position(setup, attributes)) | DNNL_ARG_SRC_1, setup.dst);
    if (add == AddBy::Sum) kernel->copy_residual_bytes_ = problem.outputs[0].bytes();
    kernel->scratchpad_ = call.add(DNNL_ARG_SCRATCHPAD, built.scratchpad);
    kernel->packed_offset_ = aligned(built.scratchpad.get_size());
    kernel->scratch_bytes_ = kernel->packed_offset_;
    if (problem.is_constant(1)) {
      FOVEA_ASSIGN(dnnl::memory packed, onednn_pack(problem.constants[1].raw(), setup.weights_given, built.weights));
      call.add_constant(DNNL_ARG_WEIGHTS, std::move(packed));
    } else {
      kernel->weights_ = call.add(DNNL_ARG_WEIGHTS, built.weights);
      kernel->repack_from_ = kernel->repack_.add(DNNL_ARG_FROM, setup.weights_given);
      kernel->repack_to_ = kernel->repack_.add(DNNL_ARG_TO, built.weights);
      kernel->repack_.finish(dnnl::reorder(dnnl::reorder::primitive_desc(onednn_engine(), setup.weights_given, onednn_engine(), built.weights)));
      kernel->scratch_bytes_ += aligned(built.weights.get_size());
    }
    call.finish(built.primitive);
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  });
}

Status PreparedConvolution::run(const Arguments& arguments) {
  char* scratch = static_cast<char*>(arguments.scratch);
  if (weights_ >= 0) {
    repack_.set(repack_from_, arguments.inputs[1]);
    repack_.set(repack_to_, scratch + packed_offset_);
    FOVEA_RETURN_IF_ERROR(repack_.run());
    call_.set(weights_, scratch + packed_offset_);
  }
  call_.set(src_, arguments.inputs[0]);
  call_.set(dst_, arguments.outputs[0]);
  if (bias_ >= 0) call_.set(bias_, arguments.inputs[2]);
  if (addend_ >= 0) call_.set(addend_, arguments.inputs[3]);
  call_.set(scratchpad_, scratch);
  if (copy_residual_bytes_ > 0 && arguments.inputs[3] != arguments.outputs[0]) {
    const char* from = static_cast<const char*>(arguments.inputs[3]);
    char* to = static_cast<char*>(arguments.outputs[0]);
    const auto bytes = static_cast<std::int64_t>(copy_residual_bytes_);
    parallel_for(useful_threads(threads_, bytes, 1), bytes, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to + begin, from + begin, static_cast<std::size_t>(end - begin));
    });
  }
  return call_.run();
}

}  // namespace fovea::cpu
