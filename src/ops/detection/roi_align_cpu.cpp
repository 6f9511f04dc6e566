// SPDX-License-Identifier: Apache-2.0
// RoiAlign's mean over upright regions in f32, nchw and nhwc: threads take regions, in nchw block of channels after
// block, so that a block of planes stays in cache while all regions visit it.
#include <algorithm>
#include <cstddef>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/detection/roi_align.h"
#include "ops/detection/roi_align_taps.h"

namespace fovea {

namespace {

using namespace cpu;
using ops::RoiAlignParams;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};
constexpr std::int64_t kChannelBlock = 64;
constexpr std::int64_t kMaxCells = 256, kMaxExtent = 1 << 14;

/// Hands out pieces of memory, each on its own cache line; on null it only counts.
class Pieces {
 public:
  explicit Pieces(void* memory) : memory_(static_cast<char*>(memory)) {}
  template <class T>
  T* take(std::int64_t count) {
    const std::size_t at = used_;
    used_ += (static_cast<std::size_t>(count) * sizeof(T) + 63) / 64 * 64;
    return memory_ ? reinterpret_cast<T*>(memory_ + at) : nullptr;
  }
  std::size_t used() const { return used_; }

 private:
  char* memory_;
  std::size_t used_ = 0;
};

/// What one thread needs to weigh one region.
struct Worker {
  PlaneWeights weights;
  double* line;
  std::int32_t* slot;
  float* sums;

  Worker(const RoiAlignParams& params, std::int64_t height, std::int64_t width, Pieces& pieces) {
    const auto axis = [&](std::int64_t cells, std::int64_t extent) {
      const std::int64_t capacity = AxisWeights::capacity(cells, extent);
      return AxisWeights{pieces.take<std::int32_t>(cells + 1), pieces.take<std::int32_t>(capacity),
                         pieces.take<float>(capacity)};
    };
    weights.rows = axis(params.output_height, height);
    weights.columns = axis(params.output_width, width);
    weights.output_height = params.output_height;
    weights.output_width = params.output_width;
    weights.read = pieces.take<std::int32_t>(width + 16);
    weights.dense = pieces.take<float>(width * weights.padded_width());
    weights.sums = pieces.take<float>(params.output_height * (width + 16));
    line = pieces.take<double>(std::max(height, width) + 1);
    slot = pieces.take<std::int32_t>(width);
    sums = pieces.take<float>(width * 16);
  }
};

class PreparedRoiAlign : public PreparedKernel {
 public:
  RoiAlignParams params;
  std::vector<TensorDesc> maps;
  TensorDesc y;
  std::int64_t regions = 0, max_height = 0, max_width = 0;
  int first_map = 0, threads = 1;

  std::size_t scratch_bytes() const override {
    Pieces pieces(nullptr);
    Worker(params, max_height, max_width, pieces);
    return static_cast<std::size_t>(threads) * pieces.used();
  }

  Status run(const Arguments& arguments) override {
    const std::int64_t channels = y.shape[1];
    const auto* rois = static_cast<const float*>(arguments.inputs[params.levels() ? 0 : 1]);
    const auto* batch = params.image_in_roi ? nullptr : static_cast<const std::int64_t*>(arguments.inputs[2]);
    FOVEA_RETURN_IF_ERROR(check_images(rois, batch));
    const std::size_t each = scratch_bytes() / static_cast<std::size_t>(threads);
    const bool planes = y.layout != Layout::nhwc;
    const std::int64_t blocks = planes ? (channels + kChannelBlock - 1) / kChannelBlock : 1;
    const std::int64_t work = channels * y.shape[2] * y.shape[3] * 8;
    const int team = useful_threads(threads, regions, work);
    parallel_for(team, blocks * regions, [&](std::int64_t begin, std::int64_t end) {
      Pieces pieces(static_cast<char*>(arguments.scratch) +
                    static_cast<std::size_t>(team > 1 ? omp_get_thread_num() : 0) * each);
      Worker worker(params, max_height, max_width, pieces);
      std::fill_n(worker.line, std::max(max_height, max_width) + 1, 0.0);
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t r = job % regions, block = job / regions * kChannelBlock;
        const float* const roi = rois + r * params.roi_values + (params.image_in_roi ? 1 : 0);
        const ops::PlacedRegion region = ops::place_region(params, roi);
        const TensorDesc& map = maps[region.level];
        const std::int64_t image = params.image_in_roi ? ops::image_of(roi[-1], map.shape[0]) : batch[r];
        const auto* x =
            static_cast<const float*>(arguments.inputs[static_cast<std::size_t>(first_map) + region.level]) +
            image * map.strides[0];
        weigh(worker, region, map.shape[2], map.shape[3]);
        float* const to = static_cast<float*>(arguments.outputs[0]) + r * y.strides[0];
        if (planes)
          align_planes(worker, map, x, block, std::min(channels, block + kChannelBlock), to);
        else
          align_pixels(worker, map, x, channels, to);
      }
    });
    return {};
  }

 private:
  Status check_images(const float* rois, const std::int64_t* batch) const {
    const std::int64_t images = maps[0].shape[0];
    for (std::int64_t r = 0; r < regions; ++r) {
      if (batch ? batch[r] < 0 || batch[r] >= images : ops::image_of(rois[r * params.roi_values], images) < 0) {
        return invalid_argument("the image of region ", r, " is outside 0..", images - 1);
      }
    }
    return {};
  }

  void weigh(Worker& worker, const ops::PlacedRegion& region, std::int64_t height, std::int64_t width) const {
    worker.weights.width = width;
    worker.weights.rows.fill(region.rows, params.output_height, height, worker.line);
    worker.weights.columns.fill(region.columns, params.output_width, width, worker.line);
    worker.weights.spread_columns(worker.slot);
  }

