// SPDX-License-Identifier: Apache-2.0
// Pointwise tiles against the reference: broadcasts, layouts, slices, types; vector functions against double.
#include <cmath>
#include <cstring>

#include "ops/fused/pointwise_tiles.h"
#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

KernelCase program_case(const char* program, std::vector<Tensor> inputs, Layout layout = Layout::plain) {
  KernelCase test;
  test.op = "fovea::pointwise";
  test.attributes = attributes({{"program", program}});
  test.inputs = std::move(inputs);
  test.layout = layout;
  return test;
}

constexpr const char* kAffineSilu = "input f32 0; input f32 1; input f32 2; mul f32 0 1; add f32 3 2; sigmoid f32 4; mul f32 4 5; output 6";

TEST(PointwiseCpu, PerChannelFactorsInBothLayouts) {
  for (Layout layout : {Layout::plain, Layout::nhwc}) {
    for (const Shape& shape : {Shape{1, 5, 7, 9}, Shape{2, 33, 17, 5}, Shape{1, 1100, 3, 2}, Shape{3, 1, 1, 1}, Shape{1, 3, 70, 70}}) {
      const Shape channels = {1, shape[1], 1, 1};
      KernelCase test = program_case(kAffineSilu, {random(DataType::f32, shape), random(DataType::f32, channels), random(DataType::f32, {shape[1], 1, 1})}, layout);
      EXPECT_TRUE(agrees(test)) << shape.to_string() << " " << name(layout);
      test.sliced_inputs = {0};
      test.sliced_output = true;
      EXPECT_TRUE(agrees(test)) << shape.to_string() << " " << name(layout) << " sliced";
    }
  }
}

TEST(PointwiseCpu, RowsColumnsScalars) {
  EXPECT_TRUE(agrees(program_case("input f32 0; input f32 1; sub f32 0 1; output 2", {random(DataType::f32, {40, 1}), random(DataType::f32, {1, 70})})));
  KernelCase two = program_case("input f32 0; const f32 0x1p-2; max f32 0 1; output 2; output 0", {random(DataType::f32, {5000})});
  two.num_outputs = 2;
  EXPECT_TRUE(agrees(two));
  EXPECT_TRUE(agrees(program_case("input f32 0; output 0", {random(DataType::f32, {})})));
}

TEST(PointwiseCpu, SingleOperators) {
  const Tensor x = random(DataType::f32, {2, 3, 50}, -4, 4), y = random(DataType::f32, {3, 1}, 0.5, 2, 7), positive = random(DataType::f32, {2, 3, 50}, 0.1, 4, 9);
  for (const char* op : {"Relu", "LeakyRelu", "Elu", "Selu", "HardSwish", "HardSigmoid", "Gelu", "Mish", "Softplus", "Sigmoid", "Tanh", "Erf", "Exp", "Abs", "Sign", "Floor", "Round", "Sin", "Celu"}) {
    KernelCase test;
    test.op = op;
    test.inputs = {x};
    EXPECT_TRUE(agrees(test)) << op;
  }
  for (const char* op : {"Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu", "Less", "Equal"}) {
    KernelCase test;
    test.op = op;
    test.inputs = {x, y};
    if (!ops::find_reference(op)) continue;
    EXPECT_TRUE(agrees(test)) << op;
  }
  KernelCase power;
  power.op = "Pow";
  power.inputs = {positive, y};
  EXPECT_TRUE(agrees(power));
}

TEST(PointwiseCpu, QuantisedGrids) {
  const char* program =
      "input f32 0; const f32 0x1.4p-4; div f32 0 1; round f32 2; const f32 0x1.ap+3; add f32 3 4; const f32 0x1.fcp+6; const f32 -0x1p+7; "
      "max f32 5 7; min f32 8 6; cast i8 9; cast f32 10; sub f32 11 4; mul f32 12 1; relu f32 13; output 14; output 13";
  KernelCase test = program_case(program, {random(DataType::f32, {3, 2111}, -15, 15)});
  test.num_outputs = 2;
  EXPECT_TRUE(agrees(test));
  const char* unshifted =
      "input f32 0; const f32 0x1.4p-4; div f32 0 1; round f32 2; const f32 0x1.fep+7; const f32 0x0p+0; max f32 3 5; min f32 6 4; cast u8 7; "
      "cast f32 8; mul f32 9 1; output 10";
  EXPECT_TRUE(agrees(program_case(unshifted, {random(DataType::f32, {3, 2111}, -15, 30)})));
}

