// SPDX-License-Identifier: Apache-2.0
// TopK in f32. A line is scanned in vectors for what beats the k-th best so far; the list of those is cut back to k
// whenever it is full. Long lines are scanned in pieces by several threads and the pieces' best put together: elements
// have distinct ranks (ties go by index), so the pieces do not show.
#include <algorithm>
#include <memory>

#include "backends/cpu/kit/jobs.h"
#include "device/kernel.h"
#include "ops/axis.h"
#include "ops/sort/top_k_simd.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kBlock = 256;          // elements between two looks at the list
constexpr std::int64_t kLongPiece = 1 << 15;  // elements that are worth a thread

class PreparedTopK : public PreparedKernel {
 public:
  std::int64_t k, extent, inner, lines;
  bool largest = true;
  int threads = 1;

  std::int64_t room() const { return std::min(extent, std::max(4 * k, 4 * kBlock) + kBlock) + kBlock; }
  /// The list of one thread, and the line itself where its elements lie apart.
  std::size_t worker_bytes() const {
    const auto line = static_cast<std::size_t>(inner > 1 ? extent : 0);
    return (static_cast<std::size_t>(room()) * sizeof(std::uint64_t) + line * sizeof(float) + 63) / 64 * 64;
  }
  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(threads) * worker_bytes() +
           static_cast<std::size_t>(threads) * static_cast<std::size_t>(k) * sizeof(std::uint64_t);
  }

  Status run(const Arguments& arguments) override {
    const std::int64_t asked = *static_cast<const std::int64_t*>(arguments.inputs[1]);
    if (asked != k) return invalid_argument("k is ", asked, ", the output has room for ", k);
    const auto* x = static_cast<const float*>(arguments.inputs[0]);
    auto* const memory = static_cast<char*>(arguments.scratch);
    if (lines < threads && inner == 1 && extent >= 2 * kLongPiece && threads > 1) {
      for (std::int64_t line = 0; line < lines; ++line) run_in_pieces(x + line * extent, memory, arguments, line);
      return {};
    }
    parallel_for(useful_threads(threads, lines, extent), lines, [&](std::int64_t begin, std::int64_t end) {
      char* const own =
          memory + static_cast<std::size_t>(omp_in_parallel() ? omp_get_thread_num() : 0) * worker_bytes();
      auto* const keys = reinterpret_cast<std::uint64_t*>(own);
      auto* const copy = reinterpret_cast<float*>(keys + room());
      for (std::int64_t line = begin; line < end; ++line) {
        const float* src = x + line / inner * extent * inner + line % inner;
        if (inner > 1) {
          for (std::int64_t i = 0; i < extent; ++i) copy[i] = src[i * inner];
          src = copy;
        }
        std::uint64_t* const last = keys + best_of(src, 0, extent, keys);
        std::sort(keys, last);
        write(src, keys, arguments, line);
      }
    });
    return {};
  }

 private:
  /// Writes the min(k, end - begin) best of a piece to the front of `keys`, in no order.
  std::int64_t best_of(const float* line, std::int64_t begin, std::int64_t end, std::uint64_t* keys) const {
    std::int64_t count = 0;
    bool full = false;
    float bar = 0;
    for (std::int64_t at = begin; at < end; at += kBlock) {
      const std::int64_t n = std::min(kBlock, end - at);
      if (count + n > room()) {
        std::nth_element(keys, keys + k - 1, keys + count);
        bar = line[static_cast<std::uint32_t>(keys[k - 1])];
        count = k;
        full = true;
      }
      if (full) {
        count += top_k_better(line + at, n, bar, largest, at, keys + count);
      } else {
        for (std::int64_t i = 0; i < n; ++i) keys[count++] = top_k_key(line[at + i], largest, at + i);
      }
    }
    if (count > k) std::nth_element(keys, keys + k - 1, keys + count);
    return std::min(count, k);
  }

  void run_in_pieces(const float* line, char* memory, const Arguments& arguments, std::int64_t number) const {
    auto* const all = reinterpret_cast<std::uint64_t*>(memory + static_cast<std::size_t>(threads) * worker_bytes());
    std::uint64_t* last = all;
    // Room for each piece's best stands by its number; they are moved together afterwards.
    parallel_jobs(threads, threads, [&](std::int64_t piece, int worker) {
      auto* const keys = reinterpret_cast<std::uint64_t*>(memory + static_cast<std::size_t>(worker) * worker_bytes());
      const std::int64_t count = best_of(line, extent * piece / threads, extent * (piece + 1) / threads, keys);
      std::fill(std::copy_n(keys, count, all + piece * k), all + (piece + 1) * k, ~std::uint64_t{0});
    });
    last += threads * k;
    std::nth_element(all, all + k - 1, last);
    std::sort(all, all + k);
    write(line, all, arguments, number);
  }

  void write(const float* line, const std::uint64_t* keys, const Arguments& arguments, std::int64_t number) const {
    auto* const values = static_cast<float*>(arguments.outputs[0]);
    auto* const indices = static_cast<std::int64_t*>(arguments.outputs[1]);
    for (std::int64_t i = 0; i < k; ++i) {
      const auto from = static_cast<std::uint32_t>(keys[i]);
      const std::int64_t to = (number / inner * k + i) * inner + number % inner;
      if (values) values[to] = line[from];
      if (indices) indices[to] = from;
    }
  }
};

class TopKKernel : public Kernel {
 public:
  std::string_view name() const override { return "top_k_lines"; }

  Status can_run(const Problem& problem) const override {
    const TensorDesc &x = problem.inputs[0], &count = problem.inputs[1];
    if (x.type != DataType::f32 || !x.is_plain_dense()) return unsupported("dense f32");
    if (count.type != DataType::i64 || count.shape.elements() != 1) return unsupported("k as one i64");
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), x.shape.rank()));
    if (x.shape[axis] > INT32_MAX) return unsupported("lines of at most ", INT32_MAX, " elements");
    Shape expected = x.shape;
    for (std::size_t o = 0; o < problem.outputs.size(); ++o) {
      const TensorDesc& y = problem.outputs[o];
      if (y.type == DataType::undefined) continue;
      if (y.shape.rank() != x.shape.rank() || !y.is_plain_dense() || y.type != (o == 0 ? DataType::f32 : DataType::i64))
        return unsupported("dense values in f32 and indices in i64");
      expected[axis] = y.shape[axis];
      if (!(y.shape == expected) || y.shape[axis] > x.shape[axis] || y.shape.elements() == 0)
        return unsupported("1..extent elements of each line");
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedTopK>();
    const Shape& shape = problem.inputs[0].shape;
    FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis", -1), shape.rank()));
    const bool values = problem.outputs[0].type != DataType::undefined;
    kernel->k = problem.outputs[values ? 0 : 1].shape[axis];
    kernel->extent = shape[axis];
    kernel->lines = shape.elements() / shape[axis];
    kernel->inner = 1;
    for (int i = axis + 1; i < shape.rank(); ++i) kernel->inner *= shape[i];
    kernel->largest = problem.attributes.get_int("largest", 1) != 0;
    kernel->threads = std::max(1, problem.threads);
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }
};

}  // namespace

const Kernel& top_k_lines() {
  static const TopKKernel kernel;
  return kernel;
}

}  // namespace fovea
