// SPDX-License-Identifier: Apache-2.0
#include "ops/fused/pointwise_tables.h"

#include <algorithm>
#include <map>
#include <optional>

#include "base/element_types.h"

namespace fovea::cpu {

namespace {

bool is_known(std::span<const Tensor> constants, int input) {
  const auto i = static_cast<std::size_t>(input);
  return i < constants.size() && constants[i].defined();
}

/// Collects what lies between a source and a value.
class Part {
 public:
  Part(const PointwiseProgram& program, int source, std::span<const Tensor> constants, const PointwiseLoops& loops)
      : program_(program), source_(source), constants_(constants), loops_(loops) {
    copied_[source] = part_.program.add_input(program.type_of(source), 0);
    part_.source = source;
  }

  std::optional<TablePart> up_to(int value) {
    const int result = copy(value);
    if (result < 0) return std::nullopt;
    part_.program.outputs = {result};
    return std::move(part_);
  }

 private:
  /// The number in the part's own program; -1 where something else comes in.
  int copy(int v) {
    if (const auto known = copied_.find(v); known != copied_.end()) return known->second;
    PointwiseInstruction ins = program_.code[static_cast<std::size_t>(v)];
    if (ins.op == PointwiseOp::Input) return copied_[v] = parameter(ins);
    if (ins.op == PointwiseOp::Constant) {
      return copied_[v] = is_floating(ins.type) ? part_.program.add_constant(ins.type, ins.constant.real) : part_.program.add_constant_int(ins.type, ins.constant.integer);
    }
    for (int& operand : ins.operands) {
      if (operand >= 0 && (operand = copy(operand)) < 0) return copied_[v] = -1;
    }
    ++part_.instructions;
    return copied_[v] = part_.program.add(ins.op, ins.type, ins.operands[0], ins.operands[1], ins.operands[2]);
  }

  int parameter(const PointwiseInstruction& ins) {
    if (!is_known(constants_, ins.index)) return -1;
    const auto index = static_cast<std::size_t>(ins.index);
    const Shape& shape = constants_[index].shape();
    int axes = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) axes += shape[axis] != 1;
    if (axes > 1) return -1;
    const std::vector<int>& others = part_.parameters;
    if (!others.empty() && loops_.inputs()[static_cast<std::size_t>(others[0])].strides != loops_.inputs()[index].strides) return -1;
    part_.parameters.push_back(ins.index);
    return part_.program.add_input(ins.type, static_cast<int>(others.size()));
  }

  const PointwiseProgram& program_;
  int source_;
  std::span<const Tensor> constants_;
  const PointwiseLoops& loops_;
  TablePart part_;
  std::map<int, int> copied_;
};

}  // namespace

std::vector<TablePart> find_table_parts(const PointwiseProgram& program, std::span<const Tensor> constants, const PointwiseLoops& loops) {
  std::vector<TablePart> parts(program.code.size());
  std::vector<int> bytes;  // values that can be sources, in order
  for (std::size_t v = 0; v < program.code.size(); ++v) {
    const PointwiseInstruction& ins = program.code[v];
    if (!is_byte(ins.type)) continue;
    if (ins.op == PointwiseOp::Cast) {
      for (const int source : bytes) {
        auto part = Part(program, source, constants, loops).up_to(static_cast<int>(v));
        if (!part) continue;
        parts[v] = *std::move(part);
        break;
      }
    }
    const bool varies = ins.op == PointwiseOp::Cast || (ins.op == PointwiseOp::Input && !is_known(constants, ins.index));
    if (varies) bytes.push_back(static_cast<int>(v));
  }
  return parts;
}

std::int64_t count_tables(const TablePart& part, std::span<const Tensor> constants) {
  return part.parameters.empty() ? 1 : constants[static_cast<std::size_t>(part.parameters[0])].elements();
}

void look_up(const std::uint8_t* x, std::uint8_t* y, const std::uint8_t* tables, std::int64_t rows, std::int64_t columns, std::int64_t row_stride,
             std::int64_t column_stride) {
  for (std::int64_t r = 0; r < rows; ++r, x += columns, y += columns, tables += 256 * row_stride) {
    const std::uint8_t* table = tables;
    for (std::int64_t c = 0; c < columns; ++c, table += 256 * column_stride) y[c] = table[x[c]];
  }
}

}  // namespace fovea::cpu