/// Quantised PRelu of a sum, as exporters write it: every step between two quantisations.
std::string quantised_prelu(const char* type) {
  const std::string t = type, low = t == "i8" ? "-0x1p+7" : "0x0p+0", high = t == "i8" ? "0x1.fcp+6" : "0x1.fep+7";
  std::string program = "input " + t + " 0; input " + t + " 1; input f32 2";
  int next = 3;
  const auto add = [&](const std::string& clause) {
    program += "; " + clause;
    return std::to_string(next++);
  };
  const auto number = [&](const std::string& value) { return add("const f32 " + value); };
  const auto dequantise = [&](const std::string& x, const std::string& scale, const std::string& zero) {
    const std::string wide = add("cast f32 " + x);
    return add("mul f32 " + (zero.empty() ? wide : add("sub f32 " + wide + " " + number(zero))) + " " + number(scale));
  };
  const auto quantise = [&](const std::string& x, const std::string& scale, const std::string& zero) {
    std::string whole = add("round f32 " + add("div f32 " + x + " " + number(scale)));
    if (!zero.empty()) whole = add("add f32 " + whole + " " + number(zero));
    return add("cast " + t + " " + add("min f32 " + add("max f32 " + whole + " " + number(low)) + " " + number(high)));
  };
  const auto grid = [&](const std::string& x, const std::string& scale, const std::string& zero) { return dequantise(quantise(x, scale, zero), scale, zero); };
  const std::string sum = quantise(add("add f32 " + dequantise("0", "0x1.9p-5", "0x1.4p+3") + " " + dequantise("1", "0x1.3p-5", "")), "0x1.ap-5", "0x1.8p+2");
  const std::string x = dequantise(sum, "0x1.ap-5", "0x1.8p+2");
  const std::string positive = grid(add("relu f32 " + x), "0x1.1p-6", low == "0x0p+0" ? "" : low);
  const std::string negative = grid(add("relu f32 " + add("neg f32 " + x)), "0x1.2p-6", low == "0x0p+0" ? "" : low);
  const std::string scaled = grid(add("mul f32 " + negative + " 2"), "0x1.4p-6", "0x1.5p+6");
  const std::string result = quantise(add("add f32 " + positive + " " + scaled), "0x1.8p-5", "-0x1p+1");
  return program + "; output " + result;
}

TEST(PointwiseCpu, QuantisedPReluOfASum) {
  for (const DataType type : {DataType::i8, DataType::u8}) {
    const std::string program = quantised_prelu(type == DataType::i8 ? "i8" : "u8");
    const double low = type == DataType::i8 ? -128 : 0;
    for (const Layout layout : {Layout::plain, Layout::nhwc}) {
      for (const Shape& shape : {Shape{1, 5, 17, 19}, Shape{2, 33, 17, 5}, Shape{1, 1100, 3, 2}, Shape{1, 3, 70, 70}, Shape{1, 16, 2, 1}}) {
        KernelCase test = program_case(program.c_str(), {random(type, shape, low, low + 256), random(type, shape, low, low + 256, 2),
                                                         random(DataType::f32, {shape[1], 1, 1}, -2, 1, 3)}, layout);
        test.constants = {2};
        EXPECT_TRUE(agrees(test)) << name(type) << " " << shape.to_string() << " " << name(layout);
        test.sliced_inputs = {0};
        test.sliced_output = true;
        EXPECT_TRUE(agrees(test)) << name(type) << " " << shape.to_string() << " " << name(layout) << " sliced";
        test.constants = {};
        EXPECT_TRUE(agrees(test)) << name(type) << " " << shape.to_string() << " " << name(layout) << " slopes unknown";
      }
    }
  }
}

TEST(PointwiseCpu, TablesOfOneByte) {
  // Every byte once, each result through sigmoid: one table for all.
  Tensor x = random(DataType::u8, {4, 256});
  for (std::int64_t i = 0; i < x.elements(); ++i) x.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i);
  const char* program =
      "input u8 0; cast f32 0; const f32 0x1.4p-5; const f32 0x1p+7; sub f32 1 3; mul f32 4 2; sigmoid f32 5; mul f32 6 5; div f32 7 2; round f32 8; "
      "const f32 0x1.cp+4; add f32 9 10; const f32 0x0p+0; max f32 11 12; const f32 0x1.fep+7; min f32 13 14; cast u8 15; output 16; output 6";
  KernelCase test = program_case(program, {x});
  test.num_outputs = 2;
  EXPECT_TRUE(agrees(test));
}

