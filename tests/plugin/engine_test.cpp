// SPDX-License-Identifier: Apache-2.0
// Engines record the plugin operators they use, and run with exactly those or not at all.
#include <gtest/gtest.h>

#include <functional>

#include "compiler/compile.h"
#include "engine/plan_file.h"
#include "fovea/engine.h"
#include "fovea/load_plugin.h"
#include "fovea/session.h"
#include "ir/text.h"
#include "support/engine_bytes.h"
#include "support/op_test.h"

namespace fovea::test {
namespace {

using testing::fails;

Plan crop_plan() {
  const auto loaded = load_plugin(FOVEA_TEST_PLUGINS "/test_operators.so");
  EXPECT_TRUE(loaded.ok()) << loaded.status().to_string();
  return compiler::compile(ir::parse("graph g(x: f32[N,3,H,W]) -> (y) { y = test::HalfCrop(x) {margin=2} }").value(), {}).value();
}

TEST(PluginEngine, RoundTrip) {
  const Plan plan = crop_plan();
  const auto bytes = engine::write_plan(plan);
  ASSERT_TRUE(bytes.ok()) << bytes.status().to_string();
  const auto loaded = Engine::load(*bytes);
  ASSERT_TRUE(loaded.ok()) << loaded.status().to_string();
  ASSERT_EQ(loaded->plan().plugins.size(), 1u);
  EXPECT_EQ(loaded->plan().plugins[0].op, "test::HalfCrop");
  EXPECT_EQ(loaded->plan().plugins[0].version, "1.0.0");
  EXPECT_EQ(loaded->plan().plugins[0].schema_hash, plan.plugins[0].schema_hash);
  EXPECT_EQ(loaded->plan().plugins[0].plugin, "test_operators");
}

// Each of these is what another library, an older one, or a stranger's file looks like.
TEST(PluginEngine, IsRefusedUnlessItIsTheSameOperator) {
  struct Case {
    std::function<void(Plan&)> change;
    ErrorCode code;
    const char* phrase;
  };
  const std::string other_hash(64, 'a');
  const Case kCases[] = {
      {[](Plan& p) { p.plugins[0].op = p.steps[0].op = "gone::Op"; }, ErrorCode::Unsupported,
       "it was built with operator 'gone::Op' 1.0.0 of the plugin 'test_operators', which is not loaded"},
      {[](Plan& p) { p.plugins[0].version = "0.9.0"; }, ErrorCode::Unsupported, "operator 'test::HalfCrop' 0.9.0 of the plugin 'test_operators', the loaded plugin 'test_operators' ("},
      {[&](Plan& p) { p.plugins[0].schema_hash = other_hash; }, ErrorCode::Unsupported, "and schema aaaaaaaaaaaa, the loaded plugin"},
      {[](Plan& p) { p.plugins[0].op = p.steps[0].op = "Identity"; p.steps[0].attributes = {}; }, ErrorCode::Unsupported, "here an operator of that name is built in"},
      {[](Plan& p) { p.plugins.clear(); }, ErrorCode::InvalidModel, "a step uses operator 'test::HalfCrop' of a plugin, and the engine does not say which one"},
      {[](Plan& p) { p.plugins.push_back(p.plugins[0]); }, ErrorCode::InvalidModel, "not in order, or one is listed twice"},
      {[](Plan& p) { p.plugins[0].schema_hash = "short"; }, ErrorCode::InvalidModel, "its schema's hash is not 64 hexadecimal digits"},
      {[](Plan& p) { p.plugins[0].schema_hash[0] = 'X'; }, ErrorCode::InvalidModel, "its schema's hash is not 64 hexadecimal digits"},
      {[](Plan& p) { p.plugins[0].op = "test::Fill"; }, ErrorCode::InvalidModel, "plugin operator 'test::Fill' is listed, but no step uses it"},
  };
  for (const Case& test : kCases) {
    Plan plan = crop_plan();
    test.change(plan);
    const auto bytes = engine::write_plan_unchecked(plan);
    ASSERT_TRUE(bytes.ok());
    EXPECT_TRUE(fails(Engine::load(*bytes).status(), test.code, test.phrase));
    EXPECT_FALSE(engine::write_plan(plan).ok()) << "such an engine is not written either: " << test.phrase;
  }
}

TEST(PluginEngine, OperatorsInsideBodiesCount) {
  crop_plan();  // loads the library
  const auto plan = compiler::compile(ir::parse("graph g(c: bool, x: f32[1,3,4,4]) -> (y) {\n"
                                                "  y = If(c, x) {captures=1}\n"
                                                "    graph a(v) -> (w) { w = test::HalfCrop(v) {margin=0} }\n"
                                                "    graph b(v) -> (w) { w = Identity(v) }\n"
                                                "}").value(), {});
  ASSERT_TRUE(plan.ok()) << plan.status().to_string();
  ASSERT_EQ(plan->plugins.size(), 1u);
  EXPECT_EQ(plan->plugins[0].op, "test::HalfCrop");
}

// Every bit of the plan section, hashes made right again: loads or fails, but does nothing else.
TEST(PluginEngine, FlippedBitsBehindRightHashes) {
  const auto file = engine::write_plan(crop_plan()).value();
  const auto [offset, size] = section_of(file, 0);
  int refused = 0, loaded = 0;
  for (std::size_t bit = offset * 8; bit < (offset + size) * 8; ++bit) {
    auto mutant = file;
    mutant[bit / 8] ^= std::byte{static_cast<unsigned char>(1u << (bit % 8))};
    rehash(mutant);
    ++(Engine::load(mutant).ok() ? loaded : refused);
  }
  EXPECT_GT(loaded, 0) << "a flipped letter of a sentence is harmless";
  EXPECT_GT(refused, 8 * 64) << "no bit of the schema's hash is";
}

// A hostile engine may declare other extents than the operator has: the kernel never sees them.
TEST(PluginEngine, FalseExtentsAreFoundBeforeTheKernelRuns) {
  Plan plan = crop_plan();
  for (PlanValue& value : plan.values) {
    if (value.name == "y") (*value.shape)[3] = Dim(1000);
  }
  auto bytes = engine::write_plan_unchecked(plan).value();
  const auto engine = Engine::load(bytes);
  ASSERT_TRUE(engine.ok()) << engine.status().to_string();
  Session session = Session::create(*engine).value();
  ASSERT_TRUE(session.set_input("x", testing::random(DataType::f32, {1, 3, 4, 4})).ok());
  EXPECT_FALSE(session.run().ok());
}

}  // namespace
}  // namespace fovea::test
