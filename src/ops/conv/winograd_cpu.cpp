// SPDX-License-Identifier: Apache-2.0
// Convolutions of 3 x 3 by Winograd's F(2x2, 3x3), channels-last: a thread transforms a block of tiles, multiplies it at each
// of 16 places with the filters of a panel of output channels, and finishes the panel's pixels. An infinite or NaN input
// makes its whole tile NaN, not only the outputs whose windows hold it.
#include <algorithm>

#include "backends/cpu/kit/threads.h"
#include "backends/cpu/kit/tile_gemm.h"
#include "ops/conv/conv_onednn.h"
#include "ops/conv/winograd.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc};
// A block's transformed inputs should stay in the second cache, its filters be read for as many tiles as can be.
constexpr std::int64_t kMostTiles = 96, kMostBytes = 4 << 20;
constexpr std::int64_t kSkew = 16;           // keeps the 16 places out of each other's cache sets
constexpr std::int64_t kLeastChannels = 32;  // below, transforms cost more than products

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

class PreparedWinograd : public PreparedKernel {
 public:
  PreparedWinograd(const Problem& problem, const ops::ConvGeometry& g)
      : batch_(g.batch), ic_(g.ic), oc_(g.oc), ih_(g.axes[0].input), iw_(g.axes[1].input), oh_(g.axes[0].output), ow_(g.axes[1].output), top_(g.axes[0].pad_begin),
        left_(g.axes[1].pad_begin), has_bias_(problem.has_input(2)), threads_(problem.threads) {
    end_ = {nullptr, problem.has_input(3) ? residual_from(problem.attributes) : Residual::None, Activation::from(problem.attributes)};
    tiles_across_ = ceil_div(ow_, 2);
    tiles_ = batch_ * ceil_div(oh_, 2) * tiles_across_;
    // Blocks of equal size, a share of them for each thread.
    const std::int64_t share = ceil_div(tiles_, threads_), rows = tile_gemm().rows, place_bytes = ic_ * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t most = std::clamp(kMostBytes / (kWinogradPlaces * place_bytes), rows, kMostTiles);
    block_ = ceil_div(ceil_div(share, ceil_div(share, most)), rows) * rows;
    pack(problem.constants[1].data<float>());
  }

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_ * floats()) * sizeof(float); }

  Status run(const Arguments& arguments) override {
    const std::int64_t blocks = ceil_div(tiles_, block_);
    parallel_for(useful_threads(threads_, blocks, block_ * ic_ * oc_), blocks, [&](std::int64_t begin, std::int64_t end) {
      float* const memory = static_cast<float*>(arguments.scratch) + omp_get_thread_num() % threads_ * floats();
      for (std::int64_t block = begin; block < end; ++block) run_block(arguments, memory, block * block_, std::min(block_, tiles_ - block * block_));
    });
    return {};
  }

 private:
  // memory: zeros [ic], transformed inputs [16][block, ic], products [16][block, panel]
  std::int64_t input_step() const { return block_ * ic_ + kSkew; }
  std::int64_t product_step() const { return block_ * tile_gemm().panel + kSkew; }
  std::int64_t floats() const { return ceil_div(ic_ + kWinogradPlaces * (input_step() + product_step()), 16) * 16; }
  std::int64_t panels() const { return ceil_div(oc_, tile_gemm().panel); }
  std::int64_t filter_floats() const { return ic_ * tile_gemm().panel; }  // of a panel and place

  /// [panel][place][ic][columns of the panel]
  void pack(const float* weights) {
    const std::int64_t width = tile_gemm().panel;
    filters_.resize(static_cast<std::size_t>(panels() * kWinogradPlaces * filter_floats()));
    for (std::int64_t o = 0; o < oc_; ++o) {
      for (std::int64_t c = 0; c < ic_; ++c) {
        float places[kWinogradPlaces];
        transform_filter(weights + (o * ic_ + c) * 9, places);
        float* const to = filters_.data() + o / width * kWinogradPlaces * filter_floats() + c * width + o % width;
        for (int p = 0; p < kWinogradPlaces; ++p) to[p * filter_floats()] = places[p];
      }
    }
  }

  struct Place {
    std::int64_t n, y, x;  ///< the tile's first output pixel
  };
  Place place(std::int64_t tile) const {
    const std::int64_t per_image = tiles_ / batch_, in_image = tile % per_image;
    return {tile / per_image, in_image / tiles_across_ * 2, in_image % tiles_across_ * 2};
  }

  void run_block(const Arguments& arguments, float* memory, std::int64_t first, std::int64_t count) const {
    const WinogradOps& ops = winograd_ops();
    const TileGemm& gemm = tile_gemm();
    float *const zeros = memory, *const inputs = zeros + ic_, *const products = inputs + kWinogradPlaces * input_step();
    std::fill_n(zeros, ic_, 0.0f);
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    for (std::int64_t t = 0; t < count; ++t) {
      const Place at = place(first + t);
      const float* pixels[16];
      for (int p = 0; p < 16; ++p) {
        const std::int64_t row = at.y - top_ + p / 4, column = at.x - left_ + p % 4;
        const bool inside = row >= 0 && row < ih_ && column >= 0 && column < iw_;
        pixels[p] = inside ? x + ((at.n * ih_ + row) * iw_ + column) * ic_ : zeros;
      }
      ops.transform_input(pixels, inputs + t * ic_, input_step(), ic_);
    }
    for (std::int64_t panel = 0; panel < panels(); ++panel) {
      const std::int64_t o = panel * gemm.panel, columns = std::min(gemm.panel, oc_ - o);
      for (int p = 0; p < kWinogradPlaces; ++p) {
        const float* const filters = filters_.data() + (panel * kWinogradPlaces + p) * filter_floats();
        const bool is_last = panel + 1 == panels() && p + 1 == kWinogradPlaces;
        const std::span<const float> next(is_last ? filters_.data() : filters + filter_floats(), static_cast<std::size_t>(filter_floats()));
        float* const to = products + p * product_step();
        std::fill_n(to, count * gemm.panel, 0.0f);
        gemm.accumulate(inputs + p * input_step(), ic_, filters, to, gemm.panel, count, columns, ic_, next);
      }
      finish(arguments, products, first, count, o, columns);
    }
  }

  void finish(const Arguments& arguments, const float* products, std::int64_t first, std::int64_t count, std::int64_t o, std::int64_t columns) const {
    const WinogradOps& ops = winograd_ops();
    WinogradEnd end = end_;
    if (has_bias_) end.bias = static_cast<const float*>(arguments.inputs[2]) + o;
    auto* const y = static_cast<float*>(arguments.outputs[0]);
    const auto* const addend = end.residual == Residual::None ? nullptr : static_cast<const float*>(arguments.inputs[3]);
    for (std::int64_t t = 0; t < count; ++t) {
      const Place at = place(first + t);
      float* to[4];
      const float* addends[4] = {};
      for (int p = 0; p < 4; ++p) {
        const std::int64_t row = at.y + p / 2, column = at.x + p % 2, offset = ((at.n * oh_ + row) * ow_ + column) * oc_ + o;
        to[p] = row < oh_ && column < ow_ ? y + offset : nullptr;
        if (addend && to[p]) addends[p] = addend + offset;
      }
      ops.transform_output(products + t * tile_gemm().panel, product_step(), end, addends, to, columns);
    }
  }

  std::int64_t batch_, ic_, oc_, ih_, iw_, oh_, ow_, top_, left_, tiles_across_ = 1, tiles_ = 1, block_ = 6;
  bool has_bias_;
  int threads_;
  WinogradEnd end_;
  std::vector<float> filters_;
};

