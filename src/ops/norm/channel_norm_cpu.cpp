// SPDX-License-Identifier: Apache-2.0
// InstanceNormalization and GroupNormalization in f32, plain and channels-last. Statistics are found piece by piece and
// merged in a fixed order, so results are the same for any number of threads.
#include <algorithm>
#include <cmath>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/norm/norm_loops.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

struct Extents {
  std::int64_t samples = 1, channels = 1, positions = 1, groups = 1;
  float epsilon = 0;
  int threads = 1;

  std::int64_t per_group() const { return channels / groups; }
};

/// y = (x - offset) * inverse + rest before scale and bias.
struct Unit {
  float offset = 0, inverse = 0, rest = 0;
};

Unit unit_of(const Moments& m, float epsilon) {
  const auto offset = static_cast<float>(m.mean);
  const auto inverse = static_cast<float>(1 / std::sqrt(m.squares / m.count + static_cast<double>(epsilon)));
  return {offset, inverse, static_cast<float>(-(m.mean - offset)) * inverse};
}

struct Tensors {
  const float *x, *scale, *bias;
  float* y;

  explicit Tensors(const Arguments& arguments)
      : x(static_cast<const float*>(arguments.inputs[0])), scale(static_cast<const float*>(arguments.inputs[1])),
        bias(static_cast<const float*>(arguments.inputs[2])), y(static_cast<float*>(arguments.outputs[0])) {}
};

/// A group of a sample is one row in memory. Many rows: each is read, then written while it is still in the cache. Few
/// rows: all threads work on blocks of them.
class PreparedPlain : public PreparedKernel {
 public:
  explicit PreparedPlain(const Extents& extents) : e_(extents), rows_(e_.samples * e_.groups), n_(e_.per_group() * e_.positions) {}

  std::size_t scratch_bytes() const override {
    return whole_rows() ? 0 : static_cast<std::size_t>(rows_ * blocks()) * sizeof(Moments) + static_cast<std::size_t>(rows_) * sizeof(Unit);
  }

  Status run(const Arguments& arguments) override {
    const Tensors t(arguments);
    const int threads = useful_threads(e_.threads, rows_ * blocks(), std::min(n_, kMomentsBlock) * 4);
    if (whole_rows()) {
      parallel_for(threads, rows_, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) apply(t, row, unit_of(norm_loops().moments(t.x + row * n_, n_), e_.epsilon), 0, n_);
      });
      return {};
    }
    auto* parts = static_cast<Moments*>(arguments.scratch);
    auto* units = reinterpret_cast<Unit*>(parts + rows_ * blocks());
    const auto for_blocks = [&](auto work) {
      parallel_for(threads, rows_ * blocks(), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t job = begin; job < end; ++job) {
          const std::int64_t first = job % blocks() * kMomentsBlock;
          work(job, job / blocks(), first, std::min(kMomentsBlock, n_ - first));
        }
      });
    };
    for_blocks([&](std::int64_t job, std::int64_t row, std::int64_t first, std::int64_t count) {
      parts[job] = norm_loops().moments(t.x + row * n_ + first, count);
    });
    for (std::int64_t row = 0; row < rows_; ++row) {
      Moments all;
      for (std::int64_t b = 0; b < blocks(); ++b) merge(all, parts[row * blocks() + b]);
      units[row] = unit_of(all, e_.epsilon);
    }
    for_blocks([&](std::int64_t, std::int64_t row, std::int64_t first, std::int64_t count) { apply(t, row, units[row], first, first + count); });
    return {};
  }

 private:
  std::int64_t blocks() const { return (n_ + kMomentsBlock - 1) / kMomentsBlock; }
  bool whole_rows() const { return rows_ >= 4 * e_.threads || blocks() == 1; }

  /// Elements [begin, end) of a row, channel by channel.
  void apply(const Tensors& t, std::int64_t row, const Unit& unit, std::int64_t begin, std::int64_t end) const {
    const std::int64_t first_channel = row % e_.groups * e_.per_group();
    while (begin < end) {
      const std::int64_t c = begin / e_.positions, stop = std::min(end, (c + 1) * e_.positions), at = row * n_ + begin;
      const float scale = t.scale[first_channel + c], bias = t.bias[first_channel + c];
      norm_loops().scale_shift(t.x + at, unit.offset, unit.inverse * scale, unit.rest * scale + bias, t.y + at, stop - begin);
      begin = stop;
    }
  }

  Extents e_;
  std::int64_t rows_, n_;
};

/// Channels are columns: moments of pieces of the positions, merged per sample, then one pass that writes.
class PreparedChannelsLast : public PreparedKernel {
 public:
  explicit PreparedChannelsLast(const Extents& extents) : e_(extents) {
    const std::int64_t tile = std::max<std::int64_t>(4, kMomentsBlock / e_.channels), tiles = (e_.positions + tile - 1) / tile;
    piece_ = tile * ((tiles + kMostPieces - 1) / kMostPieces);
    pieces_ = (e_.positions + piece_ - 1) / piece_;
  }

