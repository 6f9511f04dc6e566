// SPDX-License-Identifier: Apache-2.0
// Elementwise operators: what the ONNX node cases leave open, and errors on hostile inputs.
#include <cmath>
#include <limits>

#include "base/onnx_data_type.h"
#include "ops/elementwise/element_cast.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

using Infer = FakeInferContext;

TEST(Add, BroadcastsBothWays) {
  EXPECT_TRUE(same(run_op1("Add", {tensor<float>({2, 1}, {1, 2}), tensor<float>({3}, {10, 20, 30})}),
                   tensor<float>({2, 3}, {11, 21, 31, 12, 22, 32})));
  EXPECT_TRUE(same(run_op1("Add", {tensor<float>({2, 1, 2}, {1, 2, 3, 4}), tensor<float>({1, 2, 1}, {10, 20})}),
                   tensor<float>({2, 2, 2}, {11, 12, 21, 22, 13, 14, 23, 24})));
  EXPECT_TRUE(same(run_op1("Add", {scalar(1), scalar(2)}), scalar(3)));
  EXPECT_TRUE(same(run_op1("Add", {tensor<float>({0, 3}, {}), tensor<float>({3}, {1, 2, 3})}), tensor<float>({0, 3}, {})));
}

TEST(Add, IntegersWrapAround) {
  EXPECT_TRUE(same(run_op1("Add", {tensor<std::int8_t>({2}, {127, -128}), tensor<std::int8_t>({2}, {1, -1})}), tensor<std::int8_t>({2}, {-128, 127})));
  EXPECT_TRUE(same(run_op1("Mul", {tensor<std::uint16_t>({1}, {65535}), tensor<std::uint16_t>({1}, {65535})}), tensor<std::uint16_t>({1}, {1})));
}

TEST(Add, RejectsWhatDoesNotBroadcastOrMix) {
  EXPECT_TRUE(fails(run_op("Add", {tensor<float>({2}, {1, 2}), tensor<float>({3}, {1, 2, 3})}), ErrorCode::InvalidArgument,
                    "Add: shapes 2 and 3 do not broadcast"));
  EXPECT_TRUE(fails(run_op("Add", {scalar<float>(1), scalar<double>(1)}), ErrorCode::InvalidArgument, "one element type"));
  EXPECT_TRUE(fails(run_op("Add", {scalar<bool>(1), scalar<bool>(1)}), ErrorCode::Unsupported, "bool"));
}

TEST(Div, ByZeroAndOverflow) {
  EXPECT_TRUE(fails(run_op("Div", {tensor<std::int32_t>({2}, {1, 2}), tensor<std::int32_t>({2}, {1, 0})}), ErrorCode::InvalidArgument,
                    "division by zero at element 1"));
  const double low = std::numeric_limits<std::int32_t>::min();
  EXPECT_TRUE(same(run_op1("Div", {scalar<std::int32_t>(low), scalar<std::int32_t>(-1)}), scalar<std::int32_t>(low)));
  EXPECT_TRUE(same(run_op1("Mod", {scalar<std::int32_t>(low), scalar<std::int32_t>(-1)}), scalar<std::int32_t>(0)));
  EXPECT_TRUE(same(run_op1("Div", {scalar<std::int64_t>(-7), scalar<std::int64_t>(2)}), scalar<std::int64_t>(-3)));
  EXPECT_TRUE(same(run_op1("Div", {scalar(1), scalar(0)}), scalar(INFINITY)));
}

TEST(Mod, SignFollowsDivisorOrDividend) {
  const Tensor a = tensor<std::int32_t>({4}, {5, -5, 5, -5}), b = tensor<std::int32_t>({4}, {3, 3, -3, -3});
  EXPECT_TRUE(same(run_op1("Mod", {a, b}), tensor<std::int32_t>({4}, {2, 1, -1, -2})));
  EXPECT_TRUE(same(run_op1("Mod", {a, b}, attributes({{"fmod", 1}})), tensor<std::int32_t>({4}, {2, -2, 2, -2})));
}

TEST(BitShift, WholeWidthGivesZero) {
  const Attributes left = attributes({{"direction", "LEFT"}}), right = attributes({{"direction", "RIGHT"}});
  const Tensor x = tensor<std::uint8_t>({3}, {255, 255, 255}), by = tensor<std::uint8_t>({3}, {1, 8, 200});
  EXPECT_TRUE(same(run_op1("BitShift", {x, by}, left), tensor<std::uint8_t>({3}, {254, 0, 0})));
  EXPECT_TRUE(same(run_op1("BitShift", {x, by}, right), tensor<std::uint8_t>({3}, {127, 0, 0})));
}

