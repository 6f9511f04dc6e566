// SPDX-License-Identifier: Apache-2.0
// Operators that use every part of the interface, and some that misbehave. Built three times: as version 1.0.0, as 2.0.0
// (TEST_VERSION), and as a 1.0.0 whose schema changed without its version (TEST_OTHER_SCHEMA).
#include <fovea/plugin.hpp>

#include <cstring>

#ifndef TEST_VERSION
#define TEST_VERSION "1.0.0"
#endif

using namespace fovea::plugin;

namespace {

/// y = alpha * x + or - beta along axis 1. The kernel packs a constant beta once and works in scratch memory.
struct ScaleAdd {
  static constexpr const char *name = "test::ScaleAdd", *version = TEST_VERSION, *summary = "y = alpha * x + beta along axis 1", *kernel = "packed";
  static inline const std::vector<Port> inputs = {{"x", types(FOVEA_F32)}, {"beta", types(FOVEA_F32), FOVEA_OPTIONAL}}, outputs = {{"y"}};
  static inline const std::vector<Attribute> attributes = {Attribute::of("alpha", 2.0), Attribute::of("mode", "add", {"add", "subtract"}),
                                                           Attribute::of("repeat", std::vector<std::int64_t>{1, 1})};
  static void infer(const Node& node) {
    if (node.attributes().get_ints("repeat").size() != 2) refuse("attribute 'repeat' must have 2 elements");
    node.set_output(0, node.type(0), node.shape(0));
  }

  explicit ScaleAdd(const Problem& problem) : alpha_(static_cast<float>(problem.attributes().get_float("alpha"))) {
    const fovea_tensor& x = problem.input(0);
    if (x.rank < 2) refuse("x must have rank 2 or more");
    channels_ = x.extents[1];
    beta_.resize(static_cast<std::size_t>(channels_));
    if (problem.has_input(1) && problem.input(1).data) pack(problem), packed_ = true;
  }
  std::size_t scratch_bytes() const { return beta_.size() * sizeof(float); }
  void run(const Problem& problem) {
    if (!packed_) pack(problem);
    std::memcpy(problem.scratch(), beta_.data(), scratch_bytes());
    compute(problem, alpha_, static_cast<const float*>(problem.scratch()));
  }
  static void reference(const Problem& problem) {
    ScaleAdd plain(problem);
    if (!plain.packed_) plain.pack(problem);
    compute(problem, plain.alpha_, plain.beta_.data());
  }

 private:
  void pack(const Problem& problem) {
    const bool subtract = problem.attributes().get_string("mode") == "subtract";
    for (std::size_t c = 0; c < beta_.size(); ++c) {
      const float beta = problem.has_input(1) ? problem.in<float>(1)[c] : 0;
      beta_[c] = subtract ? -beta : beta;
    }
  }
  static void compute(const Problem& problem, float alpha, const float* beta) {
    const fovea_tensor& x = problem.input(0);
    const std::int64_t inner = x.strides[1];
    for (std::int64_t i = 0, count = elements(x); i < count; ++i) problem.out<float>(0)[i] = alpha * problem.in<float>(0)[i] + beta[i / inner % x.extents[1]];
  }

