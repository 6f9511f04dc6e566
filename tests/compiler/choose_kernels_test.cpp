// SPDX-License-Identifier: Apache-2.0
// A kernel that computes something else must be found while building, named, and not used.
#include "compiler/choose_kernels.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "compiler/compile.h"
#include "device/kernel_registry.h"
#include "ir/text.h"
#include "runtime/executor.h"

namespace fovea::compiler {
namespace {

/// Erf, but one element in the middle is off by a thousandth: small enough to be missed by looking.
class WrongErf : public Kernel {
 public:
  class Prepared : public PreparedKernel {
   public:
    explicit Prepared(std::int64_t count) : count_(count) {}
    Status run(const Arguments& arguments) override {
      const auto* src = static_cast<const float*>(arguments.inputs[0]);
      auto* dst = static_cast<float*>(arguments.outputs[0]);
      for (std::int64_t i = 0; i < count_; ++i) dst[i] = std::erf(src[i]) + (i == count_ / 2 ? 1e-3f : 0.0f);
      return {};
    }

   private:
    std::int64_t count_;
  };

  std::string_view name() const override { return "wrong_erf"; }
  Status can_run(const Problem&) const override { return {}; }
  Result<std::unique_ptr<PreparedKernel>> prepare(const Problem& problem) const override {
    return std::unique_ptr<PreparedKernel>(std::make_unique<Prepared>(problem.outputs[0].shape.elements()));
  }
};

class WrongKernel : public testing::Test {
 protected:
  void SetUp() override { add_kernel("cpu", "Erf", &kernel_); }
  void TearDown() override { remove_kernel(&kernel_); }

  static Plan build(bool verify, Tuning tuning) {
    BuildOptions options;
    options.verify = verify;
    options.tuning = tuning;
    options.disabled_passes = {"form_pointwise_programs"};
    return compile(ir::parse("graph g(x: f32[4,32]) -> (y) { y = Erf(x) as \"the erf\" }").value(), options).value();
  }

  WrongErf kernel_;
};

TEST_F(WrongKernel, IsFoundNamedAndNotUsed) {
  for (const Tuning tuning : {Tuning::None, Tuning::Fast}) {
    const Plan plan = build(true, tuning);
    ASSERT_EQ(plan.steps.size(), 1u);
    EXPECT_NE(plan.steps[0].kernel, "wrong_erf");
    const auto refusal = std::find_if(plan.decisions.begin(), plan.decisions.end(), [](const Decision& d) { return d.code == "KERNEL_REFUSED"; });
    ASSERT_NE(refusal, plan.decisions.end());
    EXPECT_EQ(refusal->subject, "the erf");
    EXPECT_NE(refusal->sentence.find("wrong_erf"), std::string::npos) << refusal->sentence;
    EXPECT_NE(plan.certificate[0].refused.find("wrong_erf"), std::string::npos);
  }
}

TEST_F(WrongKernel, WouldBeUsedWithoutVerification) {
  const Plan plan = build(false, Tuning::None);
  EXPECT_EQ(plan.steps[0].kernel, "wrong_erf");
  EXPECT_EQ(plan.decisions.at(0).code, "NOT_VERIFIED");
  EXPECT_EQ(plan.certificate.at(0).compared, 0);
}

TEST_F(WrongKernel, EveryElementOfTheOthersIsCompared) {
  EXPECT_EQ(build(true, Tuning::None).certificate.at(0).compared, 4 * 32);
}

// The sine of ten million times a sum: the last bit of the sum decides.
TEST(EndToEnd, LargeErrorsAreRemarked) {
  const char* const chaotic = R"(graph g(x: f32[1,64,8,8]) -> (y) {
    const w: f32[8,64,3,3] = rand(1, -1, 1)
    const k: f32[1] = [1e7]
    c = Conv(x, w)
    m = Mul(c, k)
    y = Sin(m)
  })";
  const auto codes = [](const char* text) {
    BuildOptions options;
    options.tuning = Tuning::None;
    std::vector<std::string> found;
    const Plan plan = compile(ir::parse(text).value(), options).value();
    for (const Decision& decision : plan.decisions) found.push_back(decision.code);
    return found;
  };
  const auto remarked = codes(chaotic);
  EXPECT_EQ(std::count(remarked.begin(), remarked.end(), "LARGE_ERROR"), 1);
  const auto calm = codes("graph g(x: f32[1,64,8,8]) -> (y) { y = Sin(x) }");
  EXPECT_EQ(std::count(calm.begin(), calm.end(), "LARGE_ERROR"), 0);
}

}  // namespace
}  // namespace fovea::compiler
