// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements, as strided copies between any unblocked layouts and strides: Transpose, Slice,
// Split, Concat, Pad with a constant, Expand, Tile, DepthToSpace, SpaceToDepth, reshapes and fovea::reorder.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "base/strided_copy.h"
#include "device/kernel.h"
#include "ops/axis.h"
#include "ops/shape/slice_range.h"

namespace fovea {

namespace {

using namespace cpu;

/// One strided copy from an input to an output; offsets in bytes.
struct Move {
  int input = 0, output = 0;
  std::int64_t src_offset = 0, dst_offset = 0;
  StridedCopy copy;
  std::int64_t bytes = 0;
};

class PreparedMoves : public PreparedKernel {
 public:
  int threads = 1;
  std::vector<Move> moves;
  /// Pad: the whole output is filled first with the element at input `fill_input` (zero without one).
  bool fills = false;
  int fill_input = -1;
  std::size_t fill_bytes = 0, fill_element = 0;

  Status run(const Arguments& arguments) override {
    if (fills) fill(static_cast<char*>(arguments.outputs[0]), fill_input < 0 ? nullptr : arguments.inputs[fill_input]);
    for (const Move& move : moves) {
      const char* src = static_cast<const char*>(arguments.inputs[move.input]) + move.src_offset;
      char* dst = static_cast<char*>(arguments.outputs[move.output]) + move.dst_offset;
      const int parts = useful_threads(threads, threads, move.bytes / std::max(1, threads));
      parallel_for(parts, parts, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t part = begin; part < end; ++part) move.copy.run_part(src, dst, static_cast<int>(part), parts);
      });
    }
    return {};
  }

 private:
  void fill(char* dst, const void* element) const {
    const auto bytes = static_cast<std::int64_t>(fill_bytes);
    char pattern[64] = {};
    if (element) {
      for (std::size_t at = 0; at < sizeof pattern; at += fill_element) std::memcpy(pattern + at, element, fill_element);
    }
    const std::int64_t lines = (bytes + 63) / 64;
    parallel_for(useful_threads(threads, lines, 64), lines, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t line = begin; line < end; ++line) {
        std::memcpy(dst + line * 64, pattern, static_cast<std::size_t>(std::min<std::int64_t>(64, bytes - line * 64)));
      }
    });
  }
};

void add_move(PreparedMoves& kernel, DataType type, int input, std::int64_t src_origin, int output, std::int64_t dst_origin, const Shape& extents,
              const Shape& src_strides, const Shape& dst_strides) {
  const auto size = static_cast<std::int64_t>(size_of(type));
  kernel.moves.push_back({input, output, src_origin * size, dst_origin * size,
                          StridedCopy(size_of(type), extents.dims(), src_strides.dims(), dst_strides.dims()), extents.elements() * size});
}

/// Descriptors may come from an engine file, so every extent is checked before addresses follow from it.
bool same_beside(const Shape& a, const Shape& b, int axis) {
  bool same = a.rank() == b.rank();
  for (int i = 0; same && i < a.rank(); ++i) same = i == axis || a[i] == b[i];
  return same;
}

using Planner = Status (*)(const Problem&, PreparedMoves&);

Status plan_reorder(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  if (!(x.shape == y.shape)) return unsupported("input and output of one shape");
  add_move(kernel, x.type, 0, 0, 0, 0, y.shape, x.strides, y.strides);
  return {};
}

Status plan_reshape(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  if (x.shape == y.shape) return plan_reorder(problem, kernel);
  if (!x.is_plain_dense() || !y.is_plain_dense()) return unsupported("reshapes dense plain tensors");
  if (x.shape.elements() != y.shape.elements()) return unsupported("input and output have the same number of elements");
  const Shape flat = {x.shape.elements()}, one = {1};
  add_move(kernel, x.type, 0, 0, 0, 0, flat, one, one);
  return {};
}

