// SPDX-License-Identifier: Apache-2.0
// DeformConv in f32: tile by tile of output pixels the samples (im2col of that tile alone), then a matrix product with the
// filters.
//   nhwc   samples [pixel][group][tap, channel] of some taps at a time, so that tiles have many pixels and large filters are
//          not read for each few of them; a pixel's channels are sampled together. y += samples * filters
//   plain  samples [group][channel, tap][pixel]; a channel's pixels are gathered together. y = filters * samples
// Memory: one tile of samples per thread. Tiles change nothing about the order of sums.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kit/jobs.h"
#include "backends/cpu/kit/tile_gemm.h"
#include "device/kernel.h"
#include "ops/deform/deform_conv.h"
#include "ops/deform/deform_conv_simd.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};
// Of a tile in nhwc: samples and results share the second-level cache.
constexpr std::int64_t kMaxPixels = 240, kTileFloats = 128 * 1024;
constexpr std::int64_t kTilesPerThread = 3, kFewPixels = 96;
constexpr std::int64_t kDepth = 512;  // channels and taps that are summed at a time, at least
constexpr std::int64_t kMaxCoordinate = std::int64_t{1} << 29;

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Everything but the addresses.
struct Work {
  ops::ConvGeometry geometry;
  std::int64_t offset_group = 1;
  TensorDesc x, offset, mask, y;
  bool has_mask = false, has_bias = false;

  const ops::WindowAxis& h() const { return geometry.axes[0]; }
  const ops::WindowAxis& w() const { return geometry.axes[1]; }
  std::int64_t taps() const { return h().kernel * w().kernel; }
  /// Terms of one output element.
  std::int64_t length() const { return geometry.ic_per_group() * taps(); }
  std::int64_t filter_floats() const { return geometry.oc * length(); }
};

struct Addresses {
  const float *x, *weights, *offset, *bias, *mask;
  float* y;
};

/// Neighbouring output pixels of one image: all of it where the rows of y follow each other, else one row.
struct Tile {
  std::int64_t n = 0, first = 0, count = 0;
};

/// Coordinates of a tile's pixels, and the numbers of one tap.
struct TileNumbers {
  std::int32_t base_y[ops::kSamples] = {}, base_x[ops::kSamples] = {};
  std::int64_t offset_at[ops::kSamples] = {}, mask_at[ops::kSamples] = {};
  float offset_y[ops::kSamples] = {}, offset_x[ops::kSamples] = {}, factor[ops::kSamples] = {};
  ops::SampleCorners corners;

  TileNumbers(const Work& work, const Tile& tile) {
    for (std::int64_t p = 0; p < tile.count; ++p) {
      const std::int64_t oy = (tile.first + p) / work.w().output, ox = (tile.first + p) % work.w().output;
      base_y[p] = static_cast<std::int32_t>(oy * work.h().stride - work.h().pad_begin);
      base_x[p] = static_cast<std::int32_t>(ox * work.w().stride - work.w().pad_begin);
      offset_at[p] = tile.n * work.offset.strides[0] + oy * work.offset.strides[2] + ox * work.offset.strides[3];
      if (work.has_mask) mask_at[p] = tile.n * work.mask.strides[0] + oy * work.mask.strides[2] + ox * work.mask.strides[3];
    }
    // Behind the last pixel: outside of any image.
    std::fill(base_y + tile.count, base_y + ops::kSamples, static_cast<std::int32_t>(-2 * kMaxCoordinate));
  }

  const ops::SampleCorners& under_tap(const Work& work, const Addresses& in, std::int64_t offset_group, std::int64_t tap, const Tile& tile) {
    const std::int64_t channel = offset_group * work.taps() + tap;
    const float* const y = in.offset + 2 * channel * work.offset.strides[1];
    const float* const x = y + work.offset.strides[1];
    for (std::int64_t p = 0; p < tile.count; ++p) offset_y[p] = y[offset_at[p]], offset_x[p] = x[offset_at[p]];
    if (work.has_mask) {
      const float* const mask = in.mask + channel * work.mask.strides[1];
      for (std::int64_t p = 0; p < tile.count; ++p) factor[p] = mask[mask_at[p]];
    }
    const auto narrow = [](std::int64_t v) { return static_cast<std::int32_t>(v); };
    const ops::SamplePlane plane{narrow(work.h().input), narrow(work.w().input), narrow(work.x.strides[2]), narrow(work.x.strides[3])};
    const ops::SamplePoints points{base_y, base_x, narrow(tap / work.w().kernel * work.h().dilation), narrow(tap % work.w().kernel * work.w().dilation),
                                   offset_y, offset_x, work.has_mask ? factor : nullptr};
    ops::deform_conv_loops().find_corners(plane, points, corners);
    return corners;
  }
};

