// SPDX-License-Identifier: Apache-2.0
// Truncated, flipped and hostile engine files end in an error.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>

#include "engine/plan_file.h"
#include "engine/sample_plan.h"
#include "fovea/engine.h"
#include "support/engine_bytes.h"

namespace fovea::test {
namespace {

using Bytes = std::vector<std::byte>;

Bytes small_engine() {
  Plan plan = small_plan();
  plan.constants = {Tensor::from<float>(DataType::f32, {3}, std::vector<float>{1, 2, 3})};
  plan.values.push_back(plan_value("w", DataType::f32, SymbolicShape{3}));
  plan.values.back().constant = 0;
  return engine::write_plan(plan).value();
}

TEST(BadEngine, TruncatedAnywhere) {
  const Bytes file = small_engine();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto engine = Engine::load(std::span(file).first(size));
    ASSERT_FALSE(engine.ok()) << size;
    ASSERT_EQ(engine.status().code(), ErrorCode::InvalidModel) << size;
  }
}

TEST(BadEngine, TruncatedWithHashesMadeRight) {
  const Bytes file = small_engine();
  for (std::size_t size = 0; size < file.size(); ++size) {
    Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    rehash(cut);
    ASSERT_FALSE(Engine::load(cut).ok()) << size;
  }
}

TEST(BadEngine, EveryFlippedBitIsFound) {
  Bytes file = small_engine();
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    const std::byte mask{static_cast<unsigned char>(1u << (bit % 8))};
    file[bit / 8] ^= mask;
    ASSERT_FALSE(Engine::load(file).ok()) << "bit " << bit;
    file[bit / 8] ^= mask;
  }
  EXPECT_TRUE(Engine::load(file).ok());
}

TEST(BadEngine, BytesAfterTheEnd) {
  Bytes file = small_engine();
  file.resize(file.size() + 64);
  EXPECT_FALSE(Engine::load(file).ok());
  rehash(file);
  EXPECT_FALSE(Engine::load(file).ok());
}

// Every bit of the plan section, hashes made right again: loads or fails, but does nothing else.
TEST(BadEngine, FlippedBitsBehindRightHashes) {
  const Bytes file = small_engine();
  const auto [offset, size] = section_of(file, 0);
  int loaded = 0;
  for (std::size_t bit = offset * 8; bit < (offset + size) * 8; ++bit) {
    Bytes mutant = file;
    mutant[bit / 8] ^= std::byte{static_cast<unsigned char>(1u << (bit % 8))};
    rehash(mutant);
    loaded += Engine::load(mutant).ok() ? 1 : 0;
  }
  EXPECT_GT(loaded, 0) << "a flipped letter of a name is harmless";
}

TEST(BadEngine, RandomDamageBehindRightHashes) {
  const Bytes file = engine::write_plan(rich_plan()).value();
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    Bytes mutant = file;
    const auto [offset, size] = section_of(file, 0);
    for (int change = 0; change < 1 + i % 4; ++change) {
      const std::size_t at = offset + random() % (size - 4);
      const std::uint32_t interesting[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, static_cast<std::uint32_t>(size),
                                           static_cast<std::uint32_t>(random())};
      const std::uint32_t value = interesting[random() % 7];
      std::memcpy(mutant.data() + at, &value, 1 + random() % 4);
    }
    rehash(mutant);
    static_cast<void>(Engine::load(mutant));
  }
}

TEST(BadEngine, SectionTableTricks) {
  struct Trick {
    const char* name;
    std::size_t at;
    std::uint64_t value;
  };
  const Trick tricks[] = {{"offset near 2^64", 64 + 8, ~std::uint64_t{63}}, {"size near 2^64", 64 + 16, ~std::uint64_t{0}},
                          {"overlapping sections", 128 + 8, 64 + 128},     {"no sections", 8, 0},
                          {"many sections", 8, 0xffffffff},                {"unknown kind", 64, 99},
                          {"two plans", 128, 1}};
  for (const Trick& trick : tricks) {
    Bytes file = small_engine();
    std::memcpy(file.data() + trick.at, &trick.value, trick.at % 8 == 0 && trick.at > 64 && trick.at != 128 ? 8 : 4);
    rehash(file);
    const auto engine = Engine::load(file);
    EXPECT_FALSE(engine.ok()) << trick.name;
  }
}

// Plans that are wrong as a whole. The writer would refuse them, so check_plan is asked through it.
struct BadPlan {
  const char* name;
  std::function<void(Plan&)> damage;
  const char* phrase;
};