  float alpha_;
  std::int64_t channels_ = 0;
  std::vector<float> beta_;
  bool packed_ = false;
};

/// The upper left part: floor(H / 2) rows of W - margin columns. Any type of 4 bytes; no reference.
struct HalfCrop {
  static constexpr const char *name = "test::HalfCrop", *version = TEST_VERSION, *summary = "upper half without the right margin";
  static inline const std::vector<Port> inputs = {{"x", types(FOVEA_F32, FOVEA_I32)}}, outputs = {{"y"}};
#ifdef TEST_OTHER_SCHEMA
  static inline const std::vector<Attribute> attributes = {Attribute::of("margin", 1)};
#else
  static inline const std::vector<Attribute> attributes = {Attribute::required("margin", FOVEA_INT)};
#endif
  static void infer(const Node& node) {
    const std::int64_t margin = node.attributes().get_int("margin");
    if (margin < 0) refuse("attribute 'margin': expected 0 or more, found " + std::to_string(margin));
    auto shape = node.shape(0);
    if (!shape) return node.set_output(0, node.type(0));
    if (shape->size() != 4) refuse("x: expected rank 4, found " + std::to_string(shape->size()));
    (*shape)[2] = floor_div((*shape)[2], 2);
    (*shape)[3] = max((*shape)[3] - margin, node.number(0));
    node.set_output(0, node.type(0), shape);
  }
  static void can_run(const Problem& problem) {
    if (problem.input(0).extents[0] > 1000) unsupported("more than 1000 pictures");
  }
  explicit HalfCrop(const Problem&) {}
  void run(const Problem& problem) {
    const fovea_tensor &x = problem.input(0), &y = problem.output(0);
    for (std::int64_t plane = 0; plane < y.extents[0] * y.extents[1]; ++plane) {
      for (std::int64_t row = 0; row < y.extents[2]; ++row) {
        std::memcpy(problem.out<float>(0) + (plane * y.extents[2] + row) * y.extents[3], problem.in<float>(0) + (plane * x.extents[2] + row) * x.extents[3],
                    static_cast<std::size_t>(y.extents[3]) * sizeof(float));
      }
    }
  }
};

/// A tensor of the extents that its input's values say.
struct Fill {
  static constexpr const char *name = "test::Fill", *version = TEST_VERSION, *summary = "a constant of the shape that is given";
  static inline const std::vector<Port> inputs = {{"shape", types(FOVEA_I64)}}, outputs = {{"y"}};
  static inline const std::vector<Attribute> attributes = {Attribute::of("value", 0.0)};
  static void infer(const Node& node) { node.set_output(0, FOVEA_F32, node.values(0)); }
  explicit Fill(const Problem&) {}
  void run(const Problem& problem) { std::fill_n(problem.out<float>(0), elements(problem.output(0)), static_cast<float>(problem.attributes().get_float("value"))); }
};

/// Its kernel and its reference disagree by a thousandth in one element.
struct Wrong {
  static constexpr const char *name = "test::Wrong", *version = TEST_VERSION, *summary = "a kernel that is off", *kernel = "off";
  static inline const std::vector<Port> inputs = {{"x", types(FOVEA_F32)}}, outputs = {{"y"}};
  static inline const std::vector<Attribute> attributes = {};
  static void infer(const Node& node) { node.set_output(0, node.type(0), node.shape(0)); }
  explicit Wrong(const Problem&) {}
  void run(const Problem& problem) { reference(problem), problem.out<float>(0)[elements(problem.output(0)) / 2] += 1e-3f; }
  static void reference(const Problem& problem) {
    for (std::int64_t i = 0; i < elements(problem.output(0)); ++i) problem.out<float>(0)[i] = 2 * problem.in<float>(0)[i];
  }
};

/// Works until it meets a number above 1000.
struct Fails {
  static constexpr const char *name = "test::Fails", *version = TEST_VERSION, *summary = "refuses large numbers";
  static inline const std::vector<Port> inputs = {{"x", types(FOVEA_F32)}}, outputs = {{"y"}};
  static inline const std::vector<Attribute> attributes = {};
  static void infer(const Node& node) { node.set_output(0, node.type(0), node.shape(0)); }
  explicit Fails(const Problem&) {}
  void run(const Problem& problem) {
    for (std::int64_t i = 0; i < elements(problem.output(0)); ++i) {
      const float x = problem.in<float>(0)[i];
      if (x > 1000) refuse("element " + std::to_string(i) + ": expected at most 1000, found " + std::to_string(x));
      problem.out<float>(0)[i] = x;
    }
  }
};

}  // namespace

FOVEA_PLUGIN("test_operators", ScaleAdd, HalfCrop, Fill, Wrong, Fails)
