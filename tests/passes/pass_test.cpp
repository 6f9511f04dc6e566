// SPDX-License-Identifier: Apache-2.0
// Runs every case of *.graph: the passes must give the expected graph, and both sides must compute the same numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "device/kernel_registry.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "ops/kernel_context.h"
#include "passes/infer_shapes.h"
#include "passes/match.h"
#include "passes/pass_case.h"
#include "passes/pass_runner.h"
#include "support/graph_interpreter.h"

namespace fovea::testing {
namespace {

std::optional<std::string> missing_operator(const ir::Graph& graph) {
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    if (!ops::find_reference(graph.node(id).op)) return graph.node(id).op;
    for (const ir::Graph& body : graph.node(id).bodies) {
      if (auto missing = missing_operator(body)) return missing;
    }
  }
  return std::nullopt;
}

std::vector<passes::Pass> passes_of(const PassCase& test) {
  std::vector<passes::Pass> list;
  for (const std::string& name : test.passes) {
    const passes::Pass* pass = passes::find_pass(name);
    EXPECT_NE(pass, nullptr) << "no pass is named " << name;
    if (pass) list.push_back(*pass);
  }
  return list;
}

std::vector<Datum> random_inputs(const ir::Graph& graph, const PassCase& test) {
  Bindings bindings = test.bindings;
  std::vector<Datum> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const ir::Value& value = graph.value(graph.inputs[i]);
    EXPECT_TRUE(value.shape.has_value()) << "input " << value.name << " needs a shape";
    std::vector<std::string> symbols;
    for (const Dim& dim : *value.shape) dim.collect_symbols(symbols);
    for (const std::string& symbol : symbols) bindings.emplace(symbol, static_cast<std::int64_t>(bindings.size()) + 2);
    const Shape shape = evaluate(*value.shape, bindings).value();
    const bool logical = value.type.element == DataType::boolean, integer = is_integer(value.type.element);
    const double low = logical || (integer && !is_signed(value.type.element)) ? 0 : test.low,
                 high = logical ? 1 : test.high;
    inputs.emplace_back(ir::seeded_tensor(value.type.element, shape, i + 1, low, high).value());
  }
  return inputs;
}

// Largest difference relative to the largest number expected, against what the type can resolve.
void expect_same_numbers(const Tensor& actual, const Tensor& expected, double tolerance, const std::string& output) {
  ASSERT_EQ(actual.type(), expected.type()) << output;
  ASSERT_EQ(actual.shape(), expected.shape())
      << output << ": " << actual.shape().to_string() << " instead of " << expected.shape().to_string();
  const std::vector<double> a = passes::to_doubles(actual), e = passes::to_doubles(expected);
  if (tolerance == 0) {
    switch (expected.type()) {
      case DataType::f32: tolerance = 2e-6; break;
      case DataType::f16: tolerance = 2e-3; break;
      case DataType::bf16: tolerance = 2e-2; break;
      case DataType::f64: tolerance = 1e-12; break;
      default: break;
    }
  }
  double largest = 1e-30, worst = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (std::isfinite(e[i])) largest = std::max(largest, std::abs(e[i]));
    if (std::isnan(e[i]) ? std::isnan(a[i]) : a[i] == e[i]) continue;
    worst = std::max(worst, std::isfinite(a[i]) ? std::abs(a[i] - e[i]) : INFINITY);
  }
  EXPECT_LE(worst, tolerance * largest) << output << ": largest difference " << worst << " where numbers reach "
                                        << largest;
}

class PassCaseTest : public ::testing::Test {
 public:
  explicit PassCaseTest(PassCase test) : test_(std::move(test)) {}

  void TestBody() override {
    const auto before = ir::parse(test_.before);
    ASSERT_TRUE(before.ok()) << where() << before.status().to_string();
    ASSERT_TRUE(ir::verify(*before).ok()) << where() << ir::verify(*before).to_string();
    ir::Graph after = *before;
    const std::vector<passes::Pass> list = passes_of(test_);
    const passes::PassGroup group{"test", list, 8};
    passes::PassOptions options;
    options.refresh = passes::infer_shapes;
    const auto report = passes::run_passes(after, {&group, 1}, options);
    ASSERT_TRUE(report.ok()) << where() << report.status().to_string();
    const auto expected = ir::parse(test_.after.empty() ? test_.before : test_.after);
    ASSERT_TRUE(expected.ok()) << where() << "expect: " << expected.status().to_string();
    for (const ir::Graph* graph : {&*before, &*expected}) {
      if (const auto missing = missing_operator(*graph); missing && test_.run)
        FAIL() << where() << "no reference kernel for " << *missing;
    }
    EXPECT_EQ(normal_text(after), normal_text(*expected)) << where() << "the graph is now\n"
                                                          << ir::print(after, {true, true, 16});
    if (test_.run) compare_numbers(*before, after);
  }

 private:
  std::string where() const { return test_.file + ".graph:" + std::to_string(test_.line) + ": "; }

  void compare_numbers(const ir::Graph& before, const ir::Graph& after) {
    const std::vector<Datum> inputs = random_inputs(before, test_);
    const auto expected = interpret(before, inputs);
    const auto actual = interpret(after, inputs);
    ASSERT_TRUE(expected.ok()) << where() << "before: " << expected.status().to_string();
    ASSERT_TRUE(actual.ok()) << where() << "after: " << actual.status().to_string();
    for (std::size_t i = 0; i < expected->size(); ++i) {
      if ((*expected)[i].kind != Datum::Kind::Tensor) continue;
      expect_same_numbers((*actual)[i].tensor, (*expected)[i].tensor, test_.tolerance,
                          where() + "output " + std::to_string(i));
    }
  }

  PassCase test_;
};

/// fuse_attention fires only where a tuned kernel exists; the tests run on the reference.
class NoKernel : public Kernel {
 public:
  std::string_view name() const override { return "none"; }
  Status can_run(const Problem&) const override { return {ErrorCode::Unsupported, "only a name"}; }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override { return can_run(problem); }
};

}  // namespace
}  // namespace fovea::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(FOVEA_TEST_DATA)) {
    if (entry.path().extension() == ".graph") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto cases = fovea::testing::read_pass_cases(file.string());
    if (!cases.ok()) {
      std::fprintf(stderr, "%s\n", cases.status().to_string().c_str());
      return 1;
    }
    for (const fovea::testing::PassCase& test : *cases) {
      ::testing::RegisterTest(
          test.file.c_str(), test.name.c_str(), nullptr, nullptr, file.string().c_str(), test.line,
          [test]() -> fovea::testing::PassCaseTest* { return new fovea::testing::PassCaseTest(test); });
    }
  }
  static const fovea::testing::NoKernel attention;
  fovea::add_kernel("cpu", "Attention", &attention);
  return RUN_ALL_TESTS();
}
