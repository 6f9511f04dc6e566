// SPDX-License-Identifier: Apache-2.0
// MaxPool, AveragePool and their global forms on oneDNN, channels-last preferred.
#include "backends/cpu/kit/onednn.h"
#include "backends/cpu/kit/threads.h"
#include "ops/pool/pool_params.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

class PreparedPool : public PreparedKernel {
 public:
  OnednnCall call;
  int src = -1, dst = -1, scratchpad = -1;
  std::size_t scratch = 0;

  std::size_t scratch_bytes() const override { return scratch; }
  Status run(const Arguments& arguments) override {
    call.set(src, arguments.inputs[0]);
    call.set(dst, arguments.outputs[0]);
    call.set(scratchpad, arguments.scratch);
    return call.run();
  }
};

bool is_global(std::string_view op) { return op.starts_with("Global"); }
bool is_average(std::string_view op) { return op.ends_with("AveragePool"); }

Result<std::vector<ops::WindowAxis>> windows_of(const Problem& problem, bool& include_pad) {
  const Shape& x = problem.inputs[0].shape;
  if (is_global(problem.op)) {
    std::vector<ops::WindowAxis> axes;
    for (int axis = 2; axis < x.rank(); ++axis) axes.push_back({.input = x[axis], .kernel = x[axis]});
    include_pad = false;
    return axes;
  }
  FOVEA_ASSIGN(const auto params, ops::PoolParams::parse(problem.attributes, x.rank()));
  FOVEA_ASSIGN(auto geometry, params.resolve(x));
  include_pad = params.count_include_pad;
  return std::move(geometry.axes);
}

class OnednnPool : public Kernel {
 public:
  std::string_view name() const override { return "onednn_pool"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (x.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(x.type));
    if (problem.outputs.size() > 1 && problem.outputs[1].type != DataType::undefined) return unsupported("no indices as a second output");
    if (x.shape.rank() < 3 || x.shape.rank() > 5) return unsupported("one to three spatial axes");
    if (x.layout != y.layout || block_of(x.layout) != 1) return unsupported("input and output share the layout plain or nhwc");
    if (!x.is_dense() || !y.is_dense()) return unsupported("input and output are dense, not slices of larger tensors");
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors without elements");
    bool include_pad = false;
    FOVEA_ASSIGN(const auto axes, windows_of(problem, include_pad));
    Shape expected = {x.shape[0], x.shape[1]};
    for (const ops::WindowAxis& axis : axes) expected.push_back(axis.output);
    if (!(expected == y.shape)) return unsupported("an output of shape ", expected.to_string());
    for (const ops::WindowAxis& axis : axes) {
      const std::int64_t reach = (axis.output - 1) * axis.stride + axis.span() - axis.input - axis.pad_begin;
      // Extra room of ceil_mode never counts in an average; oneDNN cannot tell it from padding.
      if (is_average(problem.op) && include_pad && reach > axis.pad_end) return unsupported("averages that count padding but not ceil_mode's");
      if (reach >= axis.span() || axis.pad_begin >= axis.span()) return unsupported("padding smaller than the window");
      if (is_average(problem.op) && axis.dilation > 1) return unsupported("averages without dilation");
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    return onednn_guard("pooling", [&]() -> Result<std::unique_ptr<PreparedKernel>> {
      const ThreadCountScope scope(problem.threads);
      bool include_pad = false;
      FOVEA_ASSIGN(const auto axes, windows_of(problem, include_pad));
      FOVEA_ASSIGN(const auto src, onednn_desc(problem.inputs[0]));
      FOVEA_ASSIGN(const auto dst, onednn_desc(problem.outputs[0]));
      dnnl::memory::dims strides, kernel, dilation, begin, end;
      bool dilated = false;
      for (const ops::WindowAxis& axis : axes) {
        strides.push_back(axis.stride);
        kernel.push_back(axis.kernel);
        dilation.push_back(axis.dilation - 1);
        begin.push_back(axis.pad_begin);
        end.push_back((axis.output - 1) * axis.stride + axis.span() - axis.input - axis.pad_begin);
        dilated = dilated || axis.dilation > 1;
      }
      const auto algorithm = !is_average(problem.op) ? dnnl::algorithm::pooling_max
                             : include_pad           ? dnnl::algorithm::pooling_avg_include_padding
                                                     : dnnl::algorithm::pooling_avg_exclude_padding;
      dnnl::primitive_attr attributes;
      attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
      auto prepared = std::make_unique<PreparedPool>();
      prepared->src = prepared->call.add(DNNL_ARG_SRC, src);
      prepared->dst = prepared->call.add(DNNL_ARG_DST, dst);
      const auto finish = [&](const auto& description, const dnnl::primitive& primitive) {
        prepared->scratch = description.scratchpad_desc().get_size();
        prepared->scratchpad = prepared->call.add(DNNL_ARG_SCRATCHPAD, description.scratchpad_desc());
        prepared->call.finish(primitive);
      };
      const auto kind = dnnl::prop_kind::forward_inference;
      if (dilated) {
        using Forward = dnnl::pooling_v2_forward;
        const Forward::primitive_desc description({kind, algorithm, src, dst, strides, kernel, dilation, begin, end}, attributes, onednn_engine());
        finish(description, Forward(description));
      } else {
        using Forward = dnnl::pooling_forward;
        const Forward::primitive_desc description({kind, algorithm, src, dst, strides, kernel, begin, end}, attributes, onednn_engine());
        finish(description, Forward(description));
      }
      return std::unique_ptr<PreparedKernel>(std::move(prepared));
    });
  }
};

}  // namespace

const Kernel& onednn_pool() {
  static const OnednnPool kernel;
  return kernel;
}

}  // namespace fovea
