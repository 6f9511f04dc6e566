// SPDX-License-Identifier: Apache-2.0
// Operators of a loaded library do what built-in ones do: shape rules, references, kernels, folding, dynamic shapes.
#include <gtest/gtest.h>

#include <algorithm>

#include "compiler/compile.h"
#include "fovea/fovea.h"
#include "fovea/load_plugin.h"
#include "ir/text.h"
#include "plugin/raw_plugin.h"
#include "support/kernel_test.h"

namespace fovea::test {
namespace {

using namespace fovea::testing;

class PluginOperator : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto loaded = load_plugin(FOVEA_TEST_PLUGINS "/test_operators.so");
    ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  }

  static Result<Plan> build(const char* text, BuildOptions options = {}) { return compiler::compile(ir::parse(text).value(), options); }
  static bool has_decision(const Plan& plan, std::string_view code, std::string_view phrase) {
    return std::any_of(plan.decisions.begin(), plan.decisions.end(), [&](const Decision& d) { return d.code == code && d.sentence.find(phrase) != std::string::npos; });
  }
  static FakeInferContext::Value f32(std::string_view shape) { return FakeInferContext::symbolic(DataType::f32, shape); }
};

TEST_F(PluginOperator, IsLoadedOnce) {
  const std::size_t before = loaded_plugins().size();
  const auto again = load_plugin(FOVEA_TEST_PLUGINS "/test_operators.so");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(loaded_plugins().size(), before);
  EXPECT_EQ(again->name, "test_operators");
  ASSERT_EQ(again->operators.size(), 5u);
  EXPECT_EQ(again->operators[0].name, "test::ScaleAdd");
  EXPECT_EQ(again->operators[0].kernels, std::vector<std::string>{"packed"});
  EXPECT_TRUE(again->operators[0].has_reference);
  EXPECT_FALSE(again->operators[1].has_reference);
  EXPECT_EQ(again->operators[0].schema_hash.size(), 64u);
}

TEST_F(PluginOperator, ShapeRuleWorksOnSymbols) {
  EXPECT_EQ(infer_text("test::HalfCrop", {f32("NxCxHxW")}, attributes({{"margin", 3}})), "f32 NxCx(floordiv(H,2))x(max(W-3,0))");
  EXPECT_EQ(infer_text("test::HalfCrop", {f32("2x3x9x9")}, attributes({{"margin", 3}})), "f32 2x3x4x6");
  EXPECT_EQ(infer_text("test::HalfCrop", {f32("?")}, attributes({{"margin", 3}})), "f32 ?");
  EXPECT_EQ(infer_text("test::Fill", {FakeInferContext::dims({"N", "2*H"})}), "f32 Nx(2*H)");
}

TEST_F(PluginOperator, ShapeRuleSaysNo) {
  EXPECT_EQ(infer_text("test::HalfCrop", {f32("2x3")}, attributes({{"margin", 3}})), "plugin 'test_operators': x: expected rank 4, found 2");
  EXPECT_EQ(infer_text("test::HalfCrop", {f32("1x1x2x2")}, attributes({{"margin", -1}})), "plugin 'test_operators': attribute 'margin': expected 0 or more, found -1");
  EXPECT_EQ(infer_text("test::HalfCrop", {FakeInferContext::symbolic(DataType::f64, "1x1x2x2")}, attributes({{"margin", 1}})),
            "input 0 ('x') of type f64 is not supported; it takes f32, i32");
  EXPECT_EQ(infer_text("test::ScaleAdd", {f32("1x2"), FakeInferContext::symbolic(DataType::i64, "2")}), "input 1 ('beta') of type i64 is not supported; it takes f32");
}