TEST(Pow, MixedTypes) {
  EXPECT_TRUE(same(run_op1("Pow", {tensor<std::int32_t>({3}, {2, -1, 3}), tensor<std::int64_t>({3}, {10, -3, -1})}),
                   tensor<std::int32_t>({3}, {1024, -1, 0})));
  EXPECT_TRUE(close(run_op1("Pow", {tensor<float>({2}, {2, 3}), scalar<float>(0.5)}), tensor<float>({2}, {std::sqrt(2.0), std::sqrt(3.0)})));
  EXPECT_TRUE(same(run_op1("Pow", {tensor<std::int64_t>({1}, {2}), scalar<double>(100)}),
                   tensor<std::int64_t, std::int64_t>({1}, {std::numeric_limits<std::int64_t>::max()})));
}

TEST(Unary, HalfTypesComputeInFloat) {
  EXPECT_TRUE(same(run_op1("Exp", {tensor<Half>({2}, {0, 1})}), tensor<Half>({2}, {1, std::exp(1.0)})));
  EXPECT_TRUE(same(run_op1("Sigmoid", {tensor<BFloat16>({1}, {0})}), tensor<BFloat16>({1}, {0.5})));
}

TEST(Unary, ExtremeArguments) {
  EXPECT_TRUE(close(run_op1("Softplus", {tensor<float>({2}, {1000, -1000})}), tensor<float>({2}, {1000, 0})));
  EXPECT_TRUE(close(run_op1("Sigmoid", {tensor<float>({2}, {1000, -1000})}), tensor<float>({2}, {1, 0})));
  EXPECT_TRUE(close(run_op1("Relu", {tensor<float>({2}, {NAN, -1})}), tensor<float>({2}, {NAN, 0})));
  EXPECT_TRUE(same(run_op1("Round", {tensor<float>({4}, {0.5, 1.5, 2.5, -0.5})}), tensor<float>({4}, {0, 2, 2, -0.0})));
}

TEST(Max, NanWins) {
  EXPECT_TRUE(same(run_op1("Max", {tensor<float>({2}, {NAN, 1}), tensor<float>({2}, {1, NAN})}), tensor<float>({2}, {NAN, NAN})));
  EXPECT_TRUE(same(run_op1("Mean", {tensor<float>({2}, {1, 2}), scalar(3), scalar(5)}), tensor<float>({2}, {3, 10.0 / 3})));
}

TEST(Clip, MissingAndCrossedBounds) {
  const Tensor x = tensor<float>({3}, {-2, 0, 2});
  EXPECT_TRUE(same(run_op1("Clip", {x, Datum(), scalar(1)}), tensor<float>({3}, {-2, 0, 1})));
  EXPECT_TRUE(same(run_op1("Clip", {x, scalar(1), scalar(-1)}), tensor<float>({3}, {-1, -1, -1})));
  EXPECT_TRUE(fails(run_op("Clip", {x, scalar<double>(0)}), ErrorCode::InvalidArgument, "min must be a scalar of type f32"));
}

Attributes to(DataType type) { return attributes({{"to", onnx_number(type)}}); }

TEST(Cast, RoundsOnceFromDouble) {
  // Just above the middle between two half numbers: through float it would become a tie and go down.
  const double x = 1.0 + 0x1p-11 + 0x1p-40;
  EXPECT_TRUE(same(run_op1("Cast", {scalar<double>(x)}, to(DataType::f16)), scalar<Half>(1.0 + 0x1p-10)));
  EXPECT_TRUE(same(run_op1("Cast", {scalar<double>(1.0 + 0x1p-8 + 0x1p-40)}, to(DataType::bf16)), scalar<BFloat16>(1.0 + 0x1p-7)));
}

TEST(Cast, IntegersDropHighBits) {
  EXPECT_TRUE(same(run_op1("Cast", {tensor<std::int16_t>({2}, {200, -200})}, to(DataType::i8)), tensor<std::int8_t>({2}, {-56, 56})));
  const Tensor four = run_op1("Cast", {tensor<std::int32_t>({3}, {7, 8, 31})}, to(DataType::i4));
  EXPECT_EQ(element(four, 0), 7);
  EXPECT_EQ(element(four, 1), -8);
  EXPECT_EQ(element(four, 2), -1);
  const Tensor big = tensor<std::uint64_t, std::uint64_t>({1}, {0xffffffffffffffffu});
  EXPECT_TRUE(same(run_op1("Cast", {big}, to(DataType::f64)), tensor<double>({1}, {0x1p64})));
}

