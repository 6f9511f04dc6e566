// SPDX-License-Identifier: Apache-2.0
// The ONNX elementwise operators in terms of pointwise instructions.
#include "ops/fused/lower_elementwise.h"

#include <cmath>
#include <functional>
#include <map>

#include "base/onnx_data_type.h"

namespace fovea {

namespace {

using Op = PointwiseOp;

/// What a lowering rule works with: operands already in a type that can be computed with.
struct Lowering {
  PointwiseProgram& program;
  const Attributes& attributes;
  std::vector<int> operands;  ///< -1 where missing
  DataType type;              ///< compute type of operand 0

  bool has(std::size_t i) const { return i < operands.size() && operands[i] >= 0; }
  int x(std::size_t i = 0) const { return operands[i]; }
  int unary(Op op, int a) { return program.add(op, type, a); }
  int binary(Op op, int a, int b) { return program.add(op, type, a, b); }
  int compare(Op op, int a, int b) { return program.add(op, DataType::boolean, a, b); }
  int select(int condition, int a, int b) { return program.add(Op::Select, type, condition, a, b); }
  int number(double value) { return program.add_constant(type, value); }
  int attribute(std::string_view name, double fallback) { return number(attributes.get_float(name, fallback)); }
  int negative(int a) { return compare(Op::Less, a, number(0)); }
  int expm1(int a) { return binary(Op::Sub, unary(Op::Exp, a), number(1)); }
  int clamp(int a, int low, int high) { return binary(Op::Min, binary(Op::Max, a, low), high); }
};

using Rule = std::function<int(Lowering&)>;

enum : unsigned { kFloat = 1, kInteger = 2, kBoolean = 4 };

struct RuleRow {
  unsigned types;  ///< of operand 0
  Rule rule;
};

Rule unary(Op op) {
  return [op](Lowering& l) { return l.unary(op, l.x()); };
}
Rule fold(Op op) {
  return [op](Lowering& l) {
    int result = l.x();
    for (std::size_t i = 1; i < l.operands.size(); ++i) result = l.binary(op, result, l.x(i));
    return result;
  };
}
Rule comparison(Op op, bool swapped) {
  return [=](Lowering& l) { return l.compare(op, l.x(swapped ? 1 : 0), l.x(swapped ? 0 : 1)); };
}
Rule logical(Op op) {
  return [op](Lowering& l) { return l.program.add(op, DataType::boolean, l.x(0), l.has(1) ? l.x(1) : -1); };
}

int gelu(Lowering& l) {
  const int half = l.binary(Op::Mul, l.number(0.5), l.x());
  int inner;
  if (l.attributes.get_string("approximate", "none") == "tanh") {
    const int square = l.binary(Op::Mul, l.x(), l.x());
    const int cubic = l.binary(Op::Add, l.number(1), l.binary(Op::Mul, l.number(0.044715), square));
    inner = l.unary(Op::Tanh, l.binary(Op::Mul, l.binary(Op::Mul, l.number(std::sqrt(2 / M_PI)), l.x()), cubic));
  } else {
    inner = l.unary(Op::Erf, l.binary(Op::Mul, l.x(), l.number(M_SQRT1_2)));
  }
  return l.binary(Op::Mul, half, l.binary(Op::Add, l.number(1), inner));
}

int is_inf(Lowering& l) {
  const bool positive = l.attributes.get_int("detect_positive", 1) != 0, negative = l.attributes.get_int("detect_negative", 1) != 0;
  if (!positive && !negative) return l.program.add_constant_int(DataType::boolean, 0);
  const int any = l.program.add(Op::IsInf, DataType::boolean, l.x());
  if (positive && negative) return any;
  const int side = positive ? l.compare(Op::Less, l.number(0), l.x()) : l.negative(l.x());
  return l.program.add(Op::And, DataType::boolean, any, side);
}

int linear_clamped(Lowering& l, double alpha, double beta) {
  const int linear = l.binary(Op::Add, l.binary(Op::Mul, l.attribute("alpha", alpha), l.x()), l.attribute("beta", beta));
  return l.clamp(linear, l.number(0), l.number(1));
}

const std::map<std::string_view, RuleRow>& rules() {
  static const auto* table = new std::map<std::string_view, RuleRow>{
      {"Abs", {kFloat | kInteger, unary(Op::Abs)}},
      {"Acos", {kFloat, unary(Op::Acos)}},
      {"Acosh", {kFloat, unary(Op::Acosh)}},
      {"Add", {kFloat | kInteger, fold(Op::Add)}},
      {"And", {kBoolean, logical(Op::And)}},
      {"Asin", {kFloat, unary(Op::Asin)}},
      {"Asinh", {kFloat, unary(Op::Asinh)}},
      {"Atan", {kFloat, unary(Op::Atan)}},
      {"Atanh", {kFloat, unary(Op::Atanh)}},
      {"Ceil", {kFloat, unary(Op::Ceil)}},
      {"Celu", {kFloat, [](Lowering& l) {
         const int alpha = l.attribute("alpha", 1);
         const int low = l.binary(Op::Mul, alpha, l.expm1(l.binary(Op::Div, l.x(), alpha)));
         return l.select(l.negative(l.x()), low, l.x());
       }}},
      {"Clip", {kFloat | kInteger, [](Lowering& l) {
         int result = l.x();
         if (l.has(1)) result = l.binary(Op::Max, l.x(1), result);
         if (l.has(2)) result = l.binary(Op::Min, l.x(2), result);
         return result;
       }}},
      {"Cos", {kFloat, unary(Op::Cos)}},
      {"Cosh", {kFloat, unary(Op::Cosh)}},
      {"Div", {kFloat | kInteger, fold(Op::Div)}},
      {"Elu", {kFloat, [](Lowering& l) {
         return l.select(l.negative(l.x()), l.binary(Op::Mul, l.attribute("alpha", 1), l.expm1(l.x())), l.x());
       }}},
      {"Equal", {kFloat | kInteger | kBoolean, comparison(Op::Equal, false)}},
      {"Erf", {kFloat, unary(Op::Erf)}},
      {"Exp", {kFloat, unary(Op::Exp)}},
      {"Floor", {kFloat, unary(Op::Floor)}},
      {"Gelu", {kFloat, gelu}},
      {"Greater", {kFloat | kInteger, comparison(Op::Less, true)}},
      {"GreaterOrEqual", {kFloat | kInteger, comparison(Op::LessOrEqual, true)}},
      {"HardSigmoid", {kFloat, [](Lowering& l) { return linear_clamped(l, 0.2, 0.5); }}},
      {"HardSwish", {kFloat, [](Lowering& l) { return l.binary(Op::Mul, l.x(), linear_clamped(l, 1.0 / 6, 0.5)); }}},
      {"Identity", {kFloat | kInteger | kBoolean, [](Lowering& l) { return l.x(); }}},
      {"IsInf", {kFloat, is_inf}},
      {"IsNaN", {kFloat, [](Lowering& l) { return l.program.add(Op::IsNan, DataType::boolean, l.x()); }}},
      {"LeakyRelu", {kFloat, [](Lowering& l) {
         return l.select(l.negative(l.x()), l.binary(Op::Mul, l.attribute("alpha", 0.01), l.x()), l.x());
       }}},
      {"Less", {kFloat | kInteger, comparison(Op::Less, false)}},
      {"LessOrEqual", {kFloat | kInteger, comparison(Op::LessOrEqual, false)}},
      {"Log", {kFloat, unary(Op::Log)}},
      {"Max", {kFloat | kInteger, fold(Op::Max)}},
      {"Mean", {kFloat, [](Lowering& l) {
         const int sum = fold(Op::Add)(l);
         return l.binary(Op::Div, sum, l.number(static_cast<double>(l.operands.size())));
       }}},
      {"Min", {kFloat | kInteger, fold(Op::Min)}},
      {"Mish", {kFloat, [](Lowering& l) { return l.binary(Op::Mul, l.x(), l.unary(Op::Tanh, l.unary(Op::Softplus, l.x()))); }}},
      {"Mod", {kFloat | kInteger, [](Lowering& l) {
         return l.binary(is_floating(l.type) || l.attributes.get_int("fmod", 0) != 0 ? Op::Fmod : Op::Mod, l.x(0), l.x(1));
       }}},
      {"Mul", {kFloat | kInteger, fold(Op::Mul)}},
      {"Neg", {kFloat | kInteger, unary(Op::Neg)}},
      {"Not", {kBoolean, logical(Op::Not)}},
      {"Or", {kBoolean, logical(Op::Or)}},
      {"PRelu", {kFloat | kInteger, [](Lowering& l) { return l.select(l.negative(l.x()), l.binary(Op::Mul, l.x(1), l.x()), l.x()); }}},
      {"Pow", {kFloat, fold(Op::Pow)}},
      {"Reciprocal", {kFloat, unary(Op::Reciprocal)}},
      {"Relu", {kFloat | kInteger, unary(Op::Relu)}},
      {"Round", {kFloat, unary(Op::Round)}},
      {"Selu", {kFloat, [](Lowering& l) {
         const int low = l.binary(Op::Mul, l.attribute("alpha", 1.67326319217681884765625), l.expm1(l.x()));
         return l.binary(Op::Mul, l.attribute("gamma", 1.05070102214813232421875), l.select(l.negative(l.x()), low, l.x()));
       }}},
      {"Sigmoid", {kFloat, unary(Op::Sigmoid)}},
      {"Sign", {kFloat | kInteger, unary(Op::Sign)}},
      {"Sin", {kFloat, unary(Op::Sin)}},
      {"Sinh", {kFloat, unary(Op::Sinh)}},
      {"Softplus", {kFloat, unary(Op::Softplus)}},
      {"Softsign", {kFloat, [](Lowering& l) { return l.binary(Op::Div, l.x(), l.binary(Op::Add, l.number(1), l.unary(Op::Abs, l.x()))); }}},
      {"Sqrt", {kFloat, unary(Op::Sqrt)}},
      {"Sub", {kFloat | kInteger, fold(Op::Sub)}},
      {"Sum", {kFloat, fold(Op::Add)}},
      {"Swish", {kFloat, [](Lowering& l) {
         return l.binary(Op::Mul, l.x(), l.unary(Op::Sigmoid, l.binary(Op::Mul, l.attribute("alpha", 1), l.x())));
       }}},
      {"Tan", {kFloat, unary(Op::Tan)}},
      {"Tanh", {kFloat, unary(Op::Tanh)}},
      {"ThresholdedRelu", {kFloat, [](Lowering& l) {
         return l.select(l.compare(Op::Less, l.attribute("alpha", 1), l.x()), l.x(), l.number(0));
       }}},
      {"Xor", {kBoolean, logical(Op::Xor)}},
  };
  return *table;
}

unsigned type_class(DataType type) {
  if (type == DataType::boolean) return kBoolean;
  if (is_floating(type)) return kFloat;
  return is_pointwise_compute_type(type) ? kInteger : 0u;
}

Result<int> lower_cast(const Attributes& attributes, int x, PointwiseProgram& program) {
  const DataType to = data_type_from_onnx(attributes.get_int("to", 0));
  if (!is_pointwise_type(to)) return unsupported("Cast: pointwise programs have no type ", name(to));
  return program.add_cast(to, x);
}

}  // namespace

bool is_lowerable(std::string_view op) { return op == "Cast" || op == "Where" || rules().count(op) > 0; }

Result<int> lower_elementwise(std::string_view op, const Attributes& attributes, std::span<const int> operands, PointwiseProgram& program) {
  if (operands.empty() || operands[0] < 0) return unsupported(op, ": needs an operand");
  if (op == "Cast") return lower_cast(attributes, operands[0], program);
  if (op == "Where") {
    if (operands.size() != 3 || program.type_of(operands[1]) != program.type_of(operands[2])) return unsupported("Where: operands differ in type");
    return program.add(Op::Select, program.type_of(operands[1]), operands[0], operands[1], operands[2]);
  }
  const auto row = rules().find(op);
  if (row == rules().end()) return unsupported(op, ": not an operator of pointwise programs");

  const DataType given = program.type_of(operands[0]);
  const bool narrow = given == DataType::f16 || given == DataType::bf16;
  Lowering lowering{program, attributes, {operands.begin(), operands.end()}, narrow ? DataType::f32 : given};
  if (op == "Pow" && given == DataType::f32 && !is_floating(program.type_of(operands[1]))) {
    lowering.operands[1] = program.add_cast(DataType::f32, operands[1]);
  }
  for (int& operand : lowering.operands) {
    if (operand >= 0 && narrow && program.type_of(operand) == given) operand = program.add_cast(DataType::f32, operand);
    if (operand >= 0 && program.type_of(operand) != lowering.type) return unsupported(op, ": operands differ in type");
  }
  if (!(row->second.types & type_class(lowering.type))) return unsupported(op, ": pointwise programs do not compute it in ", name(given));
  const int result = row->second.rule(lowering);
  return narrow && program.type_of(result) == DataType::f32 ? program.add_cast(given, result) : result;
}

Result<PointwiseProgram> program_of(std::string_view op, const Attributes& attributes, std::span<const DataType> input_types) {
  PointwiseProgram program;
  std::vector<int> operands;
  for (std::size_t i = 0; i < input_types.size(); ++i) {
    const bool present = input_types[i] != DataType::undefined;
    if (present && !is_pointwise_type(input_types[i])) return unsupported(op, ": type ", name(input_types[i]), " in a pointwise program");
    operands.push_back(present ? program.add_input(input_types[i], static_cast<int>(i)) : -1);
  }
  FOVEA_ASSIGN(const int result, lower_elementwise(op, attributes, operands, program));
  program.outputs.push_back(result);
  FOVEA_RETURN_IF_ERROR(program.verify());
  return program;
}

}  // namespace fovea