TEST_F(PluginOperator, AttributesAreCheckedAgainstItsSchema) {
  const ops::OperatorSchema& crop = *ops::find_schema("test::HalfCrop");
  EXPECT_TRUE(fails(ops::check_against_schema(crop, {}, 1, 1, 0), ErrorCode::InvalidModel, "attribute 'margin' (int) is required and missing"));
  const ops::OperatorSchema& add = *ops::find_schema("test::ScaleAdd");
  EXPECT_TRUE(fails(ops::check_against_schema(add, attributes({{"mode", "multiply"}}), 1, 1, 0), ErrorCode::InvalidModel, "allowed: 'add', 'subtract'; default 'add'"));
  EXPECT_TRUE(fails(ops::check_against_schema(add, attributes({{"beta", 1}}), 1, 1, 0), ErrorCode::InvalidModel, "known: alpha, mode, repeat"));
  EXPECT_TRUE(fails(ops::check_against_schema(add, {}, 3, 1, 0), ErrorCode::InvalidModel, "expected 1 to 2 inputs, found 3"));
}

TEST_F(PluginOperator, ReferenceComputes) {
  const Tensor x = tensor<float>({1, 2, 2}, {1, 2, 3, 4}), beta = tensor<float>({2}, {10, 20});
  EXPECT_TRUE(same(run_op1("test::ScaleAdd", {x}), tensor<float>({1, 2, 2}, {2, 4, 6, 8})));
  EXPECT_TRUE(same(run_op1("test::ScaleAdd", {x, beta}, attributes({{"alpha", 1.0}, {"mode", "subtract"}})), tensor<float>({1, 2, 2}, {-9, -8, -17, -16})));
  EXPECT_TRUE(same(run_op1("test::HalfCrop", {tensor<float>({1, 1, 2, 3}, {1, 2, 3, 4, 5, 6})}, attributes({{"margin", 1}})), tensor<float>({1, 1, 1, 2}, {1, 2})));
  EXPECT_TRUE(same(run_op1("test::Fill", {ints({2, 1})}, attributes({{"value", 1.5}})), tensor<float>({2, 1}, {1.5, 1.5})));
}

TEST_F(PluginOperator, KernelAgreesWithItsReference) {
  const Tensor x = random(DataType::f32, {2, 5, 7, 3}), beta = random(DataType::f32, {5});
  EXPECT_TRUE(agrees({.op = "test::ScaleAdd", .inputs = {x, beta}, .constants = {1}}));
  EXPECT_TRUE(agrees({.op = "test::ScaleAdd", .inputs = {x, beta}}));
  EXPECT_TRUE(agrees({.op = "test::ScaleAdd", .inputs = {x}, .threads = 1}));
  EXPECT_NE(refusal({.op = "test::ScaleAdd", .inputs = {x}, .layout = Layout::nhwc}, "packed").find("takes plain tensors"), std::string::npos);
  EXPECT_NE(refusal({.op = "test::ScaleAdd", .inputs = {x}, .sliced_inputs = {0}}, "packed").find("takes dense tensors"), std::string::npos);
  EXPECT_EQ(refusal({.op = "test::HalfCrop", .attributes = attributes({{"margin", 0}}), .inputs = {random(DataType::f32, {1001, 1, 2, 1})}}, "cpu"),
            "plugin 'test_operators': more than 1000 pictures");
}

