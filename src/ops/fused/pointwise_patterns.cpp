// SPDX-License-Identifier: Apache-2.0
#include "ops/fused/pointwise_patterns.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>

#include "base/element_types.h"

namespace fovea::cpu {

namespace {

/// Reads chains backwards from their last instruction.
class Reader {
 public:
  /// `zero` is the number of a constant 0 that stands for missing zero points.
  Reader(const PointwiseProgram& program, int zero) : program_(program), zero_(zero) {}

  /// min(max(x, low), high) with constants.
  struct Clamp {
    int x, low, high;
  };
  std::optional<Clamp> clamp(int v) const {
    const PointwiseInstruction& min = at(v);
    if (min.op != PointwiseOp::Min || !is_constant(min.operands[1])) return std::nullopt;
    const PointwiseInstruction& max = at(min.operands[0]);
    if (max.op != PointwiseOp::Max || !is_constant(max.operands[1])) return std::nullopt;
    return Clamp{max.operands[0], max.operands[1], min.operands[1]};
  }
  bool fits(const Clamp& clamp, DataType type) const {
    const double low = at(clamp.low).constant.real, high = at(clamp.high).constant.real;
    return type == DataType::i8 ? low >= -128 && high <= 127 : type == DataType::u8 && low >= 0 && high <= 255;
  }

  /// min(max(round(x / scale) + zero, low), high); without a zero point its addition is missing.
  struct Rounded {
    int x, scale, zero, low, high;
  };
  std::optional<Rounded> rounded(int v) const {
    const auto range = clamp(v);
    if (!range || program_.type_of(v) != DataType::f32) return std::nullopt;
    const PointwiseInstruction& add = at(range->x);
    const bool shifted = add.op == PointwiseOp::Add && is_constant(add.operands[1]);
    const PointwiseInstruction& round = shifted ? at(add.operands[0]) : add;
    if (round.op != PointwiseOp::Round) return std::nullopt;
    const PointwiseInstruction& divide = at(round.operands[0]);
    if (divide.op != PointwiseOp::Div || !is_constant(divide.operands[1])) return std::nullopt;
    return Rounded{divide.operands[0], divide.operands[1], shifted ? add.operands[1] : zero_, range->low, range->high};
  }

  /// (x - zero) * scale; without a zero point its subtraction is missing.
  struct Scaled {
    int x, scale, zero;
  };
  std::optional<Scaled> scaled(int v) const {
    const PointwiseInstruction& mul = at(v);
    if (mul.op != PointwiseOp::Mul || mul.type != DataType::f32 || !is_constant(mul.operands[1])) return std::nullopt;
    const PointwiseInstruction& sub = at(mul.operands[0]);
    const bool shifted = sub.op == PointwiseOp::Sub && is_constant(sub.operands[1]);
    return Scaled{shifted ? sub.operands[0] : mul.operands[0], mul.operands[1], shifted ? sub.operands[1] : zero_};
  }
  /// The same where x is f32 from a byte; gives the byte.
  std::optional<Scaled> dequantised(int v) const {
    auto found = scaled(v);
    if (!found || at(found->x).op != PointwiseOp::Cast || !is_byte(program_.type_of(at(found->x).operands[0]))) return std::nullopt;
    found->x = at(found->x).operands[0];
    return found;
  }

  /// Whole numbers, whatever the inputs are (NaN aside).
  bool is_whole(int v) const {
    const PointwiseInstruction& ins = at(v);
    switch (ins.op) {
      case PointwiseOp::Round: case PointwiseOp::Floor: case PointwiseOp::Ceil: return true;
      case PointwiseOp::Constant: return is_floating(ins.type) && ins.constant.real == std::nearbyint(ins.constant.real);
      case PointwiseOp::Add: case PointwiseOp::Sub: case PointwiseOp::Max: case PointwiseOp::Min:
        return is_whole(ins.operands[0]) && is_whole(ins.operands[1]);
      default: return false;
    }
  }

  const PointwiseInstruction& at(int v) const { return program_.code[static_cast<std::size_t>(v)]; }