class PreparedDeformConv : public PreparedKernel {
 public:
  PreparedDeformConv(const Problem& problem, Work work) : work_(std::move(work)), channels_last_(problem.inputs[0].layout == Layout::nhwc) {
    const std::int64_t rows = work_.h().output, columns = work_.w().output;
    const bool joined = work_.y.strides[2] == columns * work_.y.strides[3] || rows == 1;
    run_ = joined ? rows * columns : columns;
    runs_ = work_.geometry.batch * (joined ? 1 : rows);
    taps_ = std::clamp<std::int64_t>(kDepth / work_.geometry.ic_per_group(), 1, work_.taps());
    tile_ = channels_last_ ? pixels_per_tile(problem.threads) : std::min(tile_gemm().panel, ops::kSamples);
    tiles_per_run_ = ceil_div(run_, tile_);
    threads_ = useful_threads(problem.threads, runs_ * tiles_per_run_, tile_ * work_.length() * work_.geometry.oc);
    zeros_.resize(static_cast<std::size_t>(work_.geometry.ic));
    if (!channels_last_) return;
    if (problem.is_constant(1)) {
      packed_.resize(packed_floats());
      pack(problem.constants[1].data<float>(), packed_.data());
    } else {
      pack_at_run_ = true;
    }
  }

  std::size_t scratch_bytes() const override {
    return (static_cast<std::size_t>(threads_) * tile_floats() + (pack_at_run_ ? packed_floats() : 0)) * sizeof(float);
  }

  Status run(const Arguments& arguments) override {
    const auto input = [&](int i) { return static_cast<const float*>(arguments.inputs[i]); };
    const Addresses in{input(0), input(1), input(2), work_.has_bias ? input(3) : nullptr, work_.has_mask ? input(4) : nullptr, static_cast<float*>(arguments.outputs[0])};
    float* const scratch = static_cast<float*>(arguments.scratch);
    const float* filters = packed_.data();
    if (pack_at_run_) {
      float* const packed = scratch + static_cast<std::size_t>(threads_) * tile_floats();
      pack(in.weights, packed);
      filters = packed;
    }
    parallel_jobs(threads_, runs_ * tiles_per_run_, [&](std::int64_t i, int worker) {
      float* const samples = scratch + static_cast<std::size_t>(worker) * tile_floats();
      if (channels_last_) convolve_pixels(tile(i), in, filters, samples);
      else convolve_planes(tile(i), in, samples);
    });
    return {};
  }

 private:
  std::int64_t pixels_per_tile(int threads) const {
    const std::int64_t rows = tile_gemm().rows, wider = std::max(row_floats(), work_.geometry.oc);
    const std::int64_t most = std::clamp(kTileFloats / wider / rows * rows, 2 * rows, kMaxPixels);
    // Tiles of one size, and where there is one run, a few for each thread, so that a slower one can do fewer; but none
    // so small that reading the filters is all that it does.
    std::int64_t tiles = ceil_div(run_, most);
    if (runs_ == 1) tiles = ceil_div(std::max(tiles, std::min(kTilesPerThread * threads, run_ / kFewPixels)), threads) * threads;
    return ceil_div(ceil_div(run_, tiles), rows) * rows;
  }

  /// From one pixel's samples to the next: whole cache lines, and one more, because rows a power of two apart would
  /// meet in the same few lines of the cache.
  std::int64_t row_floats() const { return (work_.geometry.ic * taps_ + 15) / 16 * 16 + 16; }

  std::size_t tile_floats() const {
    const std::int64_t floats = channels_last_ ? row_floats() * tile_ : work_.geometry.group * work_.length() * tile_;
    return static_cast<std::size_t>((floats + 15) / 16 * 16);
  }

  Tile tile(std::int64_t i) const {
    const std::int64_t run = i / tiles_per_run_, first = i % tiles_per_run_ * tile_, rows = runs_ / work_.geometry.batch;
    return {run / rows, run % rows * run_ + first, std::min(tile_, run_ - first)};
  }