TEST_F(PluginOperator, IsBuiltRecordedAndRunAtAnyShape) {
  const auto plan = build("graph g(x: f32[N,3,H,W]) -> (y) { const b: f32[3] = [1, 2, 3]  a = Relu(x)  c = test::HalfCrop(a) {margin=2}  y = test::ScaleAdd(c, b) {alpha=3.0} }");
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  ASSERT_EQ(plan->plugins.size(), 2u);
  EXPECT_EQ(plan->plugins[0].op, "test::HalfCrop");
  EXPECT_EQ(plan->plugins[1].op, "test::ScaleAdd");
  EXPECT_EQ(plan->plugins[1].version, "1.0.0");
  EXPECT_TRUE(has_decision(*plan, "NO_REFERENCE", "test::HalfCrop of plugin 'test_operators' has no reference of its own"));
  EXPECT_FALSE(has_decision(*plan, "NO_REFERENCE", "test::ScaleAdd"));
  for (const PlanStep& step : plan->steps) {
    if (step.op == "test::ScaleAdd") {
      EXPECT_EQ(step.kernel, "packed");
    }
  }
  Session session = Session::create(Engine(std::make_shared<const Plan>(*plan))).value();
  for (const Shape& shape : {Shape{1, 3, 4, 5}, Shape{2, 3, 9, 3}, Shape{1, 3, 4, 1}}) {
    const Tensor x = random(DataType::f32, shape, 0, 1);
    ASSERT_TRUE(session.set_input("x", x).ok());
    const Status done = session.run();
    ASSERT_TRUE(done.ok()) << done.to_string();
    const Tensor y = session.output("y").value();
    EXPECT_EQ(y.shape(), (Shape{shape[0], 3, shape[2] / 2, std::max<std::int64_t>(shape[3] - 2, 0)}));
    for (std::int64_t i = 0, row = y.shape()[3], plane = y.shape()[2] * row; i < y.elements(); ++i) {
      const std::int64_t from = (i / plane * shape[2] + i % plane / row) * shape[3] + i % row;
      ASSERT_EQ(y.data<float>()[i], 3 * x.data<float>()[from] + static_cast<float>(i / plane % 3 + 1)) << shape.to_string() << " element " << i;
    }
  }
}

TEST_F(PluginOperator, ConstantsAreFolded) {
  const auto plan = build("graph g(x: f32[2,2]) -> (y) { const c: f32[2,2] = [1, 2, 3, 4]  d = test::ScaleAdd(c)  y = Add(x, d) }");
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  EXPECT_TRUE(plan->plugins.empty());
  EXPECT_TRUE(std::none_of(plan->steps.begin(), plan->steps.end(), [](const PlanStep& step) { return step.op == "test::ScaleAdd"; }));
}

TEST_F(PluginOperator, ShapeMayComeFromShapeArithmeticOrFromData) {
  const auto arithmetic = build("graph g(x: f32[N,4]) -> (y) { s = Shape(x)  f = test::Fill(s) {value=2.0}  y = Add(x, f) }");
  ASSERT_TRUE(arithmetic.ok()) << arithmetic.status().to_string();
  const auto data = build("graph g(s: i64[2]) -> (y) { y = test::Fill(s) {value=2.0} }", {.samples = {{{"s", ints({3, 2})}}}});
  ASSERT_TRUE(data.ok()) << data.status().to_string();
  Session session = Session::create(Engine(std::make_shared<const Plan>(*data))).value();
  for (const Tensor& shape : {ints({3, 2}), ints({1, 5}), ints({0, 5})}) {
    ASSERT_TRUE(session.set_input("s", shape).ok());
    ASSERT_TRUE(session.run().ok());
    EXPECT_EQ(session.output("y")->shape(), Shape(shape.values<std::int64_t>()));
  }
  ASSERT_TRUE(session.set_input("s", ints({3, -2})).ok());
  EXPECT_TRUE(fails(session.run(), ErrorCode::InvalidModel, "the shape rule sets axis 1 of output 0 to -2"));
}

TEST_F(PluginOperator, KernelThatDisagreesIsNamedAndNotUsed) {
  const auto plan = build("graph g(x: f32[4,32]) -> (y) { y = test::Wrong(x) as \"the step\" }");
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  EXPECT_TRUE(has_decision(*plan, "KERNEL_REFUSED", "off: max error"));
  ASSERT_EQ(plan->steps.size(), 1u);
  EXPECT_EQ(plan->steps[0].kernel, "reference");
}

