// SPDX-License-Identifier: Apache-2.0
// ConvTranspose whose windows do not overlap (kernel = stride, no pads), channels-last: every input pixel makes its
// own tile of outputs, so a 1x1 convolution to kh*kw*oc channels does the arithmetic and a strided copy lays the
// tiles side by side. Two to four times as fast as oneDNN's deconvolution on these.
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "base/strided_copy.h"
#include "device/kernel.h"
#include "ops/conv/conv_params.h"

namespace fovea {

const Kernel& onednn_conv();

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc};

class PreparedTiles : public PreparedKernel {
 public:
  PreparedTiles(StridedCopy place, std::size_t tile_bytes) : place_(place), tile_bytes_((tile_bytes + 63) / 64 * 64) {}

  std::unique_ptr<PreparedKernel> product;
  Tensor bias;
  int threads = 1;

  std::size_t scratch_bytes() const override { return tile_bytes_ + product->scratch_bytes(); }

  Status run(const Arguments& arguments) override {
    char* tiles = static_cast<char*>(arguments.scratch);
    const void* inputs[] = {arguments.inputs[0], nullptr, bias.raw()};
    void* outputs[] = {tiles};
    FOVEA_RETURN_IF_ERROR(product->run({inputs, outputs, tiles + tile_bytes_}));
    const int parts = useful_threads(threads, threads, static_cast<std::int64_t>(tile_bytes_) / threads);
    parallel_for(parts, parts, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t part = begin; part < end; ++part) place_.run_part(tiles, arguments.outputs[0], static_cast<int>(part), parts);
    });
    return {};
  }

 private:
  StridedCopy place_;
  std::size_t tile_bytes_;
};

class TiledConvTranspose : public Kernel {
 public:
  std::string_view name() const override { return "tiled_conv_transpose"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1], &y = problem.outputs[0];
    if (x.type != DataType::f32 || w.type != DataType::f32) return unsupported("computes in f32");
    if (x.shape.rank() != 4 || x.layout != Layout::nhwc || y.layout != Layout::nhwc || !x.is_dense()) return unsupported("two spatial axes in nhwc");
    if (!problem.is_constant(1) || (problem.has_input(2) && !problem.is_constant(2))) return unsupported("constant weights and bias");
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors with elements");
    FOVEA_ASSIGN(const auto params, ops::ConvTransposeParams::parse(problem.attributes, 4));
    FOVEA_ASSIGN(const auto geometry, params.resolve(x.shape, w.shape));
    if (!(geometry.output_shape() == y.shape)) return unsupported("an output of shape ", geometry.output_shape().to_string());
    if (problem.has_input(2) && (problem.inputs[2].type != DataType::f32 || problem.inputs[2].shape.elements() != geometry.oc)) return unsupported("one bias per output channel");
    if (geometry.group != 1) return unsupported("one group");
    for (const ops::WindowAxis& axis : geometry.axes) {
      if (axis.kernel != axis.stride || axis.dilation != 1 || axis.pad_begin != 0 || axis.output != axis.input * axis.stride) {
        return unsupported("windows side by side: kernel = stride, no pads");
      }
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    const Shape& w = problem.inputs[1].shape;
    const std::int64_t ic = w[0], oc = w[1], kh = w[2], kw = w[3], h = x.shape[2], width = x.shape[3];
    // 1. Weights [ic, oc, kh, kw] as [kh * kw * oc, ic, 1, 1]; the bias once per position of the tile.
    FOVEA_ASSIGN(Tensor weights, Tensor::allocate(DataType::f32, {kh * kw * oc, ic, 1, 1}));
    const std::int64_t extents[] = {kh * kw, oc, ic}, from[] = {1, kh * kw, oc * kh * kw}, to[] = {oc * ic, ic, 1};
    StridedCopy(sizeof(float), extents, from, to).run(problem.constants[1].raw(), weights.raw());
    FOVEA_ASSIGN(Tensor bias, Tensor::allocate(DataType::f32, {kh * kw * oc}));
    if (problem.has_input(2)) {
      for (std::int64_t k = 0; k < kh * kw; ++k) std::memcpy(bias.data<float>() + k * oc, problem.constants[2].raw(), static_cast<std::size_t>(oc) * sizeof(float));
    }
    // 2. The convolution that makes the tiles.
    const TensorDesc tiles = TensorDesc::dense(DataType::f32, {x.shape[0], kh * kw * oc, h, width}, Layout::nhwc);
    const TensorDesc inputs[] = {x, TensorDesc::dense(DataType::f32, weights.shape()), TensorDesc::dense(DataType::f32, bias.shape())};
    const Tensor constants[] = {Tensor(), weights, bias};
    const Attributes none;
    const Problem product{"Conv", none, inputs, std::span(&tiles, 1), constants, problem.threads};
    FOVEA_RETURN_IF_ERROR(onednn_conv().can_run(product));
    // 3. n, h, kh, w, kw, oc: tiles beside each other.
    const std::int64_t axes[] = {x.shape[0], h, kh, width, kw, oc};
    const std::int64_t c = kh * kw * oc, in_tiles[] = {h * width * c, width * c, kw * oc, c, oc, 1};
    const std::int64_t in_output[] = {y.strides[0], kh * y.strides[2], y.strides[2], kw * y.strides[3], y.strides[3], y.strides[1]};
    auto kernel = std::make_unique<PreparedTiles>(StridedCopy(sizeof(float), axes, in_tiles, in_output), tiles.bytes());
    FOVEA_ASSIGN(kernel->product, onednn_conv().prepare(product));
    kernel->bias = bias;
    kernel->threads = problem.threads;
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& tiled_conv_transpose() {
  static const TiledConvTranspose kernel;
  return kernel;
}

}  // namespace fovea