  /// Per piece: offset, mean, squares, and three columns of work.
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(e_.samples * pieces_ * 6 * e_.channels) * sizeof(float); }

  Status run(const Arguments& arguments) override {
    const Tensors t(arguments);
    auto* scratch = static_cast<float*>(arguments.scratch);
    const std::int64_t c = e_.channels, jobs = e_.samples * pieces_;
    const int threads = useful_threads(e_.threads, jobs, std::min(piece_, e_.positions) * c * 4);
    const auto columns = [&](std::int64_t job) { return scratch + job * 6 * c; };
    const auto moments = [&](std::int64_t job) { return ColumnMoments{columns(job), columns(job) + c, columns(job) + 2 * c}; };
    const auto begin_of = [&](std::int64_t job) { return job % pieces_ * piece_; };
    const auto count_of = [&](std::int64_t job) { return std::min(piece_, e_.positions - begin_of(job)); };
    const auto for_pieces = [&](auto work) {
      parallel_for(threads, jobs, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t job = begin; job < end; ++job) work(job, (job / pieces_ * e_.positions + begin_of(job)) * c);
      });
    };
    for_pieces([&](std::int64_t job, std::int64_t at) { norm_loops().column_moments(t.x + at, count_of(job), c, columns(job) + 3 * c, moments(job)); });
    parallel_for(useful_threads(e_.threads, e_.samples, pieces_ * c * 4), e_.samples, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t sample = begin; sample < end; ++sample) {
        const std::int64_t first = sample * pieces_;
        for (std::int64_t p = 1; p < pieces_; ++p) norm_loops().merge_columns(moments(first), begin_of(first + p), moments(first + p), count_of(first + p), c);
        find_factors(t, moments(first));
      }
    });
    for_pieces([&](std::int64_t job, std::int64_t at) {
      const ColumnMoments f = moments(job / pieces_ * pieces_);
      norm_loops().scale_shift_columns(t.x + at, f.offset, f.mean, f.squares, t.y + at, count_of(job), c);
    });
    return {};
  }

 private:
  static constexpr std::int64_t kMostPieces = 64;

  /// Turns a sample's moments into offset, factor (in place of the mean) and summand (in place of the squares).
  void find_factors(const Tensors& t, const ColumnMoments& m) const {
    for (std::int64_t g = 0; g < e_.groups; ++g) {
      const std::int64_t begin = g * e_.per_group(), end = begin + e_.per_group();
      Moments all;
      for (std::int64_t c = begin; c < end; ++c) {
        merge(all, {static_cast<double>(e_.positions), static_cast<double>(m.offset[c]) + m.mean[c], m.squares[c]});
      }
      const Unit unit = unit_of(all, e_.epsilon);
      for (std::int64_t c = begin; c < end; ++c) {
        m.offset[c] = unit.offset;
        m.mean[c] = unit.inverse * t.scale[c];
        m.squares[c] = unit.rest * t.scale[c] + t.bias[c];
      }
    }
  }

  Extents e_;
  std::int64_t piece_ = 1, pieces_ = 1;  ///< positions of a piece; pieces of a sample
};

class ChannelNormKernel : public Kernel {
 public:
  std::string_view name() const override { return "channel_norm"; }
  std::span<const Layout> layouts() const override { return kLayouts; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
    for (const TensorDesc& input : problem.inputs) {
      if (input.type != DataType::f32) return unsupported("computes in f32, found ", fovea::name(input.type));
    }
    if (x.shape.rank() < 2 || x.shape.elements() == 0) return unsupported("tensors with channels and elements");
    if (block_of(x.layout) != 1 || x.layout != y.layout || !x.is_dense() || !y.is_dense()) return unsupported("dense unblocked tensors of one layout");
    if (y.type != x.type || !(y.shape == x.shape)) return unsupported("input and output of one shape");
    for (std::size_t i = 1; i < 3; ++i) {
      const TensorDesc& input = problem.inputs[i];
      if (input.shape.elements() != x.shape[1] || !input.is_plain_dense()) return unsupported("scale and bias with one element per channel");
    }
    const std::int64_t groups = groups_of(problem);
    if (groups < 1 || x.shape[1] % groups != 0) return unsupported("groups of equally many channels");
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    const TensorDesc& x = problem.inputs[0];
    Extents e;
    e.samples = x.shape[0];
    e.channels = x.shape[1];
    e.positions = x.shape.elements() / (e.samples * e.channels);
    e.groups = groups_of(problem);
    e.epsilon = static_cast<float>(problem.attributes.get_float("epsilon", 1e-5));
    e.threads = problem.threads;
    if (x.layout == Layout::nhwc && e.positions > 1) return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedChannelsLast>(e));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedPlain>(e));
  }

 private:
  static std::int64_t groups_of(const Problem& problem) {
    return problem.op == "GroupNormalization" ? problem.attributes.get_int("num_groups", 0) : problem.inputs[0].shape[1];
  }
};

}  // namespace

const Kernel& channel_norm() {
  static const ChannelNormKernel kernel;
  return kernel;
}

}  // namespace fovea
