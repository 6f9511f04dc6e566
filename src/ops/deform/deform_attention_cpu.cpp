// SPDX-License-Identifier: Apache-2.0
// Multi-scale deformable attention, both forms: jobs are blocks of queries of one head, so that neighbouring jobs read
// the same columns of value. The levels are inputs; they are read and checked in each run.
#include <algorithm>
#include <array>
#include <limits>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/deform/deform_attention.h"
#include "ops/deform/deform_attention_tile.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kQueriesPerJob = 32;
constexpr std::size_t kMaxLevels = 32;

/// Elements between neighbours along batch, query and head.
struct Steps {
  std::int64_t batch, query, head;
};

class PreparedDeformAttention : public PreparedKernel {
 public:
  ops::DeformAttentionExtents extents;
  DataType type = DataType::f32, shapes_type = DataType::i64, starts_type = DataType::i64;
  Steps value = {}, locations = {}, weights = {}, y = {};  // value: query = row
  bool is_packed = false, softmax = false;
  int threads = 1;

  std::size_t scratch_bytes() const override { return table_bytes() + static_cast<std::size_t>(threads) * tile_bytes(); }

  Status run(const Arguments& arguments) override {
    std::array<ops::AttentionLevel, kMaxLevels> storage;
    const std::span levels(storage.data(), static_cast<std::size_t>(extents.levels));
    FOVEA_RETURN_IF_ERROR(ops::read_levels(shapes_type, arguments.inputs[1], starts_type, arguments.inputs[2], extents.rows, levels));
    const SampleTable table = fill_table(levels, arguments.scratch);
    const AttentionTileFunction attend = attention_tile_function(type);
    const std::int64_t blocks = (extents.queries + kQueriesPerJob - 1) / kQueriesPerJob, jobs = extents.batch * extents.heads * blocks;
    const std::int64_t work = std::min(kQueriesPerJob, extents.queries) * extents.samples() * (extents.width + 8);
    parallel_for(useful_threads(threads, jobs, work), jobs, [&](std::int64_t begin, std::int64_t end) {
      AttentionTile tile{};
      tile.samples = extents.samples();
      tile.width = extents.width;
      tile.value_step = value.query;
      tile.locations_step = locations.query;
      tile.weights_step = weights.query;
      tile.y_step = y.query;
      tile.table = &table;
      tile.softmax = softmax;
      tile.scratch = static_cast<char*>(arguments.scratch) + table_bytes() + static_cast<std::size_t>(omp_get_thread_num() % threads) * tile_bytes();
      for (std::int64_t job = begin; job < end; ++job) {
        const std::int64_t n = job / blocks / extents.heads, m = job / blocks % extents.heads, q = job % blocks * kQueriesPerJob;
        const auto at = [&](const void* data, const Steps& steps, std::int64_t query, std::int64_t extra = 0) {
          const std::int64_t elements = n * steps.batch + query * steps.query + m * steps.head + extra;
          return static_cast<const char*>(data) + elements * static_cast<std::int64_t>(size_of(type));
        };
        tile.queries = std::min(kQueriesPerJob, extents.queries - q);
        tile.value = at(arguments.inputs[0], value, 0);
        tile.locations = at(arguments.inputs[3], locations, q);
        tile.weights = is_packed ? at(arguments.inputs[3], weights, q, 2 * tile.samples) : at(arguments.inputs[4], weights, q);
        tile.y = const_cast<char*>(at(arguments.outputs[0], y, q));
        attend(tile);
      }
    });
    return {};
  }

 private:
  std::size_t table_bytes() const { return 6 * static_cast<std::size_t>(padded_samples(extents.samples())) * sizeof(float); }
  std::size_t tile_bytes() const { return tile_scratch_bytes(extents.samples(), extents.width); }

  SampleTable fill_table(std::span<const ops::AttentionLevel> levels, void* memory) const {
    const std::int64_t padded = padded_samples(extents.samples());
    auto* floats = static_cast<float*>(memory);
    auto* integers = reinterpret_cast<std::int32_t*>(floats + 2 * padded);
    const SampleTable table{floats, floats + padded, integers, integers + padded, integers + 2 * padded, integers + 3 * padded};
    for (std::int64_t i = 0; i < padded; ++i) {
      const ops::AttentionLevel level = i < extents.samples() ? levels[static_cast<std::size_t>(i / extents.points)] : ops::AttentionLevel();
      // One extent of an empty level may be any number.
      const bool empty = level.height == 0 || level.width == 0;
      table.height[i] = empty ? 0 : static_cast<float>(level.height);
      table.width[i] = empty ? 0 : static_cast<float>(level.width);
      table.last_row[i] = empty ? -1 : static_cast<std::int32_t>(level.height - 1);
      table.last_column[i] = empty ? -1 : static_cast<std::int32_t>(level.width - 1);
      table.columns[i] = empty ? 0 : static_cast<std::int32_t>(level.width);
      table.start[i] = static_cast<std::int32_t>(level.start);
    }
    return table;
  }
};