Status plan_transpose(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  std::vector<std::int64_t> permutation = problem.attributes.get_ints("perm");
  const int rank = x.shape.rank();
  if (permutation.empty()) {
    for (int axis = rank - 1; axis >= 0; --axis) permutation.push_back(axis);
  }
  FOVEA_ASSIGN(const auto axes, ops::normalize_axes(permutation, rank));
  if (static_cast<int>(axes.size()) != rank || y.shape.rank() != rank) return unsupported("a permutation of all axes");
  Shape strides;
  for (int axis : axes) {
    if (y.shape[strides.rank()] != x.shape[axis]) return unsupported("an output of the permuted shape");
    strides.push_back(x.strides[axis]);
  }
  add_move(kernel, x.type, 0, 0, 0, 0, y.shape, strides, y.strides);
  return {};
}

Status plan_slice(const Problem& problem, PreparedMoves& kernel) {
  for (std::size_t i = 1; i < problem.inputs.size(); ++i) {
    if (problem.has_input(static_cast<int>(i)) && !problem.is_constant(static_cast<int>(i))) return unsupported("starts, ends, axes and steps are constants");
  }
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  FOVEA_ASSIGN(const auto starts, ops::int_values(problem.constants[1], "starts"));
  FOVEA_ASSIGN(const auto ends, ops::int_values(problem.constants[2], "ends"));
  std::vector<std::int64_t> listed, steps(starts.size(), 1);
  for (std::size_t i = 0; i < starts.size(); ++i) listed.push_back(static_cast<std::int64_t>(i));
  if (problem.has_input(3)) {
    FOVEA_ASSIGN(listed, ops::int_values(problem.constants[3], "axes"));
  }
  if (problem.has_input(4)) {
    FOVEA_ASSIGN(steps, ops::int_values(problem.constants[4], "steps"));
  }
  FOVEA_ASSIGN(const auto axes, ops::normalize_axes(listed, x.shape.rank()));
  if (starts.size() != axes.size() || ends.size() != axes.size() || steps.size() != axes.size()) return unsupported("starts, ends, axes and steps of one length");
  if (x.shape.rank() != y.shape.rank()) return unsupported("input and output of one rank");
  Shape strides = x.strides, expected = x.shape;
  std::int64_t origin = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (steps[i] == 0) return unsupported("steps that are not 0");
    const ops::SliceRange range = ops::slice_range(starts[i], ends[i], steps[i], x.shape[axes[i]]);
    expected[axes[i]] = range.length;
    origin += range.start * x.strides[axes[i]];
    if (range.length > 1) strides[axes[i]] *= range.step;
  }
  if (!(expected == y.shape)) return unsupported("output extents that follow from starts, ends and steps");
  if (y.shape.elements() > 0) add_move(kernel, x.type, 0, origin, 0, 0, y.shape, strides, y.strides);
  return {};
}

Status plan_split(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc& x = problem.inputs[0];
  FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis"), x.shape.rank()));
  std::int64_t at = 0;
  for (std::size_t o = 0; o < problem.outputs.size(); ++o) {
    const TensorDesc& y = problem.outputs[o];
    if (y.type != x.type) return unsupported("splits whose parts are all used");
    if (!same_beside(x.shape, y.shape, axis) || at + y.shape[axis] > x.shape[axis]) return unsupported("parts that fit the input");
    if (y.shape.elements() > 0) add_move(kernel, x.type, 0, at * x.strides[axis], static_cast<int>(o), 0, y.shape, x.strides, y.strides);
    at += y.shape[axis];
  }
  return {};
}

Status plan_concat(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc& y = problem.outputs[0];
  FOVEA_ASSIGN(const int axis, ops::normalize_axis(problem.attributes.get_int("axis"), y.shape.rank()));
  std::int64_t at = 0;
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    const TensorDesc& x = problem.inputs[i];
    if (x.type != y.type || !same_beside(x.shape, y.shape, axis) || at + x.shape[axis] > y.shape[axis]) return unsupported("parts that fit the output");
    if (x.shape.elements() > 0) add_move(kernel, x.type, static_cast<int>(i), 0, 0, at * y.strides[axis], x.shape, x.strides, y.strides);
    at += x.shape[axis];
  }
  return at == y.shape[axis] ? Status() : unsupported("parts that add up to the output");
}