TEST(Cast, OutOfRangeFloatsAreDefined) {
  const Tensor x = tensor<float>({4}, {NAN, 1e30, -1e30, 3.9});
  const Tensor i32 = run_op1("Cast", {x}, to(DataType::i32));
  EXPECT_EQ(element(i32, 0), 0);
  EXPECT_EQ(element(i32, 1), 2147483647);
  EXPECT_EQ(element(i32, 2), -2147483648.0);
  EXPECT_EQ(element(i32, 3), 3);
  for (const DataType type : {DataType::i8, DataType::u8, DataType::i64, DataType::u64, DataType::u32, DataType::u4, DataType::i2}) {
    EXPECT_EQ(element(run_op1("Cast", {x}, to(type)), 3), type == DataType::i2 ? -1 : 3) << name(type);
  }
}

TEST(Cast, Strings) {
  const Tensor text = strings({6}, {"3.14", "1e-5", "-INF", "NaN", " +7 ", "1E8"});
  EXPECT_TRUE(close(run_op1("Cast", {text}, to(DataType::f32)), tensor<float>({6}, {3.14, 1e-5, -INFINITY, NAN, 7, 1e8})));
  EXPECT_TRUE(same(run_op1("Cast", {strings({2}, {"100.5", "-9223372036854775808"})}, to(DataType::i64)),
                   tensor<std::int64_t, std::int64_t>({2}, {100, std::numeric_limits<std::int64_t>::min()})));
  EXPECT_TRUE(same(run_op1("Cast", {tensor<float>({4}, {314.15926f, 1, NAN, -INFINITY})}, to(DataType::string)),
                   strings({4}, {"314.15927", "1.0", "NaN", "-INF"})));
  EXPECT_TRUE(fails(run_op("Cast", {strings({1}, {"Hello World!"})}, to(DataType::f32)), ErrorCode::InvalidArgument, "'Hello World!' is not a number"));
  EXPECT_TRUE(fails(run_op("Cast", {scalar(1)}, attributes({{"to", 99}})), ErrorCode::InvalidArgument, "99"));
}

// Every pair of types keeps the numbers 1 and 0 (f8e8m0, which has no 0, the number 1 only).
TEST(Cast, AllPairs) {
  for (int from = 1; from <= static_cast<int>(DataType::u2); ++from) {
    for (int target = 1; target <= static_cast<int>(DataType::u2); ++target) {
      const auto a = static_cast<DataType>(from), b = static_cast<DataType>(target);
      if (a == DataType::c64 || a == DataType::c128 || b == DataType::c64 || b == DataType::c128) continue;
      const bool has_zero = a != DataType::f8e8m0 && b != DataType::f8e8m0;
      const Tensor numbers = tensor<float>({2}, {1, has_zero ? 0.0 : 1.0});
      const Tensor x = run_op1("Cast", {numbers}, to(a));
      const Tensor y = run_op1("Cast", {x}, to(b));
      const Tensor back = run_op1("Cast", {y}, to(DataType::f32));
      EXPECT_TRUE(close(back, numbers)) << name(a) << " -> " << name(b);
    }
  }
}

TEST(RoundToOdd, KeepsTheStickyBit) {
  EXPECT_EQ(ops::round_to_odd(1.5), 1.5f);
  EXPECT_GT(ops::round_to_odd(1.0 + 0x1p-40), 1.0f);
  EXPECT_LT(ops::round_to_odd(2.0 - 0x1p-40), 2.0f);
  EXPECT_LT(ops::round_to_odd(-1.0 - 0x1p-40), -1.0f);
}

TEST(Dropout, PassesThroughWithMask) {
  const auto outputs = run_op("Dropout", {tensor<float>({2}, {1, 2})}, {}, 2);
  ASSERT_TRUE(outputs.ok());
  EXPECT_TRUE(same((*outputs)[1], tensor<bool>({2}, {1, 1})));
  EXPECT_TRUE(fails(run_op("Dropout", {tensor<float>({2}, {1, 2}), scalar(1.5), scalar<bool>(1)}), ErrorCode::InvalidArgument, "ratio"));
}

TEST(ElementwiseShapes, Symbolic) {
  EXPECT_EQ(infer_text("Add", {Infer::symbolic(DataType::f32, "Nx3xHxW"), Infer::symbolic(DataType::f32, "3x1x1")}), "f32 Nx3xHxW");
  EXPECT_EQ(infer_text("Mul", {Infer::symbolic(DataType::f32, "Nx1"), Infer::symbolic(DataType::f32, "1xM")}), "f32 NxM");
  EXPECT_EQ(infer_text("Sub", {Infer::symbolic(DataType::f32, "N"), Infer::symbolic(DataType::f32, "M")}), "f32 (max(N,M))");
  EXPECT_EQ(infer_text("Less", {Infer::symbolic(DataType::f32, "N"), Infer::symbolic(DataType::f32, "?")}), "bool ?");
  EXPECT_NE(infer_text("Add", {Infer::symbolic(DataType::f32, "3"), Infer::symbolic(DataType::f32, "4")}).find("do not broadcast"), std::string::npos);
  EXPECT_NE(infer_text("Add", {Infer::symbolic(DataType::f32, "3"), Infer::symbolic(DataType::i64, "3")}).find("one element type"), std::string::npos);
}