  void align_planes(const Worker& worker, const TensorDesc& map, const float* x, std::int64_t begin, std::int64_t end,
                    float* to) const {
    const PlaneWeights& w = worker.weights;
    const RoiAlignFunctions& functions = roi_align_functions();
    const std::int64_t cells = params.output_height * params.output_width;
    for (std::int64_t c = begin; c < end; ++c) {
      const float* const plane = x + c * map.strides[1];
      float* const out = to + c * y.strides[1];
      if (w.count == 0)
        std::fill_n(out, cells, 0.0f);
      else if (!functions.plane(w, plane, out))
        align_exactly(w, plane, out);
    }
  }

  /// Only elements that have a weight.
  static void align_exactly(const PlaneWeights& w, const float* plane, float* out) {
    for (std::int64_t ph = 0; ph < w.output_height; ++ph) {
      for (std::int64_t pw = 0; pw < w.output_width; ++pw) {
        float sum = 0;
        for (std::int32_t k = w.rows.begin[ph]; k < w.rows.begin[ph + 1]; ++k) {
          for (std::int32_t j = w.columns.begin[pw]; j < w.columns.begin[pw + 1]; ++j) {
            sum += w.rows.weight[k] * w.columns.weight[j] * plane[w.rows.index[k] * w.width + w.columns.index[j]];
          }
        }
        *out++ = sum;
      }
    }
  }

  void align_pixels(const Worker& worker, const TensorDesc& map, const float* x, std::int64_t channels,
                    float* to) const {
    if (worker.weights.count > 0) {
      roi_align_functions().pixels(worker.weights, x, channels, map.strides[2], map.strides[3], to, y.strides[2],
                                   y.strides[3], worker.sums);
      return;
    }
    for (std::int64_t ph = 0; ph < params.output_height; ++ph) {
      for (std::int64_t pw = 0; pw < params.output_width; ++pw)
        std::fill_n(to + ph * y.strides[2] + pw * y.strides[3], channels, 0.0f);
    }
  }
};

class RoiAlignKernel : public Kernel {
 public:
  std::string_view name() const override { return "roi_align_separable"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    FOVEA_ASSIGN(const auto params, RoiAlignParams::parse(problem.op, problem.attributes));
    if (params.maximum || params.rotated) return unsupported("the mean over upright regions");
    if (params.output_height > kMaxCells || params.output_width > kMaxCells)
      return unsupported("at most ", kMaxCells, " cells a side");
    const int first = params.levels() ? 1 : 0, count = params.levels() ? static_cast<int>(params.strides.size()) : 1;
    if (problem.inputs.size() != static_cast<std::size_t>(params.levels() ? count + 1 : params.image_in_roi ? 2 : 3))
      return unsupported("the operator's own number of inputs");
    const TensorDesc &rois = problem.inputs[params.levels() ? 0 : 1], &y = problem.outputs[0];
    if (rois.type != DataType::f32 || y.type != DataType::f32 || rois.shape.rank() != 2 ||
        rois.shape[1] != params.roi_values || !rois.is_plain_dense())
      return unsupported("regions in f32");
    const TensorDesc& map = problem.inputs[static_cast<std::size_t>(first)];
    for (int i = first; i < first + count; ++i) {
      const TensorDesc& other = problem.inputs[static_cast<std::size_t>(i)];
      if (other.type != DataType::f32 || other.shape.rank() != 4 || other.layout != y.layout ||
          block_of(other.layout) != 1)
        return unsupported("f32 maps of one unblocked layout");
      if (other.shape[0] != map.shape[0] || other.shape[1] != map.shape[1])
        return unsupported("maps with the same images and channels");
      if (other.shape.elements() == 0 || std::max(other.shape[2], other.shape[3]) > kMaxExtent)
        return unsupported("maps of 1..", kMaxExtent, " elements a side");
      if (!compact(other)) return unsupported("rows without gaps");
    }
    if (!(y.shape == Shape{rois.shape[0], map.shape[1], params.output_height, params.output_width}) ||
        y.shape.elements() == 0 || !compact(y)) {
      return unsupported("an output of one value per region, channel and cell");
    }
    if (!params.image_in_roi) {
      const TensorDesc& batch = problem.inputs[2];
      if (batch.type != DataType::i64 || !(batch.shape == Shape{rois.shape[0]}) || !batch.is_plain_dense())
        return unsupported("i64 batch indices");
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedRoiAlign>();
    FOVEA_ASSIGN(kernel->params, RoiAlignParams::parse(problem.op, problem.attributes));
    kernel->first_map = kernel->params.levels() ? 1 : 0;
    const std::size_t count = std::max<std::size_t>(1, kernel->params.strides.size());
    for (std::size_t i = 0; i < count; ++i) {
      const TensorDesc& map = problem.inputs[static_cast<std::size_t>(kernel->first_map) + i];
      kernel->maps.push_back(map);
      kernel->max_height = std::max(kernel->max_height, map.shape[2]);
      kernel->max_width = std::max(kernel->max_width, map.shape[3]);
    }
    kernel->y = problem.outputs[0];
    kernel->regions = problem.outputs[0].shape[0];
    kernel->threads = std::max(1, problem.threads);
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  /// Planes, or pixels, are without gaps; channels and images may lie apart.
  static bool compact(const TensorDesc& desc) {
    if (desc.layout == Layout::nhwc) return desc.strides[1] == 1;
    return desc.strides[3] == 1 && desc.strides[2] == desc.shape[3];
  }
};

}  // namespace

const Kernel& roi_align_separable() {
  static const RoiAlignKernel kernel;
  return kernel;
}

}  // namespace fovea