TEST(PointwiseCpu, OtherTypes) {
  for (DataType type : {DataType::f64, DataType::i32, DataType::i64, DataType::f16, DataType::bf16}) {
    KernelCase test;
    test.op = "Add";
    test.inputs = {random(type, {3, 77}, -50, 50), random(type, {77}, -50, 50, 2)};
    EXPECT_TRUE(agrees(test)) << name(type);
  }
  for (const char* to : {"u8", "i8"}) {
    KernelCase test = program_case("", {random(DataType::f32, {1333}, to[0] == 'u' ? 0 : -128, to[0] == 'u' ? 255.9 : 127.9)});
    test.attributes.set("program", str_cat("input f32 0; cast ", to, " 0; output 1"));
    EXPECT_TRUE(agrees(test)) << to;
  }
  for (DataType to : {DataType::f32, DataType::u8, DataType::i64, DataType::f16, DataType::boolean}) {
    for (DataType from : {DataType::f32, DataType::i32, DataType::f16, DataType::u8}) {
      KernelCase test;
      test.op = "fovea::pointwise";
      test.attributes.set("program", str_cat("input ", name(from), " 0; cast ", name(to), " 0; output 1"));
      test.inputs = {random(from, {133}, 0, 100)};
      EXPECT_TRUE(agrees(test)) << name(from) << " to " << name(to);
    }
  }
}

/// Largest error in units in the last place of f32 over a sweep of [low, high].
double worst_ulp(PointwiseOp op, double (*exact)(double), float low, float high) {
  std::vector<float> x, y(4099);
  for (int i = 0; i < 4099; ++i) x.push_back(low + (high - low) * static_cast<float>(i) / 4098.0f);
  const void* operands[3] = {x.data(), nullptr, nullptr};
  cpu::simd_tile_function(op, DataType::f32, DataType::f32)(operands, y.data(), 4099);
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = exact(x[i]);
    const double ulp = std::fmax(std::ldexp(1.0, std::ilogb(e == 0 ? 1e-38 : e) - 23), 0x1p-149);
    if (static_cast<double>(y[i]) == static_cast<double>(static_cast<float>(e))) continue;
    worst = std::fmax(worst, std::fabs(y[i] - e) / ulp);
  }
  return worst;
}

TEST(PointwiseCpu, VectorFunctionsAreGoodToFourUlp) {
  EXPECT_LE(worst_ulp(PointwiseOp::Exp, [](double x) { return std::exp(x); }, -87, 88.7f), 4);
  EXPECT_LE(worst_ulp(PointwiseOp::Exp, [](double x) { return std::exp(x); }, -1, 1), 2);
  EXPECT_LE(worst_ulp(PointwiseOp::Tanh, [](double x) { return std::tanh(x); }, -10, 10), 4);
  EXPECT_LE(worst_ulp(PointwiseOp::Tanh, [](double x) { return std::tanh(x); }, -0.7f, 0.7f), 4);
  EXPECT_LE(worst_ulp(PointwiseOp::Erf, [](double x) { return std::erf(x); }, -5, 5), 4);
  EXPECT_LE(worst_ulp(PointwiseOp::Erf, [](double x) { return std::erf(x); }, -1, 1), 4);
  EXPECT_LE(worst_ulp(PointwiseOp::Sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -80, 80), 4);
  EXPECT_LE(worst_ulp(PointwiseOp::Log, [](double x) { return std::log(x); }, 1e-3f, 30), 4);
}

TEST(PointwiseCpu, SpecialValues) {
  const float inf = INFINITY;
  const float x[] = {inf, -inf, NAN, 0.0f, -200.0f, 200.0f, 100.0f, -104.0f};
  float y[8];
  const void* operands[3] = {x, nullptr, nullptr};
  const auto run = [&](PointwiseOp op) { cpu::simd_tile_function(op, DataType::f32, DataType::f32)(operands, y, 8); };
  run(PointwiseOp::Exp);
  EXPECT_EQ(y[0], inf);
  EXPECT_EQ(y[1], 0.0f);
  EXPECT_TRUE(std::isnan(y[2]));
  EXPECT_EQ(y[3], 1.0f);
  EXPECT_EQ(y[5], inf);
  run(PointwiseOp::Sigmoid);
  EXPECT_EQ(y[0], 1.0f);
  EXPECT_EQ(y[1], 0.0f);
  EXPECT_TRUE(std::isnan(y[2]));
  run(PointwiseOp::Tanh);
  EXPECT_EQ(y[0], 1.0f);
  EXPECT_EQ(y[1], -1.0f);
  run(PointwiseOp::Log);
  EXPECT_EQ(y[0], inf);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[3], -inf);
  run(PointwiseOp::Relu);
  EXPECT_TRUE(std::isnan(y[2]));
}

}  // namespace
}  // namespace fovea
