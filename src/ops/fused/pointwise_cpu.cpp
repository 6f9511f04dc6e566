// SPDX-License-Identifier: Apache-2.0
// Pointwise programs tile by tile: up to 1024 elements pass through all instructions while they stay in the L1
// cache. Serves fovea::pointwise and, as one-operator programs, the elementwise operators of ONNX. Any layout that
// all tensors of full rank share; any strides; broadcast inputs are expanded into tiles.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/cpu/kit/threads.h"
#include "device/kernel.h"
#include "ops/fused/lower_elementwise.h"
#include "ops/fused/pointwise_tiles.h"

namespace fovea {

namespace {

using namespace cpu;

constexpr std::int64_t kTile = 1024;
constexpr std::size_t kTileBytes = kTile * 8;

/// One operand over the loop axes, outermost first; strides in elements, 0 where it is broadcast.
struct Stream {
  std::size_t element = 0;
  std::vector<std::int64_t> strides;
};

/// Loops over `extents`; the two innermost axes (rows of `inner` elements) form tiles.
struct Loops {
  std::vector<std::int64_t> extents;   ///< without the two innermost
  std::int64_t rows = 1, inner = 1;
  std::int64_t rows_per_tile = 1, row_tiles = 1, inner_tiles = 1, outer = 1;

  std::int64_t tiles() const { return outer * row_tiles * inner_tiles; }
};

class PreparedPointwise : public PreparedKernel {
 public:
  struct Step {
    TileFunction function = nullptr;
    int operands[5] = {-1, -1, -1, -1, -1};
    int count = 0;
  };

  static Result<std::unique_ptr<PreparedKernel>> create(PointwiseProgram program, const Problem& problem) {
    auto kernel = std::make_unique<PreparedPointwise>();
    FOVEA_RETURN_IF_ERROR(kernel->build(std::move(program), problem));
    return std::unique_ptr<PreparedKernel>(std::move(kernel));
  }

  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(threads_) * buffers_ * kTileBytes; }

  Status run(const Arguments& arguments) override {
    const std::int64_t tiles = loops_.tiles();
    parallel_for(threads_, tiles, [&](std::int64_t begin, std::int64_t end) {
      char* memory = static_cast<char*>(arguments.scratch) + static_cast<std::size_t>(threads_ > 1 ? omp_get_thread_num() : 0) * buffers_ * kTileBytes;
      run_tiles(arguments, memory, begin, end);
    });
    return {};
  }