class DeformAttentionKernel : public Kernel {
 public:
  std::string_view name() const override { return "squeezed_corners"; }
  Status can_run(const Problem& problem) const override { return plan(problem).status(); }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(auto kernel, plan(problem));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  /// The axes from `axis` on lie one element beside the other.
  static bool is_dense_from(const TensorDesc& desc, int axis) {
    std::int64_t expected = 1;
    for (int i = desc.shape.rank() - 1; i >= axis; --i) {
      if (desc.shape[i] != 1 && desc.strides[i] != expected) return false;
      expected *= desc.shape[i];
    }
    return true;
  }

  static Result<std::unique_ptr<PreparedDeformAttention>> plan(const Problem& problem) {
    const bool is_packed = problem.op == "custom_op::FlashDeformAttn";
    const std::size_t needed = is_packed ? 4 : 5;
    if (problem.inputs.size() != needed || problem.outputs.size() != 1) return unsupported("all inputs and one output");
    const TensorDesc &value = problem.inputs[0], &shapes = problem.inputs[1], &starts = problem.inputs[2], &locations = problem.inputs[3], &y = problem.outputs[0];
    if (!attention_tile_function(value.type)) return unsupported("computes in f32, f16 and bf16, found ", fovea::name(value.type));
    auto kernel = std::make_unique<PreparedDeformAttention>();
    ops::DeformAttentionExtents& extents = kernel->extents;
    const TensorDesc& weights = problem.inputs[needed - 1];
    if (is_packed) {
      FOVEA_ASSIGN(const auto params, ops::FlashAttentionParams::parse(problem.attributes));
      FOVEA_ASSIGN(extents, ops::DeformAttentionExtents::packed(value.shape, shapes.shape, starts.shape, locations.shape, params.points));
      kernel->softmax = params.softmax;
    } else {
      FOVEA_ASSIGN(extents, ops::DeformAttentionExtents::separate(value.shape, shapes.shape, starts.shape, locations.shape, weights.shape));
    }
    if (locations.type != value.type || weights.type != value.type || y.type != value.type) return unsupported("one type for value, locations, weights and output");
    for (const TensorDesc* integers : {&shapes, &starts}) {
      if (integers->type != DataType::i32 && integers->type != DataType::i64) return unsupported("levels as i32 or i64");
      if (!integers->is_plain_dense()) return unsupported("levels in dense tensors");
    }
    if (extents.levels > static_cast<std::int64_t>(kMaxLevels)) return unsupported("at most ", kMaxLevels, " levels");
    if (extents.samples() < 1 || extents.samples() > 1 << 12) return unsupported("1 to 4096 samples per query and head");
    if (!(y.shape == extents.output()) || y.shape.elements() == 0) return unsupported("an output [batch, queries, heads * width] with elements");
    for (const TensorDesc* desc : {&value, &locations, &weights, &y}) {
      if (desc->layout != Layout::plain) return unsupported("plain tensors");
    }
    if (!is_dense_from(value, 3) || !is_dense_from(locations, 3) || !is_dense_from(weights, 3) || !is_dense_from(y, 2)) return unsupported("contiguous innermost axes");
    // Positions are exact up to here, and offsets fit 32 bits.
    if (extents.rows > (1 << 24) || extents.rows * std::max<std::int64_t>(1, value.strides[1]) > std::numeric_limits<std::int32_t>::max()) {
      return unsupported("a value of at most 2^24 rows and 2^31 elements per batch item");
    }
    const auto steps = [](const TensorDesc& desc) { return Steps{desc.strides[0], desc.strides[1], desc.strides[2]}; };
    kernel->value = steps(value);
    kernel->locations = steps(locations);
    kernel->weights = steps(weights);
    kernel->y = {y.strides[0], y.strides[1], extents.width};
    kernel->type = value.type;
    kernel->shapes_type = shapes.type;
    kernel->starts_type = starts.type;
    kernel->is_packed = is_packed;
    kernel->threads = problem.threads;
    return kernel;
  }
};

}  // namespace

const Kernel& deform_attention_corners() {
  static const DeformAttentionKernel kernel;
  return kernel;
}

}  // namespace fovea