  float* output_at(const Tile& tile, const Addresses& in) const {
    const std::int64_t oy = tile.first / work_.w().output, ox = tile.first % work_.w().output;
    return in.y + tile.n * work_.y.strides[0] + oy * work_.y.strides[2] + ox * work_.y.strides[3];
  }

  // --- filters as panels: [group][panel][tap, channel][columns of the panel]
  std::int64_t panels() const { return ceil_div(work_.geometry.oc_per_group(), tile_gemm().panel); }
  std::size_t packed_floats() const { return static_cast<std::size_t>(work_.geometry.group * panels() * tile_gemm().panel * work_.length()); }

  void pack(const float* weights, float* packed) const {
    const std::int64_t oc = work_.geometry.oc_per_group(), ic = work_.geometry.ic_per_group(), taps = work_.taps(), width = tile_gemm().panel;
    for (std::int64_t block = 0; block < work_.geometry.group * panels(); ++block) {
      const std::int64_t group = block / panels(), first = block % panels() * width;
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        for (std::int64_t c = 0; c < ic; ++c) {
          float* const row = packed + (block * taps * ic + tap * ic + c) * width;
          for (std::int64_t o = 0; o < width; ++o) row[o] = first + o < oc ? weights[((group * oc + first + o) * ic + c) * taps + tap] : 0;
        }
      }
    }
  }

  /// Samples of at most kSamples pixels under taps first..last-1.
  void sample_pixels(const Tile& part, const Addresses& in, std::int64_t first, std::int64_t last, float* samples) const {
    const std::int64_t ic = work_.geometry.ic_per_group(), per_offset = work_.geometry.ic / work_.offset_group;
    const float* const image = in.x + part.n * work_.x.strides[0];
    TileNumbers numbers(work_, part);
    for (std::int64_t og = 0; og < work_.offset_group; ++og) {
      for (std::int64_t tap = first; tap < last; ++tap) {
        const ops::SampleCorners& corners = numbers.under_tap(work_, in, og, tap, part);
        // Channels of one offset group, cut where a group of filters ends.
        for (std::int64_t c = og * per_offset, end = c + per_offset; c < end;) {
          const std::int64_t group = c / ic, count = std::min(end, (group + 1) * ic) - c;
          float* const to = samples + (group * (last - first) + tap - first) * ic + c % ic;
          ops::deform_conv_loops().sample_pixels(corners, part.count, image + c, count, zeros_.data(), to, row_floats());
          c += count;
        }
      }
    }
  }

  void convolve_pixels(const Tile& tile, const Addresses& in, const float* filters, float* samples) const {
    const ops::ConvGeometry& g = work_.geometry;
    float* const y = output_at(tile, in);
    const std::int64_t pixel = work_.y.strides[3], panel = tile_gemm().panel, ic = g.ic_per_group();
    for (std::int64_t p = 0; p < tile.count; ++p) {
      if (in.bias) std::memcpy(y + p * pixel, in.bias, static_cast<std::size_t>(g.oc) * sizeof(float));
      else std::fill_n(y + p * pixel, g.oc, 0.0f);
    }
    for (std::int64_t first = 0; first < work_.taps(); first += taps_) {
      const std::int64_t last = std::min(first + taps_, work_.taps()), length = (last - first) * ic;
      for (std::int64_t p = 0; p < tile.count; p += ops::kSamples) {
        const Tile part{tile.n, tile.first + p, std::min(ops::kSamples, tile.count - p)};
        sample_pixels(part, in, first, last, samples + p * row_floats());
      }
      const auto filters_of = [&](std::int64_t block, std::int64_t from) {
        return std::span(filters + (block * work_.length() + from * ic) * panel, static_cast<std::size_t>(std::min(taps_, work_.taps() - from) * ic * panel));
      };
      const std::int64_t blocks = g.group * panels();
      for (std::int64_t block = 0; block < blocks; ++block) {
        const std::int64_t group = block / panels(), column = block % panels() * panel, columns = std::min(panel, g.oc_per_group() - column);
        const auto next = block + 1 < blocks ? filters_of(block + 1, first) : filters_of(0, last < work_.taps() ? last : 0);
        tile_gemm().accumulate(samples + group * length, row_floats(), filters_of(block, first).data(), y + group * g.oc_per_group() + column, pixel, tile.count, columns,
                               length, next);
      }
    }
  }

  void convolve_planes(const Tile& tile, const Addresses& in, float* samples) const {
    const ops::ConvGeometry& g = work_.geometry;
    const std::int64_t length = work_.length(), per_offset = g.ic / work_.offset_group;
    const float* const image = in.x + tile.n * work_.x.strides[0];
    TileNumbers numbers(work_, tile);
    for (std::int64_t og = 0; og < work_.offset_group; ++og) {
      for (std::int64_t tap = 0; tap < work_.taps(); ++tap) {
        const ops::SampleCorners& corners = numbers.under_tap(work_, in, og, tap, tile);
        for (std::int64_t c = og * per_offset; c < (og + 1) * per_offset; ++c) {
          ops::deform_conv_loops().sample_plane(corners, image + c * work_.x.strides[1], tile_, samples + (c * work_.taps() + tap) * tile_);
        }
      }
    }
    float* const y = output_at(tile, in);
    for (std::int64_t o = 0; o < g.oc; ++o) std::fill_n(y + o * work_.y.strides[1], tile.count, in.bias ? in.bias[o] : 0.0f);
    for (std::int64_t group = 0; group < g.group; ++group) {
      tile_gemm().accumulate(in.weights + group * g.oc_per_group() * length, length, samples + group * length * tile_, y + group * g.oc_per_group() * work_.y.strides[1],
                             work_.y.strides[1], g.oc_per_group(), tile.count, length, {});
    }
  }

  Work work_;
  bool channels_last_, pack_at_run_ = false;
  std::int64_t run_ = 0, runs_ = 0, tile_ = 0, tiles_per_run_ = 0, taps_ = 1;
  int threads_ = 1;
  std::vector<float> packed_, zeros_;
};