 private:
  Status build(PointwiseProgram program, const Problem& problem) {
    program.remove_unused();
    simplify(program);
    skip_integer_detours(program);
    program.remove_unused();
    program_ = std::move(program);
    find_loops(problem);
    const std::vector<Step> grids = find_grids();
    const std::size_t count = program_.code.size();
    steps_.resize(count);
    slot_.assign(count, -1);
    output_of_.assign(count, -1);
    for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
      const auto v = static_cast<std::size_t>(program_.outputs[o]);
      const bool computed = program_.code[v].op != PointwiseOp::Input && program_.code[v].op != PointwiseOp::Constant;
      if (computed && output_of_[v] < 0) output_of_[v] = static_cast<int>(o);
    }
    // Buffers: inputs that need expanding and constants keep theirs; temporaries share by lifetime.
    std::vector<std::size_t> last(count, 0);
    std::vector<char> needed(count, 0);
    for (int output : program_.outputs) needed[static_cast<std::size_t>(output)] = 1;
    for (std::size_t i = count; i-- > 0;) {
      if (!needed[i]) continue;
      const auto use = [&](int operand) {
        if (operand < 0) return;
        needed[static_cast<std::size_t>(operand)] = 1;
        last[static_cast<std::size_t>(operand)] = std::max(last[static_cast<std::size_t>(operand)], i);
      };
      if (grids[i].function) std::for_each(grids[i].operands, grids[i].operands + grids[i].count, use);
      else std::for_each(program_.code[i].operands.begin(), program_.code[i].operands.end(), use);
    }
    for (int output : program_.outputs) last[static_cast<std::size_t>(output)] = count;
    std::vector<int> free_slots;
    int next = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const PointwiseInstruction& ins = program_.code[i];
      if (!needed[i]) continue;
      Step& step = steps_[i];
      step.count = operands_of(ins.op);
      std::copy(ins.operands.begin(), ins.operands.end(), step.operands);
      if (ins.op == PointwiseOp::Input || ins.op == PointwiseOp::Constant) {
        slot_[i] = next++;
        continue;
      }
      const DataType from = program_.type_of(ins.op == PointwiseOp::Select ? ins.operands[1] : ins.operands[0]);
      if (grids[i].function) step = grids[i];
      if (!step.function) step.function = simd_tile_function(ins.op, from, ins.type);
      if (!step.function) step.function = scalar_tile_function(ins.op, from, ins.type);
      if (!step.function) return unsupported("pointwise: no code for ", name(ins.op), " on ", name(from));
      if (!free_slots.empty()) {
        slot_[i] = free_slots.back();
        free_slots.pop_back();
      } else {
        slot_[i] = next++;
      }
      for (int k = 0; k < step.count; ++k) {
        const auto operand = static_cast<std::size_t>(step.operands[k]);
        const bool temporary = steps_[operand].function != nullptr;
        const bool again = std::find(step.operands, step.operands + k, step.operands[k]) != step.operands + k;
        if (temporary && last[operand] == i && !again) free_slots.push_back(slot_[operand]);
      }
    }
    buffers_ = static_cast<std::size_t>(next);
    std::int64_t work = static_cast<std::int64_t>(count) * kTile;
    for (const PointwiseInstruction& ins : program_.code) work += operands_of(ins.op) == 1 && ins.op != PointwiseOp::Relu ? 4 * kTile : 0;
    threads_ = useful_threads(problem.threads, loops_.tiles(), std::min(work, work * loops_.rows * loops_.inner / kTile + 1));
    return {};
  }

  /// Powers with a constant exponent that are a multiplication or a root.
  static void simplify(PointwiseProgram& program) {
    for (PointwiseInstruction& ins : program.code) {
      if (ins.op != PointwiseOp::Pow || !is_floating(ins.type)) continue;
      const PointwiseInstruction& exponent = program.code[static_cast<std::size_t>(ins.operands[1])];
      if (exponent.op != PointwiseOp::Constant) continue;
      if (exponent.constant.real == 2) ins.op = PointwiseOp::Mul, ins.operands[1] = ins.operands[0];
      if (exponent.constant.real == 0.5) ins.op = PointwiseOp::Sqrt, ins.operands[1] = -1;
      if (exponent.constant.real == -1) ins.op = PointwiseOp::Reciprocal, ins.operands[1] = -1;
    }
  }

  /// Whole numbers, whatever the inputs are (NaN aside).
  static bool is_whole(const PointwiseProgram& program, int v) {
    const PointwiseInstruction& ins = program.code[static_cast<std::size_t>(v)];
    switch (ins.op) {
      case PointwiseOp::Round: case PointwiseOp::Floor: case PointwiseOp::Ceil: return true;
      case PointwiseOp::Constant: return is_floating(ins.type) && ins.constant.real == std::nearbyint(ins.constant.real);
      case PointwiseOp::Add: case PointwiseOp::Sub: case PointwiseOp::Max: case PointwiseOp::Min:
        return is_whole(program, ins.operands[0]) && is_whole(program, ins.operands[1]);
      default: return false;
    }
  }

  /// min(max(x, low), high) with constants: its operands, or -1.
  struct Clamp {
    int x = -1, low = -1, high = -1;
  };
  static Clamp clamp_at(const PointwiseProgram& program, int v) {
    const auto at = [&](int i) -> const PointwiseInstruction& { return program.code[static_cast<std::size_t>(i)]; };
    if (at(v).op != PointwiseOp::Min || at(at(v).operands[1]).op != PointwiseOp::Constant) return {};
    const PointwiseInstruction& inner = at(at(v).operands[0]);
    if (inner.op != PointwiseOp::Max || at(inner.operands[1]).op != PointwiseOp::Constant) return {};
    return {inner.operands[0], inner.operands[1], at(v).operands[1]};
  }

  /// f32 -> i8 or u8 -> f32 changes nothing on whole numbers clamped to the type's range.
  static void skip_integer_detours(PointwiseProgram& program) {
    for (PointwiseInstruction& ins : program.code) {
      for (int& operand : ins.operands) {
        if (operand < 0) continue;
        const PointwiseInstruction& outer = program.code[static_cast<std::size_t>(operand)];
        if (outer.op != PointwiseOp::Cast || outer.type != DataType::f32) continue;
        const PointwiseInstruction& inner = program.code[static_cast<std::size_t>(outer.operands[0])];
        if (inner.op != PointwiseOp::Cast || (inner.type != DataType::i8 && inner.type != DataType::u8)) continue;
        const int source = inner.operands[0];
        const Clamp clamp = clamp_at(program, source);
        if (clamp.x < 0 || program.type_of(source) != DataType::f32 || !is_whole(program, source)) continue;
        const double low = program.code[static_cast<std::size_t>(clamp.low)].constant.real, high = program.code[static_cast<std::size_t>(clamp.high)].constant.real;
        const bool fits = inner.type == DataType::i8 ? low >= -128 && high <= 127 : low >= 0 && high <= 255;
        if (fits) operand = source;
      }
    }
  }

  /// Steps that stand for a whole quantise-dequantise chain, at the number of its last instruction.
  std::vector<Step> find_grids() {
    const int nothing = program_.add_constant(DataType::f32, 0);
    std::vector<Step> grids(program_.code.size());
    const auto at = [&](int i) -> const PointwiseInstruction& { return program_.code[static_cast<std::size_t>(i)]; };
    for (std::size_t i = 0; i < program_.code.size(); ++i) {
      const PointwiseInstruction& mul = program_.code[i];
      if (mul.op != PointwiseOp::Mul || mul.type != DataType::f32 || at(mul.operands[1]).op != PointwiseOp::Constant) continue;
      const int scale = mul.operands[1];
      // With a zero point of 0 its addition and subtraction are missing.
      const PointwiseInstruction& sub = at(mul.operands[0]);
      const bool shifted = sub.op == PointwiseOp::Sub && at(sub.operands[1]).op == PointwiseOp::Constant;
      const int zero = shifted ? sub.operands[1] : nothing;
      const Clamp clamp = clamp_at(program_, shifted ? sub.operands[0] : mul.operands[0]);
      if (clamp.x < 0) continue;
      const PointwiseInstruction& add = at(clamp.x);
      if (shifted && (add.op != PointwiseOp::Add || add.operands[1] != zero)) continue;
      const PointwiseInstruction& round = shifted ? at(add.operands[0]) : add;
      if (round.op != PointwiseOp::Round) continue;
      const PointwiseInstruction& div = at(round.operands[0]);
      if (div.op != PointwiseOp::Div || div.operands[1] != scale) continue;
      grids[i].function = fake_quantise_tile_function();
      grids[i].count = 5;
      const int operands[] = {div.operands[0], scale, zero, clamp.low, clamp.high};
      std::copy_n(operands, 5, grids[i].operands);
    }
    return grids;
  }

  void find_loops(const Problem& problem) {
    const TensorDesc& lead = problem.outputs[0];
    const int rank = lead.shape.rank();
    const auto add_stream = [&](const TensorDesc& desc, std::vector<Stream>& into) {
      Stream stream{size_of(desc.type), {}};
      for (int axis = 0; axis < rank; ++axis) {
        const int own = axis - (rank - desc.shape.rank());
        stream.strides.push_back(own < 0 || (desc.shape[own] == 1 && lead.shape[axis] != 1) ? 0 : desc.strides[own]);
      }
      into.push_back(std::move(stream));
    };
    for (const TensorDesc& input : problem.inputs) {
      if (input.type == DataType::undefined) inputs_.emplace_back(Stream{0, std::vector<std::int64_t>(static_cast<std::size_t>(rank), 0)});
      else add_stream(input, inputs_);
    }
    for (const TensorDesc& output : problem.outputs) add_stream(output, outputs_);
    // Axes in the output's memory order, neighbours joined where every stream runs through.
    std::vector<int> order;
    for (int axis = 0; axis < rank; ++axis) {
      if (lead.shape[axis] != 1) order.push_back(axis);
    }
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return lead.strides[a] > lead.strides[b]; });
    std::vector<std::int64_t> extents;
    std::vector<std::vector<std::int64_t>> strides;  // per joined axis, per stream
    const auto stride_list = [&](int axis) {
      std::vector<std::int64_t> list;
      for (const auto* group : {&inputs_, &outputs_}) {
        for (const Stream& s : *group) list.push_back(s.strides[static_cast<std::size_t>(axis)]);
      }
      return list;
    };
    for (int axis : order) {
      const std::vector<std::int64_t> list = stride_list(axis);
      const std::int64_t extent = lead.shape[axis];
      bool joins = !extents.empty();
      for (std::size_t s = 0; joins && s < list.size(); ++s) joins = strides.back()[s] == list[s] * extent;
      if (joins) {
        extents.back() *= extent;
        strides.back() = list;
      } else {
        extents.push_back(extent);
        strides.push_back(list);
      }
    }
    while (extents.size() < 2) {
      extents.insert(extents.begin(), 1);
      strides.insert(strides.begin(), std::vector<std::int64_t>(inputs_.size() + outputs_.size(), 0));
    }
    std::size_t s = 0;
    for (auto* group : {&inputs_, &outputs_}) {
      for (Stream& stream : *group) {
        stream.strides.clear();
        for (const auto& axis : strides) stream.strides.push_back(axis[s]);
        ++s;
      }
    }
    loops_.inner = extents.back();
    loops_.rows = extents[extents.size() - 2];
    loops_.extents.assign(extents.begin(), extents.end() - 2);
    for (std::int64_t extent : loops_.extents) loops_.outer *= extent;
    loops_.inner_tiles = (loops_.inner + kTile - 1) / kTile;
    loops_.rows_per_tile = loops_.inner_tiles > 1 ? 1 : std::max<std::int64_t>(1, std::min(loops_.rows, kTile / std::max<std::int64_t>(1, loops_.inner)));
    loops_.row_tiles = (loops_.rows + loops_.rows_per_tile - 1) / loops_.rows_per_tile;
    if (lead.shape.elements() == 0) loops_.outer = 0;
  }

  /// Element offset of a tile's first element in a stream.
  static std::int64_t offset_of(const Loops& loops, const Stream& stream, std::int64_t outer, std::int64_t row, std::int64_t column) {
    const std::size_t axes = loops.extents.size();
    std::int64_t offset = row * stream.strides[axes] + column * stream.strides[axes + 1];
    for (std::size_t axis = axes; axis-- > 0;) {
      offset += outer % loops.extents[axis] * stream.strides[axis];
      outer /= loops.extents[axis];
    }
    return offset;
  }

  template <class T>
  static void gather_rows(const T* src, std::int64_t row_stride, std::int64_t stride, T* dst, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t r = 0; r < rows; ++r, src += row_stride, dst += columns) {
      if (stride == 1) std::memcpy(dst, src, static_cast<std::size_t>(columns) * sizeof(T));
      else if (stride == 0) std::fill_n(dst, columns, *src);
      else for (std::int64_t c = 0; c < columns; ++c) dst[c] = src[c * stride];
    }
  }
  template <class T>
  static void scatter_rows(const T* src, T* dst, std::int64_t row_stride, std::int64_t stride, std::int64_t rows, std::int64_t columns) {
    for (std::int64_t r = 0; r < rows; ++r, src += columns, dst += row_stride) {
      if (stride == 1) std::memcpy(dst, src, static_cast<std::size_t>(columns) * sizeof(T));
      else for (std::int64_t c = 0; c < columns; ++c) dst[c * stride] = src[c];
    }
  }
  /// Calls body with a pointer type of the element's size.
  template <class Body>
  static void by_size(std::size_t element, Body&& body) {
    switch (element) {
      case 1: return body(static_cast<std::uint8_t*>(nullptr));
      case 2: return body(static_cast<std::uint16_t*>(nullptr));
      case 4: return body(static_cast<std::uint32_t*>(nullptr));
      default: return body(static_cast<std::uint64_t*>(nullptr));
    }
  }

  static constexpr std::size_t kMaxCode = 256;

  void run_tiles(const Arguments& arguments, char* memory, std::int64_t begin, std::int64_t end) const {
    const std::size_t count = program_.code.size();
    const void* value[kMaxCode];         // where each value of the present tile lies
    const void* filled[kMaxCode] = {};   // source address that a kept expansion was made from
    std::int64_t filled_rows[kMaxCode] = {};
    const auto buffer = [&](std::size_t i) { return memory + static_cast<std::size_t>(slot_[i]) * kTileBytes; };
    for (std::size_t i = 0; i < count; ++i) {
      if (program_.code[i].op != PointwiseOp::Constant || slot_[i] < 0) continue;
      for (std::int64_t e = 0; e < kTile; ++e) store_scalar(program_.code[i].type, buffer(i), e, program_.code[i].constant);
      value[i] = buffer(i);
    }
    const std::size_t axes = loops_.extents.size();
    for (std::int64_t tile = begin; tile < end; ++tile) {
      const std::int64_t column = tile % loops_.inner_tiles * kTile;
      const std::int64_t row = tile / loops_.inner_tiles % loops_.row_tiles * loops_.rows_per_tile;
      const std::int64_t outer = tile / loops_.inner_tiles / loops_.row_tiles;
      const std::int64_t columns = std::min(kTile, loops_.inner - column), rows = std::min(loops_.rows_per_tile, loops_.rows - row);
      const std::int64_t n = rows * columns;
      const auto direct = [&](const Stream& s) { return s.strides[axes + 1] == 1 && (rows == 1 || s.strides[axes] == columns); };
      for (std::size_t i = 0; i < count; ++i) {
        const PointwiseInstruction& ins = program_.code[i];
        if (ins.op == PointwiseOp::Constant || slot_[i] < 0) continue;
        if (ins.op == PointwiseOp::Input) {
          const Stream& stream = inputs_[static_cast<std::size_t>(ins.index)];
          const char* src = static_cast<const char*>(arguments.inputs[ins.index]) + offset_of(loops_, stream, outer, row, column) * static_cast<std::int64_t>(stream.element);
          if (direct(stream)) {
            value[i] = src;
            continue;
          }
          value[i] = buffer(i);
          // A pattern that repeats every row, or a scalar, stays from the last tile.
          const bool repeats = stream.strides[axes] == 0;
          if (repeats && filled[i] == src && filled_rows[i] >= n) continue;
          by_size(stream.element, [&](auto* tag) {
            using T = std::remove_pointer_t<decltype(tag)>;
            gather_rows(reinterpret_cast<const T*>(src), stream.strides[axes], stream.strides[axes + 1], reinterpret_cast<T*>(buffer(i)), rows, columns);
          });
          filled[i] = repeats ? src : nullptr;
          filled_rows[i] = n;
          continue;
        }
        void* target = buffer(i);
        if (output_of_[i] >= 0) {
          const Stream& stream = outputs_[static_cast<std::size_t>(output_of_[i])];
          if (direct(stream)) target = static_cast<char*>(arguments.outputs[output_of_[i]]) + offset_of(loops_, stream, outer, row, column) * static_cast<std::int64_t>(stream.element);
        }
        const Step& step = steps_[i];
        const void* operands[5];
        for (int k = 0; k < step.count; ++k) operands[k] = value[step.operands[k]];
        step.function(operands, target, n);
        value[i] = target;
      }
      for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
        const Stream& stream = outputs_[o];
        char* dst = static_cast<char*>(arguments.outputs[o]) + offset_of(loops_, stream, outer, row, column) * static_cast<std::int64_t>(stream.element);
        const void* from = value[program_.outputs[o]];
        if (from == dst) continue;
        by_size(stream.element, [&](auto* tag) {
          using T = std::remove_pointer_t<decltype(tag)>;
          scatter_rows(static_cast<const T*>(from), reinterpret_cast<T*>(dst), stream.strides[axes], stream.strides[axes + 1], rows, columns);
        });
      }
    }
  }

  PointwiseProgram program_;
  std::vector<Stream> inputs_, outputs_;
  Loops loops_;
  std::vector<Step> steps_;
  std::vector<int> slot_, output_of_;
  std::size_t buffers_ = 0;
  int threads_ = 1;

};

