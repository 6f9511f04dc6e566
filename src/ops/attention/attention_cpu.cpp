// SPDX-License-Identifier: Apache-2.0
// Attention in f32: tiles of queries against tiles of keys, with the softmax carried along (largest score and sum so far), so
// that scores never take more than one tile. Keys (tile by tile, transposed) and values are packed once per head and thread; a
// tile's keys, values, scores and queries fit into the first cache where heads are 32 wide.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/cpu/kit/row_ops.h"
#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/attention/running_softmax.h"
#include "ops/attention/tile_product.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kQueryTile = 48, kKeyTile = 64;  // scores: 12 KB
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

std::int64_t padded(std::int64_t n) { return (n + kProductPadding - 1) / kProductPadding * kProductPadding; }

/// A tensor [batch, heads, rows, width], or [batch, rows, heads * width], by its steps.
struct Matrices {
  std::int64_t batch = 0, heads = 0, rows = 0, width = 0;
  std::int64_t batch_step = 0, head_step = 0, row_step = 0;

  static Result<Matrices> of(const TensorDesc& desc, std::int64_t num_heads) {
    const int rank = desc.shape.rank();
    if (desc.type != DataType::f32 || desc.layout != Layout::plain) return unsupported("plain tensors of f32");
    if (rank != 3 && rank != 4) return unsupported("rank 3 or 4");
    if (desc.strides[rank - 1] != 1 && desc.shape[rank - 1] != 1) return unsupported("contiguous rows");
    if (rank == 4) return Matrices{desc.shape[0], desc.shape[1], desc.shape[2], desc.shape[3], desc.strides[0], desc.strides[1], desc.strides[2]};
    if (num_heads < 1 || desc.shape[2] % num_heads != 0) return unsupported("heads of equal width");
    const std::int64_t width = desc.shape[2] / num_heads;
    return Matrices{desc.shape[0], num_heads, desc.shape[1], width, desc.strides[0], width, desc.strides[1]};
  }
};

class PreparedAttention : public PreparedKernel {
 public:
  Matrices q, k, v, y;
  std::int64_t mask_steps[4] = {};
  bool has_mask = false;
  float scale = 1;
  int threads = 1;

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads) * static_cast<std::size_t>(floats()) * sizeof(float); }

  Status run(const Arguments& arguments) override {
    const std::int64_t tiles = (q.rows + kQueryTile - 1) / kQueryTile, jobs = q.batch * q.heads * tiles;
    parallel_for(useful_threads(threads, jobs, std::min(kQueryTile, q.rows) * k.rows * (q.width + v.width)), jobs, [&](std::int64_t begin, std::int64_t end) {
      float* const memory = static_cast<float*>(arguments.scratch) + static_cast<std::int64_t>(omp_get_thread_num() % threads) * floats();
      std::int64_t packed = -1;  // the matrix of keys and values in `memory`
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t b = job / tiles / q.heads, h = job / tiles % q.heads, matrix = b * k.heads + h / (q.heads / k.heads);
        if (matrix != packed) pack(arguments, memory, b, matrix % k.heads), packed = matrix;
        attend(arguments, memory, b, h, job % tiles * kQueryTile);
      }
    });
    return {};
  }

 private:
  // memory: keys [tiles, width, keys], values [keys, value width], queries, scores, result, sums, shifts
  std::int64_t keys_floats() const { return q.width * ((k.rows + kKeyTile - 1) / kKeyTile * kKeyTile); }
  std::int64_t values_floats() const { return k.rows * padded(v.width); }
  std::int64_t floats() const {
    return padded(keys_floats() + values_floats() + kQueryTile * (q.width + kKeyTile + padded(v.width) + kRowSums + 1));
  }

  void pack(const Arguments& arguments, float* memory, std::int64_t b, std::int64_t h) const {
    const float* from = static_cast<const float*>(arguments.inputs[1]) + b * k.batch_step + h * k.head_step;
    for (std::int64_t j = 0; j < k.rows; j += kKeyTile) {
      float* const tile = memory + j * q.width;
      const std::int64_t keys = std::min(kKeyTile, k.rows - j);
      if (keys < kKeyTile) std::fill_n(tile, q.width * kKeyTile, 0.0f);
      for (std::int64_t i = 0; i < keys; ++i) {
        for (std::int64_t d = 0; d < q.width; ++d) tile[d * kKeyTile + i] = from[(j + i) * k.row_step + d];
      }
    }
    float* to = memory + keys_floats();
    from = static_cast<const float*>(arguments.inputs[2]) + b * v.batch_step + h * v.head_step;
    for (std::int64_t j = 0; j < v.rows; ++j, to += padded(v.width)) {
      std::copy_n(from + j * v.row_step, v.width, to);
      std::fill(to + v.width, to + padded(v.width), 0.0f);
    }
  }

  void attend(const Arguments& arguments, float* memory, std::int64_t b, std::int64_t h, std::int64_t first) const {
    const RowOps& ops = row_ops();
    const TileProduct multiply = tile_product();
    const SoftenScores soften = soften_scores();
    const std::int64_t rows = std::min(kQueryTile, q.rows - first), width = padded(v.width);
    float* const queries = memory + keys_floats() + values_floats();
    float* const scores = queries + kQueryTile * q.width;
    float* const result = scores + kQueryTile * kKeyTile;
    float* const sums = result + kQueryTile * width;
    const SoftmaxRows softmax{rows, sums + kQueryTile * kRowSums, sums, result, width};
    const float* from = static_cast<const float*>(arguments.inputs[0]) + b * q.batch_step + h * q.head_step + first * q.row_step;
    for (std::int64_t r = 0; r < rows; ++r) ops.scale(from + r * q.row_step, scale, queries + r * q.width, q.width);
    std::fill_n(result, rows * width, 0.0f);
    std::fill_n(softmax.shifts, rows, kMinusInfinity);
    std::fill_n(sums, rows * kRowSums, 0.0f);
    for (std::int64_t j = 0; j < k.rows; j += kKeyTile) {
      const std::int64_t keys = std::min(kKeyTile, k.rows - j);
      multiply(queries, q.width, memory + j * q.width, kKeyTile, scores, kKeyTile, rows, q.width, padded(keys), false);
      for (std::int64_t r = 0; r < rows; ++r) {
        float* const row = scores + r * kKeyTile;
        if (has_mask) add_mask(arguments, row, b, h, first + r, j, keys);
        std::fill(row + keys, row + padded(keys), kMinusInfinity);
      }
      soften(softmax, scores, kKeyTile, padded(keys));
      multiply(scores, kKeyTile, memory + keys_floats() + j * width, width, result, width, rows, keys, width, true);
    }
    float* to = static_cast<float*>(arguments.outputs[0]) + b * y.batch_step + h * y.head_step + first * y.row_step;
    for (std::int64_t r = 0; r < rows; ++r) ops.scale(result + r * width, 1 / ops.sum(sums + r * kRowSums, kRowSums), to + r * y.row_step, v.width);
  }

  void add_mask(const Arguments& arguments, float* row, std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j, std::int64_t keys) const {
    const auto* mask = static_cast<const float*>(arguments.inputs[3]) + b * mask_steps[0] + h * mask_steps[1] + i * mask_steps[2] + j * mask_steps[3];
    if (mask_steps[3] == 1) return row_ops().add_into(row, mask, keys);
    for (std::int64_t c = 0; c < keys; ++c) row[c] += mask[c * mask_steps[3]];
  }
};