Result<Work> work_of(const Problem& problem) {
  Work work;
  FOVEA_ASSIGN(const auto params, ops::DeformConvParams::parse(problem.attributes, problem.inputs[0].shape.rank()));
  work.has_bias = problem.has_input(3);
  work.has_mask = problem.has_input(4);
  FOVEA_ASSIGN(work.geometry, params.resolve(problem.inputs[0].shape, problem.inputs[1].shape, problem.inputs[2].shape, work.has_mask ? problem.inputs[4].shape : Shape()));
  work.offset_group = params.offset_group;
  work.x = problem.inputs[0];
  work.offset = problem.inputs[2];
  if (work.has_mask) work.mask = problem.inputs[4];
  work.y = problem.outputs[0];
  return work;
}

class DeformConvKernel : public Kernel {
 public:
  std::string_view name() const override { return "deform_conv_tiles"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    for (const TensorDesc& input : problem.inputs) {
      if (input.type != DataType::undefined && (input.type != DataType::f32 || block_of(input.layout) != 1)) return unsupported("f32 in unblocked layouts");
    }
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    if (y.type != DataType::f32 || y.layout != x.layout || (x.layout != Layout::plain && x.layout != Layout::nhwc)) return unsupported("an f32 output in x's layout");
    FOVEA_ASSIGN(const Work work, work_of(problem));
    if (!(y.shape == work.geometry.output_shape())) return unsupported("an output of ", work.geometry.output_shape().to_string());
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors with elements");
    if (!problem.inputs[1].is_plain_dense()) return unsupported("dense weights");
    if (work.has_bias && (!problem.inputs[3].is_plain_dense() || !(problem.inputs[3].shape == Shape{work.geometry.oc}))) return unsupported("a bias of one number per channel");
    const int unit = x.layout == Layout::nhwc ? 1 : 3;
    if (y.strides[unit] != 1 || (unit == 1 && x.strides[1] != 1)) return unsupported("channels, or in plain layout columns, side by side");
    if ((work.h().input - 1) * x.strides[2] + (work.w().input - 1) * x.strides[3] > INT32_MAX) return unsupported("images of fewer than 2^31 elements");
    for (const ops::WindowAxis& axis : work.geometry.axes) {
      if (axis.output > kMaxCoordinate / axis.stride || axis.pad_begin + axis.span() > kMaxCoordinate) return unsupported("coordinates below 2^29");
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(Work work, work_of(problem));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedDeformConv>(problem, std::move(work)));
  }
};

}  // namespace

const Kernel& deform_conv_tiles() {
  static const DeformConvKernel kernel;
  return kernel;
}

}  // namespace fovea