TEST_F(PluginOperator, WhatRunSaysIsHandedOn) {
  const auto plan = build("graph g(x: f32[4]) -> (y) { y = test::Fails(x) as \"camera/check\" }");
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  Session session = Session::create(Engine(std::make_shared<const Plan>(*plan))).value();
  ASSERT_TRUE(session.set_input("x", tensor<float>({4}, {1, 2, 2000, 4})).ok());
  EXPECT_TRUE(fails(session.run(), ErrorCode::InvalidModel,
                    "step 'camera/check' (test::Fails): plugin 'test_operators': element 2: expected at most 1000, found 2000.000000"));
  ASSERT_TRUE(session.set_input("x", tensor<float>({4}, {1, 2, 3, 4})).ok());
  EXPECT_TRUE(session.run().ok()) << "an error of one run is none of the next";
}

TEST_F(PluginOperator, StridedKernelGetsPartsOfLargerTensors) {
  static RawPlugin plugin("flags::Strided");
  plugin.kernel.flags = FOVEA_STRIDED;
  plugin.kernel.run = [](const fovea_problem* problem, fovea_message*) {
    const fovea_tensor &x = problem->inputs[0], &y = problem->outputs[0];
    for (std::int64_t n = 0; n < y.extents[0]; ++n) {
      for (std::int64_t c = 0; c < y.extents[1]; ++c) {
        for (std::int64_t w = 0; w < y.extents[2]; ++w) {
          static_cast<float*>(y.data)[n * y.strides[0] + c * y.strides[1] + w * y.strides[2]] =
              static_cast<const float*>(x.data)[n * x.strides[0] + c * x.strides[1] + w * x.strides[2]];
        }
      }
    }
    return fovea_code{FOVEA_OK};
  };
  ASSERT_TRUE(register_plugin(plugin.table).ok());
  const Tensor x = random(DataType::f32, {2, 3, 5});
  EXPECT_TRUE(same(run_op1("flags::Strided", {x}), x));
  EXPECT_TRUE(agrees({.op = "flags::Strided", .inputs = {x}, .sliced_inputs = {0}, .sliced_output = true}));
}

TEST_F(PluginOperator, VariadicInputTakesAnyNumber) {
  static RawPlugin plugin("flags::Sum");
  plugin.input.flags = FOVEA_VARIADIC;
  plugin.kernel.run = [](const fovea_problem* problem, fovea_message*) {
    auto* y = static_cast<float*>(problem->outputs[0].data);
    y[0] = 0;
    for (std::int32_t i = 0; i < problem->num_inputs; ++i) y[0] += static_cast<const float*>(problem->inputs[i].data)[0];
    return fovea_code{FOVEA_OK};
  };
  ASSERT_TRUE(register_plugin(plugin.table).ok());
  EXPECT_TRUE(same(run_op1("flags::Sum", {tensor<float>({1}, {3})}), tensor<float>({1}, {3})));
  EXPECT_TRUE(same(run_op1("flags::Sum", {tensor<float>({1}, {3}), tensor<float>({1}, {4}), tensor<float>({1}, {5})}), tensor<float>({1}, {12})));
  EXPECT_TRUE(fails(run_op("flags::Sum", {}).status(), ErrorCode::InvalidModel, "expected at least 1 inputs, found 0"));
  EXPECT_TRUE(fails(run_op("flags::Sum", {tensor<float>({1}, {3}), ints({4})}).status(), ErrorCode::Unsupported, "input 1 ('x') of type i64 is not supported"));
}

TEST_F(PluginOperator, NonDeterministicOneIsNeitherFoldedNorMerged) {
  static RawPlugin plugin("flags::Random");
  plugin.op.flags = FOVEA_NON_DETERMINISTIC;
  ASSERT_TRUE(register_plugin(plugin.table).ok());
  const auto plan = build("graph g() -> (y) { const c: f32[2] = [1, 2]  a = flags::Random(c)  b = flags::Random(c)  y = Add(a, b) }");
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  EXPECT_EQ(std::count_if(plan->steps.begin(), plan->steps.end(), [](const PlanStep& step) { return step.op == "flags::Random"; }), 2);
}