const BadPlan kBadPlans[] = {
    {"output index", [](Plan& p) { p.outputs = {99}; }, "refers to value 99"},
    {"negative input", [](Plan& p) { p.inputs = {-1}; }, "refers to value -1"},
    {"step index", [](Plan& p) { p.steps[0].inputs = {1000}; }, "step 'to_left' refers to value 1000"},
    {"required input missing", [](Plan& p) { p.steps[0].inputs = {-1}; }, "required input 0 is missing"},
    {"arity", [](Plan& p) { p.steps[0].inputs = {0, 0}; }, "expected 1 inputs, found 2"},
    {"unknown operator", [](Plan& p) { p.steps[0].op = "Idenity"; }, "unknown operator 'Idenity'"},
    {"unknown kernel", [](Plan& p) { p.steps[0].kernel = "warp"; }, "no kernel 'warp'"},
    {"unknown attribute", [](Plan& p) { p.steps[0].attributes.set("axis", std::int64_t{1}); }, "unknown attribute 'axis'"},
    {"body index", [](Plan& p) { p.steps[0].bodies = {0}; }, "body 0 of 0"},
    {"constant index", [](Plan& p) { p.values[1].constant = 4; }, "constant 4 of 4"},
    {"constant type", [](Plan& p) { p.values[1].type.element = DataType::i32; }, "declared i32"},
    {"constant shape", [](Plan& p) { p.values[1].shape = SymbolicShape{3, 2}; }, "declared shape 3x2"},
    {"cyclic views", [](Plan& p) { p.values[5].view = PlanView{6, PlanView::Kind::Slice, 1, 0}; }, "cyclic"},
    {"view of itself", [](Plan& p) { p.values[8].view = PlanView{8, PlanView::Kind::Reshape, 0, 0}; }, "cyclic"},
    {"slice beyond its base", [](Plan& p) { p.values[7].view->offset = 5; }, "leaves its base"},
    {"negative slice", [](Plan& p) { p.values[7].view->offset = -1; }, "leaves its base"},
    {"slice that overflows", [](Plan& p) { p.values[7].view->offset = INT64_MAX; }, "leaves its base"},
    {"slice axis", [](Plan& p) { p.values[7].view->axis = 4; }, "slice along axis 4"},
    {"slice in another layout", [](Plan& p) { p.values[7].layout = Layout::plain; }, "layout plain, its base has nhwc"},
    {"reshape of blocks", [](Plan& p) { p.values[7].layout = Layout::nchw8c, p.values[7].view->kind = PlanView::Kind::Reshape; }, "reshaped view of or in layout"},
    {"reshape size", [](Plan& p) { p.values[10].shape = SymbolicShape{3, 3}; }, "does not have the elements"},
    {"huge value", [](Plan& p) { p.values[8].shape = SymbolicShape{INT64_MAX, 2}; }, "overflows"},
    {"blocked vector", [](Plan& p) { p.values[1].layout = Layout::nchw8c; }, "rank 3"},
    {"write into a constant", [](Plan& p) { p.steps[3].outputs = {10}; }, "a constant or an input"},
    {"write into an input", [](Plan& p) { p.steps[3].outputs = {0}; }, "a constant or an input"},
    {"produced twice", [](Plan& p) { p.steps[3].outputs = {8}; }, "produced twice"},
    {"wrong order", [](Plan& p) { std::swap(p.steps[0], p.steps[1]); }, "before it is produced"},
    {"half of a concat", [](Plan& p) { std::swap(p.steps[1], p.steps[2]); }, "reads 'joined' before"},
    {"input twice", [](Plan& p) { p.inputs = {0, 0}; }, "listed twice"},
    {"constant as input", [](Plan& p) { p.inputs = {0, 1}; }, "is a constant"},
    {"input in a layout of ours", [](Plan& p) { p.values[0].layout = Layout::nchw8c; }, "callers give plain tensors"},
    {"output never produced", [](Plan& p) { p.values.push_back(plan_value("x", DataType::f32, SymbolicShape{1})), p.outputs = {11}; },
     "never produced"},
    {"symbol range", [](Plan& p) { p.symbols["N"] = {5, 4, 9}; }, "makes no sense"},
    {"deep bodies",
     [](Plan& p) {
       for (int i = 0; i < 30; ++i) {
         Plan outer = small_plan();
         outer.bodies.push_back(std::move(p));
         p = std::move(outer);
       }
     },
     "nested deeper"},
};

class BadPlanTest : public testing::TestWithParam<BadPlan> {};

TEST_P(BadPlanTest, IsRefusedWithItsReason) {
  Plan plan = rich_plan();
  GetParam().damage(plan);
  const auto written = engine::write_plan(plan);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.status().message().find(GetParam().phrase), std::string::npos) << written.status().to_string();
}

INSTANTIATE_TEST_SUITE_P(All, BadPlanTest, testing::ValuesIn(kBadPlans), [](const auto& tested) {
  std::string name = tested.param.name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
});

}  // namespace
}  // namespace fovea::test
