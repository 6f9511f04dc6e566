// SPDX-License-Identifier: Apache-2.0
// Random small graphs through the whole pass list: the optimised graph must compute the same numbers. Everything is in
// f64, so that what differs is wrong and not rounded. FOVEA_RANDOM_GRAPHS sets how many, FOVEA_RANDOM_SEED where they
// start.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/infer_shapes.h"
#include "passes/match.h"
#include "passes/expect_same.h"
#include "passes/pass_runner.h"

namespace fovea::testing {
namespace {

using ir::Graph;
using ir::ValueId;

constexpr DataType kType = DataType::f64;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  Graph make() {
    graph_.name = "random";
    for (int i = 0, count = pick(1, 2); i < count; ++i) {
      const ValueId input = graph_.add_value("x", {ValueType::Kind::Tensor, kType},
                                             to_symbolic(Shape{pick(1, 2), pick(1, 6), pick(2, 5), pick(2, 5)}));
      graph_.inputs.push_back(input);
      values_.push_back(input);
    }
    for (int i = 0, count = pick(3, 14); i < count; ++i) add_node();
    graph_.outputs.push_back(values_.back());
    if (pick(0, 2) == 0) add_output(values_[static_cast<std::size_t>(pick(0, static_cast<int>(values_.size()) - 1))]);
    return std::move(graph_);
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  const Shape shape(ValueId v) { return *passes::concrete_shape_of(graph_, v); }
  ValueId any() {
    return values_[static_cast<std::size_t>(
        pick(std::max(0, static_cast<int>(values_.size()) - 4), static_cast<int>(values_.size()) - 1))];
  }
  ValueId constant(const Shape& s, double low = -1, double high = 1) {
    return graph_.add_constant("c", ir::seeded_tensor(kType, s, random_(), low, high).value());
  }
  ValueId number(double value) { return graph_.add_constant("k", passes::from_doubles(kType, {}, {value})); }
  ValueId integers(const std::vector<std::int64_t>& list) {
    return graph_.add_constant("i", passes::from_integers(list));
  }

  void add_output(ValueId v) {
    if (!graph_.is_graph_output(v) && !graph_.is_graph_input(v)) graph_.outputs.push_back(v);
  }
  // Shapes come from inference, so that the generator cannot be wrong about them.
  void add(std::string_view op, std::vector<ValueId> inputs, Attributes attributes = {}, int outputs = 1) {
    ir::Node node;
    node.op = std::string(op);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    for (int i = 0; i < outputs; ++i) node.outputs.push_back(graph_.add_value("v"));
    const auto results = node.outputs;
    graph_.add_node(std::move(node));
    const Status status = passes::infer_shapes(graph_);
    ASSERT_TRUE(status.ok()) << status.to_string() << "\n" << ir::print(graph_);
    for (ValueId v : results) {
      ASSERT_TRUE(passes::concrete_shape_of(graph_, v).has_value()) << op;
      values_.push_back(v);
    }
  }

  void add_node() {
    const ValueId x = any();
    const Shape s = shape(x);
    Attributes a;
    switch (pick(0, 17)) {
      case 0: {
        constexpr const char* kUnary[] = {"Relu",        "Neg",      "Sigmoid", "LeakyRelu",
                                          "HardSigmoid", "Identity", "Tanh",    "Abs"};
        return add(kUnary[pick(0, 7)], {x});
      }
      case 1: return add("Clip", {x, number(pick(-1, 0)), number(pick(0, 2))});
      case 2: {
        const ValueId y = any();
        if (shape(y) == s) return add(pick(0, 1) ? "Add" : "Mul", {x, y});
        return add("Relu", {x});
      }
      case 3: return binary_with_constant(x, s);
      case 4: {
        std::vector<std::int64_t> perm(static_cast<std::size_t>(s.rank()));
        for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(i);
        std::shuffle(perm.begin(), perm.end(), random_);
        a.set("perm", perm);
        return add("Transpose", {x}, std::move(a));
      }
      case 5: return reshape(x, s);
      case 6: {
        const ValueId y = any();
        const Shape t = shape(y);
        for (int axis = 0; axis < s.rank() && t.rank() == s.rank(); ++axis) {
          Shape same = t;
          same[axis] = s[axis];
          if (same == s && s.elements() + t.elements() < 3000) {
            a.set("axis", std::int64_t{pick(0, 1) ? axis : axis - s.rank()});
            return add("Concat", {x, y}, std::move(a));
          }
        }
        return add("Neg", {x});
      }
      case 7: {
        const int axis = pick(0, s.rank() - 1);
        const std::int64_t start = pick(0, static_cast<int>(s[axis]) - 1),
                           end = pick(static_cast<int>(start) + 1, static_cast<int>(s[axis]));
        return add("Slice", {x, integers({start}), integers({end}), integers({axis})});
      }
      case 8: {
        if (s.elements() > 2000) return add("Abs", {x});
        std::vector<std::int64_t> pads(2 * static_cast<std::size_t>(s.rank()), 0);
        pads[static_cast<std::size_t>(pick(0, 2 * s.rank() - 1))] = pick(0, 2);
        pads[static_cast<std::size_t>(s.rank() - 1)] = 1;
        return add("Pad", {x, integers(pads)});
      }
      case 9:
      case 10: return convolution(x, s);
      case 11: {
        if (s.rank() != 4 || s[2] < 2 || s[3] < 2) return add("Sigmoid", {x});
        a.set("kernel_shape", std::vector<std::int64_t>{2, 2});
        return add(pick(0, 1) ? "MaxPool" : "AveragePool", {x}, std::move(a));
      }
      case 12: {
        a.set("keepdims", std::int64_t{1});
        return add("ReduceMean",
                   {x, s.rank() == 4 && pick(0, 1) ? integers({2, 3}) : integers({pick(0, s.rank() - 1)})},
                   std::move(a));
      }
      case 13: {
        if (s.rank() < 2) return add("Tanh", {x});
        std::vector<std::int64_t> indices;
        for (std::int64_t i = 0; i < s[1]; ++i) indices.push_back(i);
        std::shuffle(indices.begin(), indices.end(), random_);
        if (pick(0, 1)) indices.resize(static_cast<std::size_t>(pick(1, static_cast<int>(s[1]))));
        a.set("axis", std::int64_t{1});
        return add("Gather", {x, integers(indices)}, std::move(a));
      }
      case 14: {
        if (s.rank() < 2) return add("Neg", {x});
        return add("BatchNormalization",
                   {x, constant({s[1]}, 0.5, 2), constant({s[1]}), constant({s[1]}), constant({s[1]}, 0.5, 2)});
      }
      case 15:
      case 16: return resize(x, s);
      default: {
        const int axis = pick(0, s.rank() - 1);
        if (s[axis] < 2) return add("Relu", {x});
        a.set("axis", std::int64_t{axis});
        const std::int64_t first = pick(1, static_cast<int>(s[axis]) - 1);
        return add("Split", {x, integers({first, s[axis] - first})}, std::move(a), 2);
      }
    }
  }

  void binary_with_constant(ValueId x, const Shape& s) {
    constexpr const char* kBinary[] = {"Add", "Mul", "Sub", "Div"};
    const char* op = kBinary[pick(0, 3)];
    ValueId c = ir::kNone;
    switch (pick(0, 4)) {
      case 0: c = number(pick(0, 3) ? pick(1, 4) : 1); break;
      case 1: c = constant(s, 0.5, 2); break;
      case 2: {
        if (s.rank() != 4) return add("Relu", {x});
        c = constant({s[1], 1, 1}, 0.5, 2);
        break;
      }
      case 3: c = constant({s[s.rank() - 1]}, 0.5, 2); break;
      default: c = number(std::string_view(op) == "Add" || std::string_view(op) == "Sub" ? 0 : 1);
    }
    if (pick(0, 3) == 0 && std::string_view(op) != "Div") return add(op, {c, x});
    add(op, {x, c});
  }

  void reshape(ValueId x, const Shape& s) {
    std::vector<std::int64_t> target(s.begin(), s.end());
    if (target.size() < 5 && pick(0, 1)) {
      // Split an axis in two.
      const auto axis = static_cast<std::size_t>(pick(0, s.rank() - 1));
      for (std::int64_t factor : {2, 3}) {
        if (target[axis] % factor != 0) continue;
        target[axis] /= factor;
        target.insert(target.begin() + static_cast<std::ptrdiff_t>(axis), factor);
        break;
      }
    } else if (target.size() > 2) {
      const auto axis = static_cast<std::size_t>(pick(0, s.rank() - 2));
      target[axis] *= target[axis + 1];
      target.erase(target.begin() + static_cast<std::ptrdiff_t>(axis) + 1);
    }
    if (pick(0, 1)) target[static_cast<std::size_t>(pick(0, static_cast<int>(target.size()) - 1))] = -1;
    add("Reshape", {x, integers(target)});
  }

  // Spatial axes, named or not; sometimes more.
  void resize(ValueId x, const Shape& s) {
    if (s.rank() != 4 || s.elements() > 500) return add("Abs", {x});
    constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
    constexpr const char* kCoordinates[] = {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"};
    Attributes a;
    a.set("mode", std::string(kModes[pick(0, 2)]));
    a.set("coordinate_transformation_mode", std::string(kCoordinates[pick(0, 4)]));
    a.set("exclude_outside", std::int64_t{pick(0, 1)});
    if (pick(0, 1)) {
      const auto scaled = [&](std::int64_t extent) { return std::max<std::int64_t>(1, extent * pick(1, 4) / pick(1, 2)); };
      return add("Resize", {x, ir::kNone, ir::kNone, integers({s[0], pick(0, 7) ? s[1] : scaled(s[1]), scaled(s[2]), scaled(s[3])})}, std::move(a));
    }
    a.set("axes", std::vector<std::int64_t>{2, -1});
    const ValueId scales = graph_.add_constant("k", passes::from_doubles(DataType::f32, {2}, {pick(4, 9) * 0.25, pick(1, 3) * 1.0}));
    add("Resize", {x, ir::kNone, scales}, std::move(a));
  }

  void convolution(ValueId x, const Shape& s) {
    if (s.rank() != 4 || s[1] > 12) return add("Tanh", {x});
    Attributes a;
    const bool depthwise = pick(0, 2) == 0, wide = s[2] >= 3 && s[3] >= 3 && pick(0, 1);
    const std::int64_t k = wide ? 3 : 1, channels = depthwise ? s[1] : pick(1, 6);
    if (depthwise) a.set("group", s[1]);
    if (wide && pick(0, 1)) a.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    std::vector<ValueId> inputs = {x, constant({channels, depthwise ? 1 : s[1], k, k})};
    if (pick(0, 1)) inputs.push_back(constant({channels}));
    add("Conv", std::move(inputs), std::move(a));
  }

  std::mt19937 random_;
  Graph graph_;
  std::vector<ValueId> values_;
};

int from_environment(const char* name, int fallback) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : fallback;
}

TEST(RandomGraphs, ComputeTheSameAfterAllPasses) {
  const int first = from_environment("FOVEA_RANDOM_SEED", 1), count = from_environment("FOVEA_RANDOM_GRAPHS", 1500);
  for (int seed = first; seed < first + count && !HasFailure(); ++seed) {
    const Graph before = Generator(static_cast<unsigned>(seed)).make();
    if (HasFatalFailure()) return;
    ASSERT_TRUE(ir::verify(before).ok()) << ir::verify(before).to_string();
    Graph after = before;
    passes::PassOptions options;
    options.refresh = passes::infer_shapes;
    const auto report = passes::run_passes(after, passes::optimization_passes(), options);
    EXPECT_TRUE(report.ok()) << report.status().to_string();
    if (report.ok()) expect_same_f64(before, after, static_cast<unsigned>(seed));
    if (HasFailure()) {
      ADD_FAILURE() << "seed " << seed << ", before:\n"
                    << ir::print(before, {true, false, 32}) << "after:\n"
                    << ir::print(after, {true, false, 32});
    }
  }
}

}  // namespace
}  // namespace fovea::testing