Status plan_expand(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  if (x.shape.rank() > y.shape.rank()) return unsupported("an output of no smaller rank");
  Shape strides;
  for (int axis = 0; axis < y.shape.rank(); ++axis) {
    const int own = axis - (y.shape.rank() - x.shape.rank());
    if (own >= 0 && x.shape[own] != 1 && x.shape[own] != y.shape[axis]) return unsupported("an output that the input broadcasts to");
    strides.push_back(own < 0 || x.shape[own] == 1 ? 0 : x.strides[own]);
  }
  add_move(kernel, x.type, 0, 0, 0, 0, y.shape, strides, y.strides);
  return {};
}

/// Each axis as two: which repetition, and the place inside it.
Status plan_tile(const Problem& problem, PreparedMoves& kernel) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  const int rank = x.shape.rank();
  if (y.shape.rank() != rank || rank > kMaxRank / 2) return unsupported("at most ", kMaxRank / 2, " axes");
  if (x.shape.elements() == 0 || y.shape.elements() == 0) return unsupported("tensors with elements");
  Shape extents, src, dst;
  for (int axis = 0; axis < rank; ++axis) {
    if (y.shape[axis] % x.shape[axis] != 0) return unsupported("whole repetitions");
    extents.push_back(y.shape[axis] / x.shape[axis]);
    src.push_back(0);
    dst.push_back(y.strides[axis] * x.shape[axis]);
    extents.push_back(x.shape[axis]);
    src.push_back(x.strides[axis]);
    dst.push_back(y.strides[axis]);
  }
  add_move(kernel, x.type, 0, 0, 0, 0, extents, src, dst);
  return {};
}

Status plan_pad(const Problem& problem, PreparedMoves& kernel) {
  if (problem.attributes.get_string("mode", "constant") != "constant") return unsupported("mode constant");
  if (!problem.is_constant(1) || (problem.has_input(3) && !problem.is_constant(3))) return unsupported("pads and axes are constants");
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  if (!y.is_dense() || y.shape.rank() != x.shape.rank()) return unsupported("a dense output of the input's rank");
  if (problem.has_input(2) && (problem.inputs[2].type != x.type || problem.inputs[2].shape.elements() != 1)) return unsupported("one value to pad with");
  const int rank = x.shape.rank();
  FOVEA_ASSIGN(const auto pads, ops::int_values(problem.constants[1], "pads"));
  std::vector<std::int64_t> listed;
  for (int axis = 0; axis < rank; ++axis) listed.push_back(axis);
  if (problem.has_input(3)) {
    FOVEA_ASSIGN(listed, ops::int_values(problem.constants[3], "axes"));
  }
  FOVEA_ASSIGN(const auto axes, ops::normalize_axes(listed, rank));
  if (pads.size() != 2 * axes.size()) return unsupported("two pads an axis");
  Shape extents = x.shape, expected = x.shape;
  std::int64_t src_origin = 0, dst_origin = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t before = pads[i], after = pads[i + axes.size()];
    const int axis = axes[i];
    constexpr std::int64_t kLimit = std::int64_t{1} << 40;
    if (before < -kLimit || before > kLimit || after < -kLimit || after > kLimit) return unsupported("pads below 2^40");
    expected[axis] = x.shape[axis] + before + after;
    extents[axis] = x.shape[axis] + std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0);
    if (extents[axis] < 0) return unsupported("pads that leave something of the input");
    src_origin += std::max<std::int64_t>(-before, 0) * x.strides[axis];
    dst_origin += std::max<std::int64_t>(before, 0) * y.strides[axis];
  }
  if (!(expected == y.shape)) return unsupported("output extents that follow from the pads");
  kernel.fills = true;
  kernel.fill_input = problem.has_input(2) ? 2 : -1;
  kernel.fill_bytes = y.bytes();
  kernel.fill_element = size_of(y.type);
  if (extents.elements() > 0) add_move(kernel, x.type, 0, src_origin, 0, dst_origin, extents, x.strides, y.strides);
  return {};
}

