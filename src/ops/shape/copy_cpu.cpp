// SPDX-License-Identifier: Apache-2.0
// Operators that only move elements, in any layout and stride: fovea::reorder, Identity, the reshapes, Transpose,
// Concat, Split, Slice, Expand, Pad with a constant. Each becomes a few strided copies made ready once.
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
struct Piece {
  int input, output;
  std::int64_t src_offset, dst_offset;
  StridedCopy copy;
  std::int64_t bytes;
};

/// An output filled with one element before pieces are copied into it (Pad).
struct Fill {
  std::size_t bytes = 0;
  std::size_t element_bytes = 0;
  unsigned char element[16] = {};
};

struct CopyPlan {
  std::vector<Piece> pieces;
  Fill fill;
};

bool is_reshape(std::string_view op) { return op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze"; }

std::int64_t element_bytes(const TensorDesc& desc) { return static_cast<std::int64_t>(size_of(desc.type)); }

Piece make_piece(int input, const TensorDesc& from, std::int64_t src_offset, const Shape& src_strides, int output, const TensorDesc& to,
                 std::int64_t dst_offset, const Shape& dst_strides, const Shape& extents) {
  const std::int64_t size = element_bytes(from);
  static_cast<void>(to);
  return {input, output, src_offset * size, dst_offset * size,
          StridedCopy(size_of(from.type), extents.dims(), src_strides.dims(), dst_strides.dims()), extents.elements() * size};
}

Result<std::vector<std::int64_t>> constant_ints(const Problem& problem, int i, const char* what) {
  if (!problem.has_input(i)) return std::vector<std::int64_t>();
  if (!problem.is_constant(i)) return unsupported(what, " must be constant");
  return ops::int_values(problem.constants[static_cast<std::size_t>(i)], what);
}

Result<int> axis_of(const Problem& problem, std::int64_t fallback) {
  const int rank = problem.inputs[0].shape.rank();
  const std::int64_t axis = problem.attributes.get_int("axis", fallback);
  if (axis < -rank || axis >= rank) return unsupported("axis ", axis, " is out of range");
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<CopyPlan> plan_whole(const Problem& problem) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  CopyPlan plan;
  if (is_reshape(problem.op)) {
    if (!x.is_plain_dense() || !y.is_plain_dense()) return unsupported("a reshape of strided or channels-last memory");
    const Shape extents{x.shape.elements()}, one{1};
    plan.pieces.push_back(make_piece(0, x, 0, one, 0, y, 0, one, extents));
  } else {
    plan.pieces.push_back(make_piece(0, x, 0, x.strides, 0, y, 0, y.strides, x.shape));
  }
  return plan;
}

Result<CopyPlan> plan_transpose(const Problem& problem) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  const int rank = x.shape.rank();
  std::vector<std::int64_t> perm = problem.attributes.get_ints("perm");
  if (perm.empty()) {
    for (int axis = rank - 1; axis >= 0; --axis) perm.push_back(axis);
  }
  Shape strides;
  for (const std::int64_t axis : perm) strides.push_back(x.strides[static_cast<int>(axis)]);
  CopyPlan plan;
  plan.pieces.push_back(make_piece(0, x, 0, strides, 0, y, 0, y.strides, y.shape));
  return plan;
}

Result<CopyPlan> plan_concat(const Problem& problem) {
  FOVEA_ASSIGN(const int axis, axis_of(problem, 0));
  const TensorDesc& y = problem.outputs[0];
  CopyPlan plan;
  std::int64_t offset = 0;
  for (int i = 0; i < static_cast<int>(problem.inputs.size()); ++i) {
    const TensorDesc& x = problem.inputs[static_cast<std::size_t>(i)];
    plan.pieces.push_back(make_piece(i, x, 0, x.strides, 0, y, offset * y.strides[axis], y.strides, x.shape));
    offset += x.shape[axis];
  }
  return plan;
}