 private:
  bool is_constant(int v) const { return at(v).op == PointwiseOp::Constant; }

  const PointwiseProgram& program_;
  int zero_;
};

PointwiseStep step_of(TileFunction function, std::initializer_list<int> operands) {
  PointwiseStep step;
  step.function = function;
  step.count = static_cast<int>(operands.size());
  std::copy(operands.begin(), operands.end(), step.operands);
  return step;
}

PointwiseStep quantisation_step(const PointwiseProgram& program, const Reader& reader, int v) {
  const PointwiseInstruction& ins = reader.at(v);
  if (ins.op == PointwiseOp::Cast && is_byte(ins.type)) {
    const auto q = reader.rounded(ins.operands[0]);
    if (!q || !reader.fits({q->x, q->low, q->high}, ins.type)) return {};
    const PointwiseInstruction& sum = reader.at(q->x);
    if (sum.op == PointwiseOp::Add) {
      const auto a = reader.dequantised(sum.operands[0]), b = reader.dequantised(sum.operands[1]);
      if (a && b && program.type_of(a->x) == program.type_of(b->x)) {
        return step_of(quantised_sum_tile_function(program.type_of(a->x), ins.type),
                       {a->x, b->x, a->scale, a->zero, b->scale, b->zero, q->scale, q->zero, q->low, q->high});
      }
    }
    return step_of(quantise_tile_function(ins.type), {q->x, q->scale, q->zero, q->low, q->high});
  }
  if (ins.op != PointwiseOp::Mul) return {};
  if (const auto d = reader.dequantised(v)) return step_of(dequantise_tile_function(program.type_of(d->x)), {d->x, d->scale, d->zero});
  const auto d = reader.scaled(v);
  const auto q = d ? reader.rounded(d->x) : std::nullopt;
  if (!q || q->scale != d->scale || q->zero != d->zero) return {};
  return step_of(fake_quantise_tile_function(), {q->x, q->scale, q->zero, q->low, q->high});
}

}  // namespace

void simplify_powers(PointwiseProgram& program) {
  for (PointwiseInstruction& ins : program.code) {
    if (ins.op != PointwiseOp::Pow || !is_floating(ins.type)) continue;
    const PointwiseInstruction& exponent = program.code[static_cast<std::size_t>(ins.operands[1])];
    if (exponent.op != PointwiseOp::Constant) continue;
    if (exponent.constant.real == 2) ins.op = PointwiseOp::Mul, ins.operands[1] = ins.operands[0];
    if (exponent.constant.real == 0.5) ins.op = PointwiseOp::Sqrt, ins.operands[1] = -1;
    if (exponent.constant.real == -1) ins.op = PointwiseOp::Reciprocal, ins.operands[1] = -1;
  }
}

void skip_integer_detours(PointwiseProgram& program) {
  const Reader reader(program, -1);
  for (PointwiseInstruction& ins : program.code) {
    for (int& operand : ins.operands) {
      if (operand < 0) continue;
      const PointwiseInstruction& outer = reader.at(operand);
      if (outer.op != PointwiseOp::Cast || outer.type != DataType::f32) continue;
      const PointwiseInstruction& inner = reader.at(outer.operands[0]);
      if (inner.op != PointwiseOp::Cast || !is_byte(inner.type)) continue;
      const int source = inner.operands[0];
      const auto clamp = reader.clamp(source);
      const bool exact = clamp && program.type_of(source) == DataType::f32 && reader.is_whole(source) && reader.fits(*clamp, inner.type);
      if (exact) operand = source;
    }
  }
}

std::vector<PointwiseStep> find_quantisation_steps(PointwiseProgram& program) {
  const int zero = program.add_constant(DataType::f32, 0);
  std::vector<PointwiseStep> steps(program.code.size());
  for (std::size_t v = 0; v < steps.size(); ++v) steps[v] = quantisation_step(program, Reader(program, zero), static_cast<int>(v));
  return steps;
}

}  // namespace fovea::cpu