/// n, c', h, i, w, j over both sides; `deep` is the tensor whose channels hold the blocks.
Status plan_depth_space(const Problem& problem, PreparedMoves& kernel) {
  const bool to_space = problem.op == "DepthToSpace";
  const TensorDesc& deep = to_space ? problem.inputs[0] : problem.outputs[0];
  const TensorDesc& wide = to_space ? problem.outputs[0] : problem.inputs[0];
  const std::int64_t block = problem.attributes.get_int("blocksize", 1);
  const bool crd = to_space && problem.attributes.get_string("mode", "DCR") == "CRD";
  if (block < 1 || block > 32768 || deep.shape.rank() != 4 || wide.shape.rank() != 4 || deep.shape[0] != wide.shape[0] ||
      deep.shape[1] != wide.shape[1] * block * block || wide.shape[2] != deep.shape[2] * block || wide.shape[3] != deep.shape[3] * block) {
    return unsupported("four axes whose extents fit the block size");
  }
  const std::int64_t c = wide.shape[1], s = deep.strides[1];
  const Shape extents = {deep.shape[0], c, deep.shape[2], block, deep.shape[3], block};
  const Shape in_deep = crd ? Shape{deep.strides[0], s * block * block, deep.strides[2], s * block, deep.strides[3], s}
                            : Shape{deep.strides[0], s, deep.strides[2], s * block * c, deep.strides[3], s * c};
  const Shape in_wide = {wide.strides[0], wide.strides[1], wide.strides[2] * block, wide.strides[2], wide.strides[3] * block, wide.strides[3]};
  add_move(kernel, deep.type, 0, 0, 0, 0, extents, to_space ? in_deep : in_wide, to_space ? in_wide : in_deep);
  return {};
}

constexpr struct {
  std::string_view op;
  Planner plan;
} kPlanners[] = {
    {"Concat", plan_concat},         {"DepthToSpace", plan_depth_space}, {"Expand", plan_expand},           {"Flatten", plan_reshape},
    {"Identity", plan_reorder},      {"Pad", plan_pad},                  {"Reshape", plan_reshape},         {"Slice", plan_slice},
    {"SpaceToDepth", plan_depth_space}, {"Split", plan_split},           {"Squeeze", plan_reshape},         {"Transpose", plan_transpose},
    {"Tile", plan_tile},             {"Unsqueeze", plan_reshape},        {"fovea::reorder", plan_reorder},
};

constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};

class MoveKernel : public Kernel {
 public:
  std::string_view name() const override { return "strided_copy"; }
  std::span<const Layout> layouts() const override { return kLayouts; }
  Status can_run(const Problem& problem) const override {
    PreparedMoves trial;
    return plan(problem, trial);
  }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    auto kernel = std::make_unique<PreparedMoves>();
    kernel->threads = problem.threads;
    FOVEA_RETURN_IF_ERROR(plan(problem, *kernel));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

 private:
  static Status plan(const Problem& problem, PreparedMoves& kernel) {
    for (const auto* group : {&problem.inputs, &problem.outputs}) {
      for (const TensorDesc& desc : *group) {
        if (desc.type == DataType::string) return unsupported("numbers, not strings");
        if (block_of(desc.layout) != 1) return unsupported("unblocked layouts");
      }
    }
    if (!problem.has_input(0) || problem.inputs[0].type != problem.outputs[0].type) return unsupported("input and output of one type");
    const std::size_t size = size_of(problem.inputs[0].type);
    if (size != 1 && size != 2 && size != 4 && size != 8) return unsupported("elements of 1, 2, 4 or 8 bytes");
    for (const auto& row : kPlanners) {
      if (row.op == problem.op) return row.plan(problem, kernel);
    }
    return unsupported("not an operator that moves elements");
  }
};

}  // namespace

const Kernel& strided_copy_kernel() {
  static const MoveKernel kernel;
  return kernel;
}

}  // namespace fovea