Result<CopyPlan> plan_split(const Problem& problem) {
  FOVEA_ASSIGN(const int axis, axis_of(problem, 0));
  const TensorDesc& x = problem.inputs[0];
  CopyPlan plan;
  std::int64_t offset = 0;
  for (int o = 0; o < static_cast<int>(problem.outputs.size()); ++o) {
    const TensorDesc& y = problem.outputs[static_cast<std::size_t>(o)];
    if (y.type == DataType::undefined) return unsupported("a split with unused parts");
    plan.pieces.push_back(make_piece(0, x, offset * x.strides[axis], x.strides, o, y, 0, y.strides, y.shape));
    offset += y.shape[axis];
  }
  return plan;
}

Result<CopyPlan> plan_slice(const Problem& problem) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  FOVEA_ASSIGN(const auto starts, constant_ints(problem, 1, "starts"));
  FOVEA_ASSIGN(const auto ends, constant_ints(problem, 2, "ends"));
  FOVEA_ASSIGN(const auto steps, constant_ints(problem, 4, "steps"));
  std::vector<std::int64_t> listed;
  if (problem.has_input(3)) {
    FOVEA_ASSIGN(listed, constant_ints(problem, 3, "axes"));
  } else {
    for (std::size_t i = 0; i < starts.size(); ++i) listed.push_back(static_cast<std::int64_t>(i));
  }
  FOVEA_ASSIGN(const auto axes, ops::normalize_axes(listed, x.shape.rank()));
  if (ends.size() != axes.size() || starts.size() != axes.size() || (!steps.empty() && steps.size() != axes.size())) return unsupported("lists of different lengths");
  Shape strides = x.strides;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<int>(axes[i]);
    const std::int64_t step = steps.empty() ? 1 : steps[i];
    if (step == 0) return unsupported("a step of 0");
    const ops::SliceRange range = ops::slice_range(starts[i], ends[i], step, x.shape[axis]);
    if (range.length != y.shape[axis]) return unsupported("a slice whose extent is not the planned one");
    offset += range.start * x.strides[axis];
    strides[axis] = x.strides[axis] * range.step;
  }
  CopyPlan plan;
  plan.pieces.push_back(make_piece(0, x, offset, strides, 0, y, 0, y.strides, y.shape));
  return plan;
}

Result<CopyPlan> plan_expand(const Problem& problem) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  const int lead = y.shape.rank() - x.shape.rank();
  Shape strides;
  for (int axis = 0; axis < y.shape.rank(); ++axis) {
    const bool stretched = axis < lead || (x.shape[axis - lead] == 1 && y.shape[axis] != 1);
    if (!stretched && x.shape[axis - lead] != y.shape[axis]) return unsupported("shapes that do not broadcast");
    strides.push_back(stretched ? 0 : x.strides[axis - lead]);
  }
  CopyPlan plan;
  plan.pieces.push_back(make_piece(0, x, 0, strides, 0, y, 0, y.strides, y.shape));
  return plan;
}

