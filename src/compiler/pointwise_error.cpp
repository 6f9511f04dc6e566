// SPDX-License-Identifier: Apache-2.0
#include "compiler/pointwise_error.h"

#include <cmath>
#include <limits>

#include "compiler/error_limit.h"
#include "ops/elementwise/broadcast.h"
#include "ops/fused/lower_elementwise.h"

namespace fovea::compiler {

namespace {

constexpr double kUnknown = std::numeric_limits<double>::infinity();

/// Roundings of one instruction in a kernel; the reference adds one, for it rounds a result that is right in f64.
double kernel_roundings(const PointwiseInstruction& instruction) {
  if (!is_floating(instruction.type)) return 0;
  switch (instruction.op) {
    case PointwiseOp::Input: case PointwiseOp::Constant: case PointwiseOp::Abs: case PointwiseOp::Ceil: case PointwiseOp::Floor: case PointwiseOp::Neg:
    case PointwiseOp::Relu: case PointwiseOp::Round: case PointwiseOp::Sign: case PointwiseOp::Max: case PointwiseOp::Min: case PointwiseOp::Select:
    case PointwiseOp::Fmod:
      return 0;
    case PointwiseOp::Add: case PointwiseOp::Sub: case PointwiseOp::Mul: case PointwiseOp::Div: case PointwiseOp::Reciprocal: case PointwiseOp::Sqrt:
    case PointwiseOp::Cast:
      return 1;
    default: return kFunctionRoundings;
  }
}

/// |f'| at x, for an argument that is known to within its rounding errors.
double slope(PointwiseOp op, double x, double y) {
  switch (op) {
    case PointwiseOp::Acos: case PointwiseOp::Asin: return 1 / std::sqrt(std::fmax(0, 1 - x * x));
    case PointwiseOp::Acosh: return 1 / std::sqrt(std::fmax(0, x * x - 1));
    case PointwiseOp::Asinh: return 1 / std::sqrt(1 + x * x);
    case PointwiseOp::Atan: return 1 / (1 + x * x);
    case PointwiseOp::Atanh: return 1 / std::fabs(1 - x * x);
    case PointwiseOp::Cos: case PointwiseOp::Sin: case PointwiseOp::Relu: return 1;
    case PointwiseOp::Cosh: return std::fabs(std::sinh(x));
    case PointwiseOp::Sinh: return std::cosh(x);
    case PointwiseOp::Erf: return M_2_SQRTPI * std::exp(-x * x);
    case PointwiseOp::Exp: return y;
    case PointwiseOp::Log: return 1 / std::fabs(x);
    case PointwiseOp::Reciprocal: return y * y;
    case PointwiseOp::Sigmoid: return y * (1 - y);
    case PointwiseOp::Softplus: return 1 / (1 + std::exp(-x));
    case PointwiseOp::Sqrt: return y > 0 ? 0.5 / y : kUnknown;
    case PointwiseOp::Tan: return 1 + y * y;
    case PointwiseOp::Tanh: return 1 - y * y;
    default: return 1;
  }
}

class RunningError {
 public:
  explicit RunningError(const PointwiseProgram& program) : program_(program), values_(program.code.size()), errors_(program.code.size()) {}

  /// Bound of instruction `result` for these inputs.
  double bound(const PointwiseScalar* inputs, int result) {
    program_.evaluate(inputs, values_.data());
    for (std::size_t i = 0; i < program_.code.size(); ++i) errors_[i] = bound_of(i);
    return errors_[static_cast<std::size_t>(result)];
  }

 private:
  double real(int v) const {
    const auto i = static_cast<std::size_t>(v);
    return is_floating(program_.code[i].type) ? values_[i].real : static_cast<double>(values_[i].integer);
  }