class WinogradConv : public Kernel {
 public:
  std::string_view name() const override { return "winograd_2x2"; }
  std::span<const Layout> layouts() const override { return kLayouts; }
  bool may_run_in_place(int input, int output) const override { return input == 3 && output == 0; }
  Status can_run(const Problem& problem) const override { return geometry_of(problem).status(); }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(const ops::ConvGeometry geometry, geometry_of(problem));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedWinograd>(problem, geometry));
  }

 private:
  static Result<ops::ConvGeometry> geometry_of(const Problem& problem) {
    FOVEA_RETURN_IF_ERROR(check_convolution(problem));
    const TensorDesc &x = problem.inputs[0], &w = problem.inputs[1];
    if (x.shape.rank() != 4 || x.layout != Layout::nhwc) return unsupported("pictures in layout nhwc");
    if (!problem.is_constant(1)) return unsupported("constant weights");
    FOVEA_ASSIGN(const auto params, ops::ConvParams::parse(problem.attributes, x.shape.rank()));
    FOVEA_ASSIGN(ops::ConvGeometry geometry, params.resolve(x.shape, w.shape));
    if (geometry.group != 1) return unsupported("one group");
    for (const ops::WindowAxis& axis : geometry.axes) {
      if (axis.kernel != 3 || axis.stride != 1 || axis.dilation != 1) return unsupported("a window of 3 x 3 with stride and dilation 1");
    }
    for (const std::int64_t channels : {geometry.ic, geometry.oc}) {
      if (channels < kLeastChannels || channels % kWinogradChannels != 0) return unsupported("at least ", kLeastChannels, " channels, in multiples of ", kWinogradChannels);
    }
    if (!(geometry.output_shape() == problem.outputs[0].shape)) return unsupported("an output of shape ", geometry.output_shape().to_string());
    if (problem.has_input(2) && (problem.inputs[2].shape.elements() != geometry.oc || !problem.inputs[2].is_plain_dense())) return unsupported("one bias per output channel");
    if (!winograd_knows(Activation::from(problem.attributes).kind)) return unsupported("activations none, relu, clip, leaky_relu and silu");
    return geometry;
  }
};

}  // namespace

const Kernel& winograd_conv() {
  static const WinogradConv kernel;
  return kernel;
}

}  // namespace fovea
