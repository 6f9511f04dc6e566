// SPDX-License-Identifier: Apache-2.0
// The fast non-maximum suppression against the plain one: they must agree in every index.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "device/dynamic_kernel.h"
#include "device/kernel_registry.h"
#include "ops/detection/nms.h"
#include "support/kernel_test.h"
#include "support/op_test.h"

namespace fovea::testing {
namespace {

struct Scene {
  std::vector<float> boxes, scores;
};

/// Clusters of boxes, coarse scores with ties, and a few of everything odd.
Scene scene(std::int64_t count, int box_values, unsigned seed, bool odd) {
  std::mt19937 generator(seed);
  const auto uniform = [&](double low, double high) {
    return static_cast<float>(low + (high - low) * (generator() >> 8) / 0x1p24);
  };
  Scene scene;
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < count; ++i) {
    const float x = 20 * std::floor(uniform(0, 20)) + uniform(0, 8),
                y = 20 * std::floor(uniform(0, 20)) + uniform(0, 8);
    std::vector<float> box = {x, y, box_values == 5 ? uniform(1, 30) : x + uniform(-5, 30),
                              box_values == 5 ? uniform(-1, 30) : y + uniform(-5, 30)};
    if (box_values == 5) box.push_back(uniform(-4, 4));
    const unsigned kind = odd ? generator() % 16 : 99;
    if (kind == 0) box[generator() % 4] = nan;
    if (kind == 1) box[generator() % 4] = inf;
    if (kind == 2) box[2] = box[0];
    scene.boxes.insert(scene.boxes.end(), box.begin(), box.end());
    scene.scores.push_back(kind == 3 ? nan : kind == 4 ? -inf : kind == 5 ? -0.0f : std::floor(uniform(-2, 40)) / 32);
  }
  return scene;
}

void expect_equal(const ops::NmsTask& task, const std::string& what) {
  const std::int64_t limit = std::min(task.limit, task.count);
  const std::size_t bytes = ops::NmsScratch::bytes(task.count, limit);
  const std::unique_ptr<void, void (*)(void*)> memory(std::aligned_alloc(64, (bytes + 63) / 64 * 64), std::free);
  std::fill_n(static_cast<unsigned char*>(memory.get()), bytes, 0xff);
  std::vector<std::int32_t> kept(static_cast<std::size_t>(limit) + 1, -7);
  const std::int64_t found = ops::keep_best(task, ops::NmsScratch(memory.get(), task.count, limit), kept.data());
  EXPECT_EQ(kept[static_cast<std::size_t>(limit)], -7);
  kept.resize(static_cast<std::size_t>(found));
  EXPECT_EQ(std::vector<std::int64_t>(kept.begin(), kept.end()), ops::keep_best_plain(task)) << what;
}

TEST(KeepBest, EqualsThePlainVersion) {
  unsigned seed = 1;
  for (const std::int64_t count : {1, 7, 33, 96, 97, 400, 1500}) {
    for (const ops::BoxCoding coding : {ops::BoxCoding::Corners, ops::BoxCoding::Centre, ops::BoxCoding::Rotated}) {
      for (const std::int64_t limit : {std::int64_t{3}, std::int64_t{100}, std::numeric_limits<std::int64_t>::max()}) {
        for (int variant = 0; variant < 4; ++variant) {
          const int values = coding == ops::BoxCoding::Rotated ? 5 : 4;
          if (values == 5 && count > 500) continue;
          const Scene made = scene(count, values, ++seed, variant % 2 == 1);
          ops::NmsTask task;
          task.boxes = made.boxes.data(), task.scores = made.scores.data(), task.count = count,
          task.box_stride = values, task.coding = coding;
          task.limit = limit;
          task.iou_threshold = variant < 2 ? 0.5f : 0.05f;
          task.offset = variant == 3 && values == 4 ? 1.0f : 0.0f;
          if (variant != 1) task.above = 0.25f;
          if (variant == 2) task.candidates = 50;
          expect_equal(task, str_cat("seed ", seed, ", count ", count, ", variant ", variant));
        }
      }
    }
  }
}

TEST(KeepBest, ClassesThatShareABox) {
  const Scene made = scene(300, 4, 77, true);
  ops::NmsTask task;
  task.boxes = made.boxes.data(), task.scores = made.scores.data(), task.count = 300, task.shared = 3,
  task.iou_threshold = 0.4f;
  expect_equal(task, "3 scores a box");
}

TEST(NmsKernel, ThreadsAndClasses) {
  const auto* kernel = dynamic_cast<const DynamicKernel*>(find_kernel("cpu", "NonMaxSuppression", "nms_classes"));
  ASSERT_NE(kernel, nullptr);
  const Tensor boxes = random(DataType::f32, {2, 3000, 4}, 0, 100),
               scores = random(DataType::f32, {2, 7, 3000}, 0, 1, 2);
  const std::vector<Datum> inputs = {boxes, scores, ints({50}), scalar(0.3), scalar(0.5)};
  std::vector<Datum> outputs(1);
  ops::KernelContext context("NonMaxSuppression", {}, inputs, outputs);
  ASSERT_TRUE(kernel->run_dynamic(context).ok());
  EXPECT_TRUE(same(outputs[0].tensor, run_op1("NonMaxSuppression", inputs)));
}

TEST(NmsKernel, PaddedRows) {
  for (const int limit : {0, 5, 2000}) {
    KernelCase test{
        .op = "mmcv::NonMaxSuppression",
        .attributes =
            attributes({{"iou_threshold", 0.3}, {"score_threshold", 0.5}, {"max_output_boxes_per_class", limit}}),
        .inputs = {random(DataType::f32, {2, 900, 4}, 0, 100), random(DataType::f32, {2, 5, 900}, -1, 1, 2)}};
    test.num_outputs = 2;
    EXPECT_TRUE(agrees(test)) << limit;
    test.threads = 1;
    EXPECT_TRUE(agrees(test)) << limit;
  }
}

}  // namespace
}  // namespace fovea::testing
