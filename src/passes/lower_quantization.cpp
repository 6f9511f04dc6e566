// SPDX-License-Identifier: Apache-2.0
#include "passes/lower_quantization.h"

#include <cmath>

namespace fovea::passes {

namespace {

struct IntegerRange {
  double low = 0, high = 0;
};

std::optional<IntegerRange> range_of(DataType type) {
  switch (type) {
    case DataType::u8: return IntegerRange{0, 255};
    case DataType::i8: return IntegerRange{-128, 127};
    case DataType::u16: return IntegerRange{0, 65535};
    case DataType::i16: return IntegerRange{-32768, 32767};
    default: return std::nullopt;
  }
}

double zero_point_of(const Graph& graph, const Node& node) {
  return node.has_input(2) ? *scalar_of(graph, node.inputs[2]) : 0.0;
}

}  // namespace

bool is_plain_quantization(const Graph& graph, const Node& node) {
  const bool quantize = node.op == "QuantizeLinear";
  if ((!quantize && node.op != "DequantizeLinear") || node.inputs.size() < 2) return false;
  const ValueId integers = quantize ? node.outputs[0] : node.inputs[0],
                reals = quantize ? node.inputs[0] : node.outputs[0];
  if (type_of(graph, reals) != DataType::f32 || !range_of(type_of(graph, integers)) ||
      type_of(graph, node.inputs[1]) != DataType::f32)
    return false;
  const auto scale = scalar_of(graph, node.inputs[1]);
  return scale && std::isfinite(*scale) && *scale != 0 && (!node.has_input(2) || scalar_of(graph, node.inputs[2]));
}

Result<int> lower_quantization(const Graph& graph, const Node& node, int x, PointwiseProgram& program) {
  constexpr DataType f32 = DataType::f32;
  using Op = PointwiseOp;
  const int scale = program.add_constant(f32, *scalar_of(graph, node.inputs[1]));
  const double zero = zero_point_of(graph, node);
  if (node.op == "DequantizeLinear") {
    // 8 and 16 bits and their differences are exact in f32.
    int value = program.add_cast(f32, x);
    if (zero != 0) value = program.add(Op::Sub, f32, value, program.add_constant(f32, zero));
    return program.add(Op::Mul, f32, value, scale);
  }
  const DataType type = type_of(graph, node.outputs[0]);
  const IntegerRange range = *range_of(type);
  int value = program.add(Op::Round, f32, program.add(Op::Div, f32, x, scale));
  if (zero != 0) value = program.add(Op::Add, f32, value, program.add_constant(f32, zero));
  value = program.add(Op::Min, f32, program.add(Op::Max, f32, value, program.add_constant(f32, range.low)),
                      program.add_constant(f32, range.high));
  return program.add_cast(type, value);
}

}  // namespace fovea::passes