Result<CopyPlan> plan_pad(const Problem& problem) {
  const TensorDesc &x = problem.inputs[0], &y = problem.outputs[0];
  if (problem.attributes.get_string("mode", "constant") != "constant") return unsupported("pads other than constant ones");
  if (!y.is_dense()) return unsupported("a strided output");
  FOVEA_ASSIGN(const auto pads, constant_ints(problem, 1, "pads"));
  std::vector<std::int64_t> listed;
  if (problem.has_input(3)) {
    FOVEA_ASSIGN(listed, constant_ints(problem, 3, "axes"));
  } else {
    for (int axis = 0; axis < x.shape.rank(); ++axis) listed.push_back(axis);
  }
  FOVEA_ASSIGN(const auto axes, ops::normalize_axes(listed, x.shape.rank()));
  if (pads.size() != 2 * axes.size()) return unsupported("pads that do not fit the axes");
  Shape kept = x.shape;
  std::int64_t src_offset = 0, dst_offset = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<int>(axes[i]);
    const std::int64_t before = pads[i], after = pads[i + axes.size()];
    if (x.shape[axis] + before + after != y.shape[axis]) return unsupported("pads that do not give the planned extent");
    if (before < 0) src_offset -= before * x.strides[axis];
    else dst_offset += before * y.strides[axis];
    kept[axis] += std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0);
    if (kept[axis] < 0) return unsupported("crops of more than there is");
  }
  CopyPlan plan;
  plan.fill.bytes = y.bytes();
  plan.fill.element_bytes = size_of(y.type);
  if (problem.has_input(2)) {
    if (!problem.is_constant(2)) return unsupported("a fill value that is not constant");
    const Tensor& value = problem.constants[2];
    if (value.type() != y.type || value.elements() != 1) return unsupported("a fill value of another type");
    std::memcpy(plan.fill.element, value.raw(), size_of(y.type));
  }
  plan.pieces.push_back(make_piece(0, x, src_offset, x.strides, 0, y, dst_offset, y.strides, kept));
  return plan;
}

Result<CopyPlan> plan_copies(const Problem& problem) {
  for (const auto* group : {&problem.inputs, &problem.outputs}) {
    for (const TensorDesc& desc : *group) {
      if (block_of(desc.layout) != 1) return unsupported("blocked layouts");
      if (desc.type == DataType::string) return unsupported("strings");
    }
  }
  if (problem.op == "Transpose") return plan_transpose(problem);
  if (problem.op == "Concat") return plan_concat(problem);
  if (problem.op == "Split") return plan_split(problem);
  if (problem.op == "Slice") return plan_slice(problem);
  if (problem.op == "Expand") return plan_expand(problem);
  if (problem.op == "Pad") return plan_pad(problem);
  return plan_whole(problem);
}

class PreparedCopies : public PreparedKernel {
 public:
  PreparedCopies(CopyPlan plan, int threads) : plan_(std::move(plan)), threads_(threads) {}

  Status run(const Arguments& arguments) override {
    if (plan_.fill.bytes > 0) fill(static_cast<unsigned char*>(arguments.outputs[0]));
    for (const Piece& piece : plan_.pieces) {
      const auto* src = static_cast<const std::byte*>(arguments.inputs[piece.input]) + piece.src_offset;
      auto* dst = static_cast<std::byte*>(arguments.outputs[piece.output]) + piece.dst_offset;
      const int parts = useful_threads(threads_, piece.bytes, 1);
      parallel_for(parts, parts, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t part = begin; part < end; ++part) piece.copy.run_part(src, dst, static_cast<int>(part), parts);
      });
    }
    return {};
  }

 private:
  void fill(unsigned char* out) const {
    const Fill& f = plan_.fill;
    bool uniform = true;
    for (std::size_t i = 1; i < f.element_bytes; ++i) uniform = uniform && f.element[i] == f.element[0];
    if (uniform) {
      std::memset(out, f.element[0], f.bytes);
      return;
    }
    for (std::size_t at = 0; at < f.bytes; at += f.element_bytes) std::memcpy(out + at, f.element, f.element_bytes);
  }

  CopyPlan plan_;
  int threads_;
};

class CopyKernel : public Kernel {
 public:
  std::string_view name() const override { return "strided_copy"; }
  std::span<const Layout> layouts() const override {
    static constexpr Layout kLayouts[] = {Layout::nhwc, Layout::plain};
    return kLayouts;
  }
  Status can_run(const Problem& problem) const override { return plan_copies(problem).status(); }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(CopyPlan plan, plan_copies(problem));
    return std::unique_ptr<PreparedKernel>(std::make_unique<PreparedCopies>(std::move(plan), problem.threads));
  }
};

}  // namespace

const Kernel& strided_copy_kernel() {
  static const CopyKernel kernel;
  return kernel;
}

}  // namespace fovea