constexpr Layout kAnyLayout[] = {Layout::nhwc, Layout::plain};

class PointwiseKernel : public Kernel {
 public:
  std::string_view name() const override { return "pointwise_tiles"; }
  std::span<const Layout> layouts() const override { return kAnyLayout; }
  bool may_run_in_place(int, int) const override { return false; }

  Status can_run(const Problem& problem) const override {
    FOVEA_ASSIGN(const PointwiseProgram program, program_for(problem));
    if (program.code.size() > 200) return unsupported("at most 200 instructions");
    const TensorDesc& lead = problem.outputs[0];
    for (const TensorDesc& output : problem.outputs) {
      if (!(output.shape == lead.shape)) return unsupported("outputs of one shape");
    }
    for (const auto* group : {&problem.inputs, &problem.outputs}) {
      for (const TensorDesc& desc : *group) {
        if (desc.type == DataType::undefined) continue;
        if (block_of(desc.layout) != 1) return unsupported("blocked layouts");
        if (desc.shape.rank() > lead.shape.rank()) return unsupported("outputs have the broadcast shape of all inputs");
        for (int axis = 1; axis <= desc.shape.rank(); ++axis) {
          const std::int64_t own = desc.shape[desc.shape.rank() - axis], wanted = lead.shape[lead.shape.rank() - axis];
          if (own != wanted && own != 1) return unsupported("outputs have the broadcast shape of all inputs");
        }
      }
    }
    return {};
  }

  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    FOVEA_ASSIGN(PointwiseProgram program, program_for(problem));
    return PreparedPointwise::create(std::move(program), problem);
  }

 private:
  static Result<PointwiseProgram> program_for(const Problem& problem) {
    std::vector<DataType> types;
    for (const TensorDesc& input : problem.inputs) types.push_back(input.type);
    PointwiseProgram program;
    if (problem.op == "fovea::pointwise") {
      FOVEA_ASSIGN(program, PointwiseProgram::parse(problem.attributes.get_string("program")));
      const std::vector<DataType> wanted = program.input_types();
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (i >= types.size() || (wanted[i] != DataType::undefined && wanted[i] != types[i])) return unsupported("the program's inputs differ from the node's");
      }
    } else {
      FOVEA_ASSIGN(program, program_of(problem.op, problem.attributes, types));
    }
    if (program.outputs.size() != problem.outputs.size()) return unsupported("the program's outputs differ from the node's");
    for (std::size_t i = 0; i < program.outputs.size(); ++i) {
      if (program.type_of(program.outputs[i]) != problem.outputs[i].type) return unsupported("the program's outputs differ from the node's");
    }
    return program;
  }
};

}  // namespace

const Kernel& pointwise_tiles() {
  static const PointwiseKernel kernel;
  return kernel;
}

}  // namespace fovea