class AttentionKernel : public Kernel {
 public:
  std::string_view name() const override { return "attention_tiles"; }
  Status can_run(const Problem& problem) const override { return plan(problem).status(); }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(auto kernel, plan(problem));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  static Result<std::unique_ptr<PreparedAttention>> plan(const Problem& problem) {
    for (int i = 4; i < 7; ++i) {
      if (problem.has_input(i)) return unsupported("no cache and no lengths");
    }
    for (std::size_t o = 1; o < problem.outputs.size(); ++o) {
      if (problem.outputs[o].type != DataType::undefined) return unsupported("one output");
    }
    const Attributes& attributes = problem.attributes;
    if (attributes.get_int("is_causal", 0) != 0 || attributes.get_float("softcap", 0) > 0) return unsupported("neither causal nor capped scores");
    auto kernel = std::make_unique<PreparedAttention>();
    auto &q = kernel->q, &k = kernel->k, &v = kernel->v, &y = kernel->y;
    const std::int64_t q_heads = attributes.get_int("q_num_heads", 0), kv_heads = attributes.get_int("kv_num_heads", 0);
    FOVEA_ASSIGN(q, Matrices::of(problem.inputs[0], q_heads));
    FOVEA_ASSIGN(k, Matrices::of(problem.inputs[1], kv_heads));
    FOVEA_ASSIGN(v, Matrices::of(problem.inputs[2], kv_heads));
    FOVEA_ASSIGN(y, Matrices::of(problem.outputs[0], q_heads));
    for (int i = 1; i < 3; ++i) {
      if (problem.inputs[static_cast<std::size_t>(i)].shape.rank() != problem.inputs[0].shape.rank()) return unsupported("operands of one rank");
    }
    if (q.batch < 1 || q.heads < 1 || q.rows < 1 || q.width < 1 || k.rows < 1 || v.width < 1) return unsupported("tensors with elements");
    if (k.batch != q.batch || v.batch != q.batch || k.heads < 1 || v.heads != k.heads || q.heads % k.heads != 0 || k.width != q.width || v.rows != k.rows) {
      return unsupported("operands that fit together");
    }
    if (y.batch != q.batch || y.heads != q.heads || y.rows != q.rows || y.width != v.width) return unsupported("an output of one row per query");
    if (problem.has_input(3)) {
      const TensorDesc& mask = problem.inputs[3];
      const std::int64_t wanted[] = {q.batch, q.heads, q.rows, k.rows};
      const int missing = 4 - mask.shape.rank();
      if (mask.type != DataType::f32 || mask.layout != Layout::plain || missing < 0) return unsupported("a mask of addends");
      for (int axis = missing; axis < 4; ++axis) {
        // One column is not repeated: a mask hides the keys behind its end.
        const std::int64_t extent = mask.shape[axis - missing];
        if (extent != wanted[axis] && (extent != 1 || axis == 3)) return unsupported("a mask as long as the keys");
        kernel->mask_steps[axis] = extent == 1 ? 0 : mask.strides[axis - missing];
      }
      kernel->has_mask = true;
    }
    kernel->scale = static_cast<float>(attributes.get_float("scale", 1 / std::sqrt(static_cast<double>(q.width))));
    kernel->threads = problem.threads;
    return kernel;
  }
};

}  // namespace

const Kernel& attention_tiles() {
  static const AttentionKernel kernel;
  return kernel;
}

}  // namespace fovea
