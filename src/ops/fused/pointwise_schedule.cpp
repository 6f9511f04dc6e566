// SPDX-License-Identifier: Apache-2.0
#include "ops/fused/pointwise_schedule.h"

#include <algorithm>
#include <cstring>

namespace fovea::cpu {

namespace {

/// A shorter part is done sooner by vector code than by looking up byte for byte.
constexpr int kMinInstructionsForTable = 12;
/// Tables beyond the L2 cache would be slower than computing.
constexpr std::int64_t kMaxTables = 2048;

bool is_leaf(const PointwiseInstruction& ins) { return ins.op == PointwiseOp::Input || ins.op == PointwiseOp::Constant; }

/// n copies of the element at the front of `data`.
void repeat_element(char* data, std::size_t element, std::int64_t n) {
  const std::size_t total = element * static_cast<std::size_t>(n);
  for (std::size_t done = element; done < total; done *= 2) std::memcpy(data + done, data, std::min(done, total - done));
}

const char* address(const void* base, const PointwiseStream& stream, std::int64_t offset) {
  return static_cast<const char*>(base) + offset * static_cast<std::int64_t>(stream.element);
}
char* address(void* base, const PointwiseStream& stream, std::int64_t offset) {
  return static_cast<char*>(base) + offset * static_cast<std::int64_t>(stream.element);
}

}  // namespace

Result<PointwiseSchedule> PointwiseSchedule::create(PointwiseProgram program, std::span<const Tensor> constants, const PointwiseLoops& loops) {
  PointwiseSchedule schedule;
  program.remove_unused();
  simplify_powers(program);
  schedule.program_ = std::move(program);
  FOVEA_RETURN_IF_ERROR(schedule.choose_steps(constants, loops));
  schedule.assign_buffers();
  return schedule;
}

/// Backwards from the outputs: tables where they save much, then whole quantisation steps, then single instructions.
Status PointwiseSchedule::choose_steps(std::span<const Tensor> constants, const PointwiseLoops& loops) {
  const std::vector<TablePart> parts = find_table_parts(program_, constants, loops);
  skip_integer_detours(program_);
  const std::vector<PointwiseStep> steps = find_quantisation_steps(program_);
  values_.resize(program_.code.size());
  std::vector<char> needed(program_.code.size(), 0);
  for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
    const auto v = static_cast<std::size_t>(program_.outputs[o]);
    needed[v] = 1;
    if (!is_leaf(program_.code[v]) && values_[v].output < 0) values_[v].output = static_cast<int>(o);
  }
  for (std::size_t v = program_.code.size(); v-- > 0;) {
    const PointwiseInstruction& ins = program_.code[v];
    Value& value = values_[v];
    if (!needed[v] || is_leaf(ins)) continue;
    PointwiseStep& step = value.step;
    const std::int64_t tables = v < parts.size() && parts[v].instructions >= kMinInstructionsForTable ? count_tables(parts[v], constants) : 0;
    if (tables > 0 && tables <= kMaxTables && 256 * tables <= 4 * loops.elements()) {
      value.tables = static_cast<int>(tables_.size());
      FOVEA_RETURN_IF_ERROR(fill_tables(parts[v], constants, tables_.emplace_back()));
      step.operands[0] = parts[v].source;
      step.count = 1;
      work_ += 4;
    } else if (v < steps.size() && steps[v].function) {
      step = steps[v];
      work_ += 2;
    } else {
      const DataType from = program_.type_of(ins.op == PointwiseOp::Select ? ins.operands[1] : ins.operands[0]);
      step.function = simd_tile_function(ins.op, from, ins.type);
      if (!step.function) step.function = scalar_tile_function(ins.op, from, ins.type);
      if (!step.function) return unsupported("pointwise: no code for ", name(ins.op), " on ", name(from));
      step.count = operands_of(ins.op);
      std::copy(ins.operands.begin(), ins.operands.end(), step.operands);
      work_ += step.count == 1 && ins.op != PointwiseOp::Relu ? 5 : 1;
    }
    for (int k = 0; k < step.count; ++k) needed[static_cast<std::size_t>(step.operands[k])] = 1;
  }
  for (std::size_t v = 0; v < values_.size(); ++v) {
    if (needed[v] && is_leaf(program_.code[v])) values_[v].buffer = buffers_++;
  }
  return {};
}

/// Runs the part on all 256 bytes, once for each set of parameters.
Status PointwiseSchedule::fill_tables(const TablePart& part, std::span<const Tensor> constants, Tables& tables) const {
  constexpr std::int64_t kEntries = 256;
  const std::int64_t count = count_tables(part, constants);
  tables.bytes.resize(static_cast<std::size_t>(count * kEntries));
  if (!part.parameters.empty()) tables.index_input = part.parameters[0];
  // As a problem: [count, 256] bytes from [256] and from one number a row.
  const auto desc = [](DataType type, Shape shape) { return TensorDesc::dense(type, shape); };
  std::vector<std::uint8_t> entries(kEntries);
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = static_cast<std::uint8_t>(i);
  std::vector<TensorDesc> inputs = {desc(program_.type_of(part.source), {kEntries})};
  std::vector<const void*> addresses = {entries.data()};
  for (const int parameter : part.parameters) {
    const Tensor& tensor = constants[static_cast<std::size_t>(parameter)];
    inputs.push_back(desc(tensor.type(), {count, 1}));
    addresses.push_back(tensor.raw());
  }
  const std::vector<TensorDesc> outputs = {desc(part.program.type_of(part.program.outputs[0]), {count, kEntries})};
  const Attributes none;
  const PointwiseLoops loops({"fovea::pointwise", none, inputs, outputs, {}});
  FOVEA_ASSIGN(const PointwiseSchedule filling, create(part.program, {}, loops));
  std::vector<char> scratch(filling.scratch_bytes());
  void* result = tables.bytes.data();
  filling.run(loops, {addresses.data(), &result, nullptr}, scratch.data(), 0, loops.tiles());
  return {};
}

