// SPDX-License-Identifier: Apache-2.0
// GridSample in f32 over one to three spatial axes, in four ways; all but few share the taps of a block of points:
//   pixels   nhwc: each tap is a run of channels
//   planes   plain: for each channel the taps are gathered
//   few      plain, up to 8 channels over two axes: the taps stay in registers; far points go the way of planes
//   vectors  plain, many points: a few planes are turned into pixels first, so that a tap is one vector
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/deform/grid_sample_tile.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kSampledLayouts[] = {Layout::nhwc, Layout::plain};
constexpr std::int64_t kChannelsPerJob = 64;           // planes
constexpr std::int64_t kMostFew = 8;                   // few: channels
constexpr std::int64_t kBlocksPerJob = 16;             // few
constexpr std::int64_t kMostTurnedBytes = 4 << 20;     // vectors: per thread
constexpr std::int64_t kFirstCacheBytes = 32 << 10;

enum class Way : std::uint8_t { Pixels, Planes, Few, Vectors };

/// What one thread works in.
struct Workspace {
  AxisBlock axes[kMaxSampleAxes];
  TapBlock taps;
  alignas(64) float tile[kPointBlock * 16];  // a vector for each point
};

class PreparedGridSample : public PreparedKernel {
 public:
  ops::GridSampleParams params;
  TensorDesc x, grid, y;
  Way way = Way::Planes;
  int axes = 2, per_axis = 2, taps = 4, threads = 1;
  std::int64_t points = 0, pixels = 0;  // per batch item
  bool is_packed = false;               // points lie one behind the other
  bool has_pairs = false;               // neighbours along the last axis of x are so in memory
  std::int64_t x_strides[kMaxSampleAxes] = {};

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads) * workspace_bytes(); }

  Status run(const Arguments& arguments) override {
    const std::int64_t channels = x.shape[1], group = channels_per_job(), step = std::min(points, points_per_job());
    const std::int64_t groups = (channels + group - 1) / group, pieces = (points + step - 1) / step;
    const std::int64_t jobs = x.shape[0] * groups * pieces, work = step * std::min(group, channels) * taps;
    parallel_for(useful_threads(threads, jobs, work), jobs, [&](std::int64_t begin, std::int64_t end) {
      auto& space = *reinterpret_cast<Workspace*>(static_cast<char*>(arguments.scratch) + static_cast<std::size_t>(omp_get_thread_num() % threads) * workspace_bytes());
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t first = job % pieces * step, rest = job / pieces;
        const std::int64_t n = rest / groups, c = rest % groups * group, count = std::min(group, channels - c);
        const auto* src = static_cast<const float*>(arguments.inputs[0]) + n * x.strides[0] + c * x.strides[1];
        const auto* at = static_cast<const float*>(arguments.inputs[1]) + n * grid.strides[0];
        auto* dst = static_cast<float*>(arguments.outputs[0]) + n * y.strides[0] + c * y.strides[1];
        if (way == Way::Vectors) sample_vectors(space, src, at, dst, count);
        else if (way == Way::Few) sample_few(space, src, at, dst, first, std::min(first + step, points));
        else sample_block(space, src, at, dst, first, std::min<std::int64_t>(kPointBlock, points - first), count);
      }
    });
    return {};
  }

 private:
  std::int64_t channels_per_job() const {
    switch (way) {
      case Way::Planes: return kChannelsPerJob;
      case Way::Vectors: return grid_sample_ops().lanes;
      default: return x.shape[1];
    }
  }

  std::int64_t points_per_job() const { return way == Way::Vectors ? points : way == Way::Few ? kBlocksPerJob * kPointBlock : kPointBlock; }

  std::size_t workspace_bytes() const {
    const std::size_t turned = way == Way::Vectors ? static_cast<std::size_t>(pixels * grid_sample_ops().lanes) * sizeof(float) : 0;
    return sizeof(Workspace) + (turned + 63) / 64 * 64;
  }

  /// Address of a point's first coordinate, relative to its batch item.
  std::int64_t point_offset(std::int64_t point) const {
    std::int64_t offset = 0;
    for (int axis = axes; axis >= 1; --axis) {
      offset += point % grid.shape[axis] * grid.strides[axis];
      point /= grid.shape[axis];
    }
    return offset;
  }

  /// Fills space.taps for `count` points from `first` on; the rest of the block repeats coordinate 0.
  void find_taps(Workspace& space, const float* grid_item, std::int64_t first, int count, const std::int64_t* strides) const {
    const GridSampleOps& sample = grid_sample_ops();
    if (is_packed && count == kPointBlock) {
      sample.split_coordinates(grid_item + first * axes, axes, space.axes);
    } else {
      read_coordinates(space, grid_item, first, count);
    }
    for (int a = 0; a < axes; ++a) {
      if (!sample.find_axis_taps(params, x.shape[a + 2], space.axes[a])) put_far_taps(space.axes[a], x.shape[a + 2]);
    }
    sample.multiply_axes(space.axes, axes, per_axis, strides, space.taps);
  }

  void read_coordinates(Workspace& space, const float* grid_item, std::int64_t first, int count) const {
    for (int i = 0; i < kPointBlock; ++i) {
      const float* point = i < count ? grid_item + point_offset(first + i) : nullptr;
      for (int a = 0; a < axes; ++a) space.axes[a].coordinate[i] = point ? point[(axes - 1 - a) * grid.strides[axes + 1]] : 0.0f;
    }
  }

  /// Positions that are no number or far away, as the reference has them.
  void put_far_taps(AxisBlock& block, std::int64_t extent) const {
    for (int i = 0; i < kPointBlock; ++i) {
      const double position = ops::grid_position(block.coordinate[i], extent, params.align_corners);
      if (std::abs(position) < kFarPosition) continue;
      const ops::AxisTaps found = ops::grid_taps(params, position, extent);
      // Two taps are neighbours wherever there is room for two.
      const std::int64_t first = per_axis == 2 && found.count > 0 ? std::max<std::int64_t>(0, std::min(found.index[0], extent - 2)) : 0;
      for (int tap = 0; tap < per_axis; ++tap) {
        block.index[tap][i] = static_cast<std::int32_t>(std::min(first + (per_axis == 2 ? tap : 0), extent - 1));
        block.weight[tap][i] = 0;
      }
      for (int tap = 0; tap < found.count; ++tap) {
        const auto slot = static_cast<std::size_t>(per_axis == 2 ? found.index[tap] - first : tap);
        if (per_axis != 2) block.index[slot][i] = static_cast<std::int32_t>(found.index[tap]);
        block.weight[slot][i] += static_cast<float>(found.weight[tap]);
      }
    }
  }

  void sample_block(Workspace& space, const float* src, const float* grid_item, float* dst, std::int64_t first, std::int64_t points_here, std::int64_t channels) const {
    const GridSampleOps& sample = grid_sample_ops();
    const int count = static_cast<int>(points_here);
    find_taps(space, grid_item, first, count, x_strides);
    if (way == Way::Pixels) return sample.sum_pixels(space.taps, taps, src, dst + first * y.strides[axes + 1], y.strides[axes + 1], channels, count);
    const auto gather = has_pairs ? sample.gather_pairs : sample.gather_plane;
    for (std::int64_t c = 0; c < channels; ++c) gather(space.taps, taps, src + c * x.strides[1], dst + c * y.strides[1] + first, count);
  }

  void sample_few(Workspace& space, const float* src, const float* grid_item, float* dst, std::int64_t first, std::int64_t end) const {
    const std::int64_t channels = x.shape[1];
    while (first < end) {
      const FewPlanes planes{src, dst + first, x.shape[2], x.shape[3], channels, x.strides[2], x.strides[1], y.strides[1]};
      first += sample_few_planes(params, planes, grid_item + first * axes, end - first);
      // What is left has a far point in front or is less than a vector.
      const std::int64_t count = std::min<std::int64_t>(kPointBlock, end - first);
      if (count > 0) sample_block(space, src, grid_item, dst, first, count, channels);
      first += count;
    }
  }

  /// All points for as many channels as a vector has lanes. Lanes beyond `channels` compute on what lies there and are dropped.
  void sample_vectors(Workspace& space, const float* src, const float* grid_item, float* dst, std::int64_t channels) const {
    const GridSampleOps& sample = grid_sample_ops();
    const std::int64_t lanes = sample.lanes;
    auto* turned = reinterpret_cast<float*>(&space + 1);
    if (channels < lanes) std::fill_n(turned, pixels * lanes, 0.0f);
    sample.transpose(src, x.strides[1], turned, lanes, channels, pixels);
    std::int64_t strides[kMaxSampleAxes];
    for (std::int64_t a = axes - 1, step = lanes; a >= 0; step *= x.shape[static_cast<int>(a--) + 2]) strides[a] = step;
    for (std::int64_t first = 0; first < points; first += kPointBlock) {
      const int count = static_cast<int>(std::min<std::int64_t>(kPointBlock, points - first));
      find_taps(space, grid_item, first, count, strides);
      sample.sum_vectors(space.taps, taps, turned, space.tile, count);
      sample.transpose(space.tile, lanes, dst + first, y.strides[1], count, channels);
    }
  }
};