// A rule that does nonsense harms nobody.
TEST_F(PluginOperator, MisuseOfTheRulesFunctionsIsTold) {
  struct Case {
    const char* name;
    fovea_code (*infer)(const fovea_infer*, fovea_message*);
    const char* phrase;
  };
  const Case kCases[] = {
      {"axis", [](const fovea_infer* n, fovea_message*) { return n->input_extent(n->host, 0, 7), fovea_code{FOVEA_OK}; }, "the shape rule asks for axis 7 of input 0 of rank 2"},
      {"input", [](const fovea_infer* n, fovea_message*) { return n->input_extent(n->host, 5, 0), fovea_code{FOVEA_OK}; }, "asks for an extent of input 5"},
      {"handle", [](const fovea_infer* n, fovea_message*) { return n->combine(n->host, FOVEA_ADD, 123, -5), fovea_code{FOVEA_OK}; }, "uses an extent (123) that nobody gave it"},
      {"zero", [](const fovea_infer* n, fovea_message*) { return n->combine(n->host, FOVEA_MOD, n->number(n->host, 1), n->number(n->host, 0)), fovea_code{FOVEA_OK}; }, "divides an extent by 0"},
      {"operation", [](const fovea_infer* n, fovea_message*) { return n->combine(n->host, 77, n->number(n->host, 1), n->number(n->host, 1)), fovea_code{FOVEA_OK}; }, "unknown operation 77"},
      {"rank", [](const fovea_infer* n, fovea_message*) { return n->set_shape(n->host, 0, 99, nullptr), fovea_code{FOVEA_OK}; }, "sets output 0 to rank 99"},
      {"type", [](const fovea_infer* n, fovea_message*) { return n->set_type(n->host, 0, 14), fovea_code{FOVEA_OK}; }, "sets output 0 to the unknown type 14"},
      {"silent", [](const fovea_infer*, fovea_message*) { return fovea_code{FOVEA_INVALID}; }, "the shape rule failed and does not say why"},
      {"throws", [](const fovea_infer*, fovea_message*) -> fovea_code { throw 1; }, "the shape rule threw an exception, which the interface forbids"},
      {"code", [](const fovea_infer*, fovea_message*) { return fovea_code{55}; }, "the unknown code 55"},
  };
  static std::vector<std::unique_ptr<RawPlugin>> plugins;
  for (const Case& test : kCases) {
    RawPlugin& plugin = *plugins.emplace_back(std::make_unique<RawPlugin>(str_cat("misuse::", test.name)));
    plugin.op.infer = test.infer;
    ASSERT_TRUE(register_plugin(plugin.table).ok()) << test.name;
    const std::string found = infer_text(plugin.name, {f32("NxC")});
    EXPECT_NE(found.find(test.phrase), std::string::npos) << test.name << ": " << found;
  }
}

TEST_F(PluginOperator, PrepareThatWantsTooMuchOrFailsIsRefused) {
  static RawPlugin greedy("misuse::Greedy"), tired("misuse::Tired");
  greedy.kernel.prepare = [](const fovea_problem*, fovea_prepared* prepared, fovea_message*) { return prepared->scratch_bytes = ~std::uint64_t{0}, fovea_code{FOVEA_OK}; };
  tired.kernel.prepare = [](const fovea_problem*, fovea_prepared*, fovea_message* why) { return std::strcpy(why->text, "no memory left"), fovea_code{FOVEA_OUT_OF_MEMORY}; };
  ASSERT_TRUE(register_plugin(greedy.table).ok() && register_plugin(tired.table).ok());
  const Datum x = random(DataType::f32, {2, 2});
  EXPECT_TRUE(fails(run_op("misuse::Greedy", {x}).status(), ErrorCode::Unsupported, "prepare asks for 18446744073709551615 bytes of scratch memory"));
  EXPECT_TRUE(fails(run_op("misuse::Tired", {x}).status(), ErrorCode::ResourceExhausted, "plugin 'raw': no memory left"));
}

}  // namespace
}  // namespace fovea::test
