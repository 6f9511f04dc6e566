// SPDX-License-Identifier: Apache-2.0
// Random heads of segmentation networks through the whole pass list: 1x1 convolutions behind trees of Resizes, sums,
// concatenations and linear layers. FOVEA_RANDOM_GRAPHS sets how many, FOVEA_RANDOM_SEED where they start.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "ir/verify.h"
#include "passes/expect_same.h"
#include "passes/infer_shapes.h"
#include "passes/pass_runner.h"

namespace fovea::testing {
namespace {

using ir::ValueId;

class HeadGenerator {
 public:
  explicit HeadGenerator(unsigned seed) : random_(seed) {}

  ir::Graph make() {
    graph_.name = "head";
    const std::int64_t channels = wide();
    ValueId y = convolve(tree(channels, 8, 4), channels, pick(1, 8), 1);
    if (pick(0, 1)) y = add("Relu", {y});
    graph_.outputs.push_back(y);
    return std::move(graph_);
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  std::int64_t wide() { return 4 * pick(1, 4); }
  ValueId constant(const Shape& shape) { return graph_.add_constant("c", ir::seeded_tensor(DataType::f64, shape, random_(), -1, 1).value()); }
  ValueId integers(const std::vector<std::int64_t>& list) { return graph_.add_constant("i", passes::from_integers(list)); }

  ValueId add(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const ValueId y = graph_.add_node(op, "v", std::move(inputs), std::move(attributes));
    EXPECT_TRUE(passes::infer_shapes(graph_).ok());
    return y;
  }
  ValueId input(const Shape& shape) {
    graph_.inputs.push_back(graph_.add_value("x", {ValueType::Kind::Tensor, DataType::f64}, to_symbolic(shape)));
    return graph_.inputs.back();
  }

  ValueId convolve(ValueId x, std::int64_t in, std::int64_t out, std::int64_t window) {
    Attributes attributes;
    if (window == 3) attributes.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    std::vector<ValueId> inputs = {x, constant({out, in, window, window})};
    if (pick(0, 1)) inputs.push_back(constant({out}));
    return add("Conv", std::move(inputs), std::move(attributes));
  }

  ValueId layer_on_rows(std::int64_t in, std::int64_t out, std::int64_t side) {
    ValueId rows = add("MatMul", {input({1, side * side, in}), constant({in, out})});
    if (pick(0, 1)) rows = add("Add", {rows, constant({out})});
    Attributes swap;
    swap.set("perm", std::vector<std::int64_t>{0, 2, 1});
    return add("Reshape", {add("Transpose", {rows}, std::move(swap)), integers({1, out, side, side})});
  }

  ValueId resize(ValueId x, std::int64_t channels, std::int64_t side) {
    constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
    Attributes attributes;
    attributes.set("mode", std::string(kModes[pick(0, 2)]));
    if (pick(0, 1)) return add("Resize", {x, ir::kNone, ir::kNone, integers({1, channels, side, side})}, std::move(attributes));
    attributes.set("axes", std::vector<std::int64_t>{2, 3});
    return add("Resize", {x, ir::kNone, ir::kNone, integers({side, side})}, std::move(attributes));
  }

  // A picture [1, channels, side, side].
  ValueId tree(std::int64_t channels, std::int64_t side, int depth) {
    switch (depth == 0 ? 9 : pick(0, 8)) {
      case 0:
      case 1:
      case 2: return resize(tree(channels, std::max<std::int64_t>(1, side / 2), depth - 1), channels, side);
      case 3:
      case 4: {
        const ValueId a = tree(channels, side, depth - 1);
        return add("Add", {a, pick(0, 9) ? tree(channels, side, depth - 1) : a});
      }
      case 5: {
        const std::int64_t first = wide();
        if (first >= channels) return tree(channels, side, depth - 1);
        Attributes attributes;
        attributes.set("axis", std::int64_t{1});
        const ValueId a = tree(first, side, depth - 1);
        return add("Concat", {a, tree(channels - first, side, depth - 1)}, std::move(attributes));
      }
      case 6: {
        const std::int64_t in = wide();
        return convolve(tree(in, side, depth - 1), in, channels, pick(0, 3) ? 1 : 3);
      }
      case 7: return layer_on_rows(pick(1, 6), channels, side);
      default: return input({1, channels, side, side});
    }
  }

  std::mt19937 random_;
  ir::Graph graph_;
};

int number_from(const char* variable, int fallback) {
  const char* text = std::getenv(variable);
  return text ? std::atoi(text) : fallback;
}

TEST(RandomHeads, ComputeTheSameAfterAllPasses) {
  const int first = number_from("FOVEA_RANDOM_SEED", 1), count = number_from("FOVEA_RANDOM_GRAPHS", 300);
  int hoisted = 0;
  for (int seed = first; seed < first + count && !HasFailure(); ++seed) {
    const ir::Graph before = HeadGenerator(static_cast<unsigned>(seed)).make();
    ASSERT_TRUE(ir::verify(before).ok()) << ir::verify(before).to_string();
    ir::Graph after = before;
    passes::PassOptions options;
    options.refresh = passes::infer_shapes;
    const auto report = passes::run_passes(after, passes::optimization_passes(), options);
    ASSERT_TRUE(report.ok()) << report.status().to_string();
    for (const passes::PassRun& run : report->passes) hoisted += run.name == "hoist_channel_maps" && run.changes > 0;
    expect_same_f64(before, after, static_cast<unsigned>(seed));
    if (HasFailure()) ADD_FAILURE() << "seed " << seed << ", before:\n" << ir::print(before, {true, false, 32}) << "after:\n" << ir::print(after, {true, false, 32});
  }
  EXPECT_GE(hoisted, count / 3);
}

}  // namespace
}  // namespace fovea::testing
