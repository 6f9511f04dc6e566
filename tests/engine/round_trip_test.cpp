// SPDX-License-Identifier: Apache-2.0
// What is written is what is read, and the same plan gives the same bytes.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.h"
#include "engine/plan_file.h"
#include "engine/sample_plan.h"
#include "fovea/engine.h"

namespace fovea::test {
namespace {

void expect_equal(const Plan& a, const Plan& b) {
  EXPECT_EQ(a.name, b.name);
  ASSERT_EQ(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const PlanValue &x = a.values[i], &y = b.values[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.type, y.type);
    EXPECT_EQ(x.shape, y.shape);
    EXPECT_EQ(x.layout, y.layout);
    EXPECT_EQ(x.constant, y.constant);
    ASSERT_EQ(x.view.has_value(), y.view.has_value());
    if (!x.view) continue;
    EXPECT_EQ(x.view->base, y.view->base);
    EXPECT_EQ(x.view->kind, y.view->kind);
    EXPECT_EQ(x.view->axis, y.view->axis);
    EXPECT_EQ(x.view->offset, y.view->offset);
  }
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    const PlanStep &x = a.steps[i], &y = b.steps[i];
    EXPECT_EQ(std::tie(x.name, x.op, x.kernel, x.inputs, x.outputs, x.bodies, x.sources),
              std::tie(y.name, y.op, y.kernel, y.inputs, y.outputs, y.bodies, y.sources));
    EXPECT_TRUE(equal(x.attributes, y.attributes)) << x.name;
  }
  ASSERT_EQ(a.constants.size(), b.constants.size());
  for (std::size_t i = 0; i < a.constants.size(); ++i) EXPECT_TRUE(equal(AttributeValue(a.constants[i]), AttributeValue(b.constants[i]))) << i;
  EXPECT_EQ(std::tie(a.inputs, a.outputs, a.device, a.precision, a.metadata, a.recipe),
            std::tie(b.inputs, b.outputs, b.device, b.precision, b.metadata, b.recipe));
  ASSERT_EQ(a.bodies.size(), b.bodies.size());
  for (std::size_t i = 0; i < a.bodies.size(); ++i) expect_equal(a.bodies[i], b.bodies[i]);
}

Plan with_shared_weights() {
  Plan plan = rich_plan();
  plan.constants.push_back(plan.constants[0].reshaped({6}));
  plan.values.push_back(plan_value("flat_weights", DataType::f32, SymbolicShape{6}));
  plan.values.back().constant = static_cast<int>(plan.constants.size()) - 1;
  return plan;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fovea_engine_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const char* name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  std::filesystem::path path_;
};

TEST(EngineFile, RichPlanReadsBackEqual) {
  const Plan plan = rich_plan();
  const auto bytes = engine::write_plan(plan);
  ASSERT_TRUE(bytes.ok()) << bytes.status().to_string();
  const auto engine = Engine::load(*bytes);
  ASSERT_TRUE(engine.ok()) << engine.status().to_string();
  const Plan& read = engine->plan();
  expect_equal(plan, read);
  ASSERT_EQ(read.certificate.size(), 1u);
  EXPECT_EQ(read.certificate[0].refused, "fast: too far off");
  EXPECT_EQ(read.certificate[0].max_abs, 1e-7);
  EXPECT_EQ(read.certificate[0].compared, 77);
  EXPECT_TRUE(read.certificate[0].by_terms);
  ASSERT_EQ(read.decisions.size(), 1u);
  EXPECT_EQ(read.decisions[0].sentence, "it has no partner.");
  EXPECT_EQ(read.symbols.at("H").max, 1024);
  EXPECT_EQ(engine->recipe(), plan.recipe);
  ASSERT_EQ(engine->inputs().size(), 1u);
  EXPECT_EQ(engine->inputs()[0].shape, (std::vector<std::string>{"N", "4", "floordiv(H+1,2)", "8"}));
  EXPECT_FALSE(engine->outputs()[1].rank_known);
}

TEST(EngineFile, SamePlanGivesSameBytes) {
  const auto first = engine::write_plan(rich_plan()), second = engine::write_plan(rich_plan());
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(*first, *second);
  const auto again = engine::write_plan(Engine::load(*first)->plan());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*first, *again) << "writing what was read";
}

TEST(EngineFile, SharedWeightsAreStoredOnce) {
  const auto once = engine::write_plan(rich_plan()), twice = engine::write_plan(with_shared_weights());
  ASSERT_TRUE(once.ok() && twice.ok());
  EXPECT_LT(twice->size(), once->size() + 256);
  const auto engine = Engine::load(*twice);
  ASSERT_TRUE(engine.ok()) << engine.status().to_string();
  EXPECT_EQ(engine->plan().constants[0].raw(), engine->plan().constants.back().raw());
}

TEST(EngineFile, WeightsStayInTheMappedFileAlignedTo64) {
  const TemporaryFolder folder;
  const auto file = folder / "net.fovea";
  ASSERT_TRUE(Engine(std::make_shared<Plan>(rich_plan())).save(file).ok());
  const auto engine = Engine::load(file);
  ASSERT_TRUE(engine.ok()) << engine.status().to_string();
  expect_equal(rich_plan(), engine->plan());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(engine->plan().constants[0].raw()) % 64, 0u);
}

TEST(EngineFile, InconsistentPlanIsNotWritten) {
  Plan plan = small_plan();
  plan.outputs = {2};
  EXPECT_EQ(engine::write_plan(plan).status().code(), ErrorCode::Internal);
}

TEST(EngineFile, FullDiskLeavesTheOldFile) {
  const TemporaryFolder folder;
  const auto file = folder / "net.fovea";
  ASSERT_TRUE(Engine(std::make_shared<Plan>(small_plan())).save(file).ok());
  const std::string before = *read_file(file);
  // A file size limit makes write() fail as a full disk does.
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small{1024, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = Engine(std::make_shared<Plan>(rich_plan())).save(file);
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(status.code(), ErrorCode::ResourceExhausted) << status.to_string();
  EXPECT_EQ(*read_file(file), before);
  EXPECT_EQ(folder.files(), 1u) << "no temporary file is left";
}

}  // namespace
}  // namespace fovea::test