  /// Booleans and integers: 0 where rounding cannot change them, else the largest change that it may make.
  double bound_of(std::size_t i) const {
    const PointwiseInstruction& ins = program_.code[i];
    const auto error = [&](std::size_t k) { return ins.operands[k] < 0 ? 0.0 : errors_[static_cast<std::size_t>(ins.operands[k])]; };
    const auto operand = [&](std::size_t k) { return real(ins.operands[k]); };
    const double y = real(static_cast<int>(i)), u = unit_roundoff(ins.type);
    const double rounding = kernel_roundings(ins) > 0 ? (kernel_roundings(ins) + 1) * u * std::fabs(y) : 0;
    const double a = error(0), b = error(1);
    switch (ins.op) {
      case PointwiseOp::Input: case PointwiseOp::Constant: return 0;
      case PointwiseOp::IsInf: case PointwiseOp::IsNan: case PointwiseOp::Not: return a;
      case PointwiseOp::And: case PointwiseOp::Or: case PointwiseOp::Xor: return std::fmax(a, b);
      case PointwiseOp::Equal: case PointwiseOp::Less: case PointwiseOp::LessOrEqual:
        return a + b > 0 && std::fabs(operand(0) - operand(1)) <= a + b ? 1 : 0;
      case PointwiseOp::Select: return a > 0 ? std::fabs(operand(1) - operand(2)) + std::fmax(b, error(2)) : values_[static_cast<std::size_t>(ins.operands[0])].integer ? b : error(2);
      case PointwiseOp::Add: case PointwiseOp::Sub: return a + b + rounding;
      case PointwiseOp::Mul: return std::fabs(operand(0)) * b + std::fabs(operand(1)) * a + a * b + rounding;
      case PointwiseOp::Div: {
        const double divisor = std::fabs(operand(1));
        return a + b == 0 ? rounding : divisor > b ? (a + std::fabs(y) * b) / (divisor - b) + rounding : kUnknown;
      }
      case PointwiseOp::Max: case PointwiseOp::Min: return std::fmax(a, b);
      case PointwiseOp::Ceil: case PointwiseOp::Floor: case PointwiseOp::Round: case PointwiseOp::Sign: {
        if (a == 0) return 0;
        // Whole numbers change only where the argument may cross one (Round: a half).
        const double x = operand(0), at = ins.op == PointwiseOp::Round ? x - 0.5 : x;
        return ins.op == PointwiseOp::Sign ? (std::fabs(x) <= a ? 1 : 0) : std::fabs(at - std::nearbyint(at)) <= a ? 1 : 0;
      }
      case PointwiseOp::Cast: {
        if (is_floating(ins.type)) return a + rounding;
        const double x = operand(0);
        return a > 0 && std::fabs(x - std::nearbyint(x)) <= a ? 1 : 0;
      }
      case PointwiseOp::Pow: {  // y (b da / a + ln(a) db)
        if (a + b == 0) return rounding;
        const double base = std::fabs(operand(0));
        if (base <= a) return kUnknown;
        return std::fabs(y) * (std::fabs(operand(1)) * a / (base - a) + std::fabs(std::log(base)) * b) + rounding;
      }
      case PointwiseOp::Fmod: case PointwiseOp::Mod: return a + b == 0 ? 0 : kUnknown;
      case PointwiseOp::Abs: case PointwiseOp::Neg: return a;
      default: return a == 0 ? rounding : slope(ins.op, operand(0), y) * a + rounding;
    }
  }

  const PointwiseProgram& program_;
  std::vector<PointwiseScalar> values_;
  std::vector<double> errors_;
};

}  // namespace

std::optional<PointwiseProgram> program_behind(const Problem& problem) {
  if (problem.op == "fovea::pointwise") {
    auto program = PointwiseProgram::parse(problem.attributes.get_string("program"));
    return program.ok() ? std::optional(*std::move(program)) : std::nullopt;
  }
  if (!is_lowerable(problem.op)) return std::nullopt;
  std::vector<DataType> types;
  for (const TensorDesc& input : problem.inputs) types.push_back(input.type);
  auto program = program_of(problem.op, problem.attributes, types);
  return program.ok() ? std::optional(*std::move(program)) : std::nullopt;
}

double program_steps(const PointwiseProgram& program) {
  double steps = 0;
  for (const PointwiseInstruction& instruction : program.code) {
    if (const double roundings = kernel_roundings(instruction); roundings > 0) steps += roundings + 1;
  }
  return steps;
}

Status running_error(const PointwiseProgram& program, const InputReader& input, int o, Tensor& limits) {
  const std::vector<DataType> types = program.input_types();
  std::vector<Tensor> inputs(types.size());
  std::vector<Shape> strides(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (types[i] == DataType::undefined) continue;
    FOVEA_ASSIGN(inputs[i], input(static_cast<int>(i)));
    strides[i] = ops::broadcast_strides(inputs[i].shape(), limits.shape());
  }
  const int result = program.outputs[static_cast<std::size_t>(o)];
  RunningError running(program);
  std::vector<PointwiseScalar> arguments(types.size());
  for (std::int64_t e = 0; e < limits.elements(); ++e) {
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i] == DataType::undefined) continue;
      std::int64_t rest = e, at = 0;
      for (int axis = limits.rank() - 1; axis >= 0; --axis) at += rest % limits.dim(axis) * strides[i][axis], rest /= limits.dim(axis);
      arguments[i] = load_scalar(types[i], inputs[i].raw(), at);
    }
    limits.data<double>()[e] = running.bound(arguments.data(), result);
  }
  return {};
}

}  // namespace fovea::compiler