/// One step leads from each point of the spatial axes to the next.
bool is_uniform(const TensorDesc& desc) {
  for (int axis = desc.shape.rank() - 2; axis >= 2; --axis) {
    if (desc.shape[axis] != 1 && desc.strides[axis] != desc.strides[axis + 1] * desc.shape[axis + 1]) return false;
  }
  return true;
}

/// Points of a batch item of the grid lie one behind the other.
bool is_packed(const TensorDesc& grid) {
  std::int64_t step = 1;
  for (int axis = grid.shape.rank() - 1; axis >= 1; step *= grid.shape[axis--]) {
    if (grid.shape[axis] != 1 && grid.strides[axis] != step) return false;
  }
  return true;
}

class GridSampleKernel : public Kernel {
 public:
  std::string_view name() const override { return "grid_sample_points"; }
  std::span<const Layout> layouts() const override { return kSampledLayouts; }
  Status can_run(const Problem& problem) const override { return plan(problem).status(); }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(auto kernel, plan(problem));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  static Result<std::unique_ptr<PreparedGridSample>> plan(const Problem& problem) {
    const TensorDesc &x = problem.inputs[0], &grid = problem.inputs[1], &y = problem.outputs[0];
    const int rank = x.shape.rank(), axes = rank - 2;
    if (x.type != DataType::f32 || grid.type != DataType::f32 || y.type != x.type) return unsupported("computes in f32");
    if (axes < 1 || axes > kMaxSampleAxes || grid.shape.rank() != rank || grid.shape[rank - 1] != axes) return unsupported("one to three spatial axes");
    if (block_of(x.layout) != 1 || block_of(y.layout) != 1 || block_of(grid.layout) != 1) return unsupported("unblocked layouts");
    Shape expected{x.shape[0], x.shape[1]};
    for (int axis = 1; axis <= axes; ++axis) expected.push_back(grid.shape[axis]);
    if (grid.shape[0] != x.shape[0] || !(y.shape == expected)) return unsupported("an output of one value per channel and grid point");
    if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors with elements");
    if (!is_uniform(y)) return unsupported("an output whose points lie at equal steps");

    auto kernel = std::make_unique<PreparedGridSample>();
    FOVEA_ASSIGN(kernel->params, ops::GridSampleParams::parse(problem.attributes));
    kernel->x = x;
    kernel->grid = grid;
    kernel->y = y;
    kernel->threads = problem.threads;
    kernel->axes = axes;
    kernel->per_axis = kernel->params.mode == ops::SampleMode::Nearest ? 1 : kernel->params.mode == ops::SampleMode::Linear ? 2 : 4;
    kernel->taps = kernel->pixels = kernel->points = 1;
    std::int64_t reach = 0;
    for (int a = 0; a < axes; ++a) {
      kernel->taps *= kernel->per_axis;
      kernel->pixels *= x.shape[a + 2];
      kernel->points *= y.shape[a + 2];
      kernel->x_strides[a] = x.strides[a + 2];
      reach += (x.shape[a + 2] - 1) * x.strides[a + 2];
      if (x.strides[a + 2] > std::numeric_limits<std::int32_t>::max()) return unsupported("planes within 2^31 elements");
    }
    kernel->is_packed = is_packed(grid);
    kernel->has_pairs = kernel->per_axis == 2 && x.strides[rank - 1] == 1 && x.shape[rank - 1] >= 2;
    const std::int64_t channels = x.shape[1], lanes = grid_sample_ops().lanes;
    if (reach > std::numeric_limits<std::int32_t>::max() || kernel->pixels > std::numeric_limits<std::int32_t>::max() / lanes) return unsupported("planes within 2^31 elements");
    if (x.strides[1] == 1 && y.strides[1] == 1 && (channels > 1 || y.strides[rank - 1] != 1)) {
      kernel->way = Way::Pixels;
    } else {
      if (y.strides[rank - 1] != 1) return unsupported("contiguous rows in the output");
      // Gathers are quick while a plane stays in the first cache; turning is worth it when every pixel is used.
      const bool gathers_quickly = kernel->taps < 16 && kernel->pixels * 4 <= kFirstCacheBytes;
      const bool is_worth_turning = channels >= lanes / 2 && !gathers_quickly && kernel->points * kernel->taps > kernel->pixels;
      const bool fits = is_uniform(x) && x.strides[rank - 1] == 1 && kernel->pixels * lanes * 4 <= kMostTurnedBytes;
      const bool is_simple = axes == 2 && x.strides[3] == 1 && kernel->is_packed && kernel->taps <= 4;
      const bool has_room = kernel->per_axis == 1 || (kernel->has_pairs && x.shape[2] >= 2);
      const bool is_few = channels <= kMostFew && is_simple && has_room;
      kernel->way = is_worth_turning && fits ? Way::Vectors : is_few ? Way::Few : Way::Planes;
    }
    return kernel;
  }
};

}  // namespace

const Kernel& grid_sample_points() {
  static const GridSampleKernel kernel;
  return kernel;
}

}  // namespace fovea