/// Inputs and constants keep their buffers; temporaries share by lifetime.
void PointwiseSchedule::assign_buffers() {
  std::vector<std::size_t> last(values_.size(), 0);
  for (std::size_t v = 0; v < values_.size(); ++v) {
    for (int k = 0; k < values_[v].step.count; ++k) last[static_cast<std::size_t>(values_[v].step.operands[k])] = v;
  }
  for (const int output : program_.outputs) last[static_cast<std::size_t>(output)] = values_.size();
  std::vector<int> free_buffers;
  for (std::size_t v = 0; v < values_.size(); ++v) {
    Value& value = values_[v];
    if (!value.is_computed()) continue;
    if (!free_buffers.empty()) {
      value.buffer = free_buffers.back();
      free_buffers.pop_back();
    } else {
      value.buffer = buffers_++;
    }
    const int* operands = value.step.operands;
    for (int k = 0; k < value.step.count; ++k) {
      const auto operand = static_cast<std::size_t>(operands[k]);
      const bool again = std::find(operands, operands + k, operands[k]) != operands + k;
      if (values_[operand].is_computed() && last[operand] == v && !again) free_buffers.push_back(values_[operand].buffer);
    }
  }
}

void PointwiseSchedule::fill_constants(Tile& tile) const {
  for (std::size_t v = 0; v < values_.size(); ++v) {
    const PointwiseInstruction& ins = program_.code[v];
    if (ins.op != PointwiseOp::Constant || values_[v].buffer < 0) continue;
    store_scalar(ins.type, buffer(tile, v), 0, ins.constant);
    repeat_element(buffer(tile, v), size_of(ins.type), kTile);
    tile.value[v] = buffer(tile, v);
  }
}

void PointwiseSchedule::bind_input(const PointwiseLoops& loops, const Arguments& arguments, const TilePlace& place, std::size_t v, Tile& tile) const {
  const int index = program_.code[v].index;
  const PointwiseStream& stream = loops.inputs()[static_cast<std::size_t>(index)];
  const void* src = address(arguments.inputs[index], stream, loops.offset(stream, place));
  if (is_consecutive(stream, place)) {
    tile.value[v] = src;
    return;
  }
  tile.value[v] = buffer(tile, v);
  // A pattern that repeats every row, or a scalar, stays from the last tile.
  const bool repeats = stream.row_stride() == 0;
  if (repeats && tile.expanded[v] == src && tile.expanded_elements[v] >= place.elements()) return;
  gather_tile(src, stream, place, buffer(tile, v));
  tile.expanded[v] = repeats ? src : nullptr;
  tile.expanded_elements[v] = place.elements();
}

void PointwiseSchedule::compute(const PointwiseLoops& loops, const Arguments& arguments, const TilePlace& place, std::size_t v, Tile& tile) const {
  const Value& value = values_[v];
  void* target = buffer(tile, v);
  if (value.output >= 0) {
    const PointwiseStream& stream = loops.outputs()[static_cast<std::size_t>(value.output)];
    if (is_consecutive(stream, place)) target = address(arguments.outputs[value.output], stream, loops.offset(stream, place));
  }
  if (value.tables >= 0) {
    const Tables& tables = tables_[static_cast<std::size_t>(value.tables)];
    const auto* x = static_cast<const std::uint8_t*>(tile.value[value.step.operands[0]]);
    auto* y = static_cast<std::uint8_t*>(target);
    if (tables.index_input < 0) {
      look_up(x, y, tables.bytes.data(), 1, place.elements(), 0, 0);
    } else {
      const PointwiseStream& index = loops.inputs()[static_cast<std::size_t>(tables.index_input)];
      look_up(x, y, tables.bytes.data() + 256 * loops.offset(index, place), place.rows, place.columns, index.row_stride(), index.column_stride());
    }
  } else {
    const void* operands[PointwiseStep::kMaxOperands];
    for (int k = 0; k < value.step.count; ++k) operands[k] = tile.value[value.step.operands[k]];
    value.step.function(operands, target, place.elements());
  }
  tile.value[v] = target;
}

void PointwiseSchedule::run(const PointwiseLoops& loops, const Arguments& arguments, char* scratch, std::int64_t begin, std::int64_t end) const {
  Tile tile;
  tile.scratch = scratch;
  fill_constants(tile);
  for (std::int64_t t = begin; t < end; ++t) {
    const TilePlace place = loops.place(t);
    for (std::size_t v = 0; v < values_.size(); ++v) {
      if (values_[v].is_computed()) compute(loops, arguments, place, v, tile);
      else if (program_.code[v].op == PointwiseOp::Input && values_[v].buffer >= 0) bind_input(loops, arguments, place, v, tile);
    }
    for (std::size_t o = 0; o < program_.outputs.size(); ++o) {
      const PointwiseStream& stream = loops.outputs()[o];
      char* dst = address(arguments.outputs[o], stream, loops.offset(stream, place));
      const void* from = tile.value[program_.outputs[o]];
      if (from != dst) scatter_tile(from, dst, stream, place);
    }
  }
}

}  // namespace fovea::cpu