std::string value_text(const char* op, std::vector<Infer::Value> inputs, Attributes attributes = {}) {
  Infer context(op, std::move(attributes), std::move(inputs), 1);
  const Status status = context.infer();
  return status.ok() ? context.value_text() : status.message();
}

TEST(ElementwiseValues, ShapeArithmetic) {
  EXPECT_EQ(value_text("Mul", {Infer::dims({"N", "2*H"}), Infer::constant(ints({3}))}), "[3*N, 6*H]");
  EXPECT_EQ(value_text("Add", {Infer::dims({"H"}), Infer::dims({"-1"})}), "[H-1]");
  EXPECT_EQ(value_text("Div", {Infer::dims({"H+1"}), Infer::constant(ints({2}))}), "[floordiv(H+1,2)]");
  EXPECT_EQ(value_text("Div", {Infer::dims({"-H"}), Infer::constant(ints({2}))}), "[-floordiv(H,2)]");
  EXPECT_EQ(value_text("Div", {Infer::dims({"H-W"}), Infer::constant(ints({2}))}), "?");
  EXPECT_EQ(value_text("Div", {Infer::dims({"H"}), Infer::constant(ints({0}))}), "?");
  EXPECT_EQ(value_text("Max", {Infer::dims({"H+1"}), Infer::constant(ints({1}))}), "[H+1]");
  EXPECT_EQ(value_text("Equal", {Infer::dims({"H", "-1"}), Infer::constant(ints({-1}))}), "[0, 1]");
  EXPECT_EQ(value_text("Where", {Infer::dims({"0", "1"}, DataType::boolean), Infer::dims({"A", "B"}), Infer::dims({"C", "D"})}), "[C, B]");
  EXPECT_EQ(value_text("Cast", {Infer::dims({"H"})}, to(DataType::f32)), "[H]");
  EXPECT_EQ(value_text("Div", {Infer::dims({"2*H"}, DataType::f32), Infer::constant(tensor<float>({1}, {2}))}), "[H]");
  EXPECT_EQ(value_text("Div", {Infer::dims({"H"}, DataType::f32), Infer::constant(tensor<float>({1}, {2}))}), "?");
  EXPECT_EQ(value_text("Mul", {Infer::dims({"H"}), Infer::constant(tensor<std::int64_t, std::int64_t>({1}, {std::int64_t{1} << 62}))}), "?");
}

/// The value after a chain of operators, each taking the last output and one constant (or nothing).
std::string chain(std::vector<std::pair<const char*, double>> steps) {
  Infer::Value value = Infer::dims({"H"}, DataType::f32);
  for (const auto& [op, number] : steps) {
    const bool unary = std::isnan(number);
    std::vector<Infer::Value> inputs = {value};
    if (!unary) inputs.push_back(Infer::constant(tensor<float>({1}, {number})));
    Infer context(op, std::string_view(op) == "Cast" ? to(DataType::i64) : Attributes(), inputs, 1);
    if (!context.infer().ok()) return "error";
    value = context.output(0);
  }
  if (!value.value) return "?";
  return value.value->front().to_string();
}

TEST(ElementwiseValues, FloatsOnTheWayToWholeNumbers) {
  EXPECT_EQ(chain({{"Mul", 0.5}, {"Floor", NAN}}), "floordiv(H,2)");
  EXPECT_EQ(chain({{"Mul", 0.5}, {"Cast", NAN}}), "floordiv(H,2)");
  EXPECT_EQ(chain({{"Mul", 0.5}, {"Ceil", NAN}}), "floordiv(H+1,2)");
  EXPECT_EQ(chain({{"Mul", 1.5}, {"Floor", NAN}}), "floordiv(3*H,2)");
  EXPECT_EQ(chain({{"Div", 3}, {"Floor", NAN}}), "floordiv(H,3)");
  EXPECT_EQ(chain({{"Mul", 0.5}, {"Mul", 2}, {"Floor", NAN}}), "H");
  EXPECT_EQ(chain({{"Add", 0.5}, {"Floor", NAN}}), "H");
  // Where f32 rounds, nothing is foretold: 10 * 0.7f is 7, though 0.7f is less than 0.7.
  EXPECT_EQ(chain({{"Mul", 0.7f}, {"Floor", NAN}}), "?");
  EXPECT_EQ(chain({{"Div", 3}, {"Mul", 3}, {"Floor", NAN}}), "?");
  EXPECT_EQ(chain({{"Sub", 5000.5}, {"Floor", NAN}}), "?");
}

}  // namespace
}  // namespace fovea::testing
