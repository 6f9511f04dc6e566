// SPDX-License-Identifier: Apache-2.0
// Scores on answers that can be counted by hand; COCO's figures are held against pycocotools (agree_with_pycocotools.py).
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "metrics/class_score.h"
#include "metrics/coco_score.h"
#include "metrics/depth_score.h"
#include "metrics/segmentation_score.h"

namespace fovea::metrics {
namespace {

TEST(ClassScore, FirstAndAmongTheFirstFive) {
  ClassScore score;
  score.add(std::vector<int>{3, 1, 2, 4, 5, 6}, 3);
  score.add(std::vector<int>{3, 1, 2, 4, 5, 6}, 5);
  score.add(std::vector<int>{3, 1, 2, 4, 5, 6}, 6);
  score.add(std::vector<int>{}, 0);
  EXPECT_DOUBLE_EQ(score.top1(), 0.25);
  EXPECT_DOUBLE_EQ(score.top5(), 0.5);
}

TEST(SegmentationScore, IgnoredPixelsCountForNothing) {
  SegmentationScore score(255);
  ASSERT_TRUE(score.add(std::vector<std::int32_t>{0, 0, 1, 1, 2, 0}, std::vector<std::int32_t>{0, 1, 1, 1, 1, 255}).ok());
  // class 0: 1 of 2; class 1: 2 of 4; class 2: found once, never true
  EXPECT_DOUBLE_EQ(score.classes().at(0).iou(), 0.5);
  EXPECT_DOUBLE_EQ(score.classes().at(1).iou(), 0.5);
  EXPECT_DOUBLE_EQ(score.classes().at(2).iou(), 0);
  EXPECT_DOUBLE_EQ(score.mean_iou(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(score.pixel_accuracy(), 0.6);
  EXPECT_FALSE(score.add(std::vector<std::int32_t>{0}, std::vector<std::int32_t>{0, 1}).ok());
}

TEST(DepthScore, ByHand) {
  DepthScore score({0.5, 100, false});
  ASSERT_TRUE(score.add(std::vector<float>{2, 6, 9, 1}, std::vector<float>{2, 5, 10, 0}).ok());  // 0: not measured
  EXPECT_NEAR(score.abs_rel(), (0 + 0.2 + 0.1) / 3, 1e-12);
  EXPECT_NEAR(score.rmse(), std::sqrt(2.0 / 3), 1e-12);
  EXPECT_DOUBLE_EQ(score.delta(1), 1);
  EXPECT_FALSE(score.add(std::vector<float>{1}, std::vector<float>{0}).ok());
  EXPECT_FALSE(score.add(std::vector<float>{NAN}, std::vector<float>{1}).ok());
}

TEST(DepthScore, MedianScaleMakesRelativeDepthComparable) {
  DepthScore score({0.5, 100, true});
  ASSERT_TRUE(score.add(std::vector<float>{1, 2, 3, 4}, std::vector<float>{10, 20, 30, 40}).ok());
  EXPECT_NEAR(score.abs_rel(), 0, 1e-12);
}

TEST(CocoScore, APerfectDetectorAndABlindOne) {
  CocoTruth truth;
  truth.images = {{1, "a.jpg"}};
  truth.categories = {{5, "cell"}};
  truth.boxes = {{1, 5, {10, 10, 40, 40}, 1600, false}};
  EXPECT_NEAR(score_coco(truth, {{1, 5, {10, 10, 40, 40}, 0.9}}).figures[0], 1, 1e-12);
  const CocoScore blind = score_coco(truth, {});
  EXPECT_EQ(blind.figures[0], 0);
  EXPECT_EQ(blind.figures[3], -1);  // no small objects
}

class CocoFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text) {
    std::ofstream(file_) << text;
    return file_;
  }
  void TearDown() override { std::filesystem::remove(file_); }
  std::filesystem::path file_ = std::filesystem::temp_directory_path() / ("fovea_coco_" + std::to_string(::getpid()) + ".json");
};

constexpr const char* kImages = R"({"images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 5, "name": "cell"}], "annotations": [)";

void expect_error(const Status& status, const std::string& phrase) {
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(phrase), std::string::npos) << status.to_string();
}

TEST_F(CocoFile, UnknownImagesAndCategoriesAreNamed) {
  expect_error(read_coco_truth(write(std::string(kImages) + R"({"image_id": 2, "category_id": 5, "bbox": [0, 0, 1, 1]}]})")).status(),
               "annotations[0].image_id: no image has the id 2");
  expect_error(read_coco_truth(write(std::string(kImages) + R"({"image_id": 1, "category_id": 6, "bbox": [0, 0, 1, 1]}]})")).status(),
               "annotations[0].category_id: no category has the id 6");
}

TEST_F(CocoFile, MalformedFilesSayWhere) {
  expect_error(read_coco_truth(write("{")).status(), "not JSON");
  expect_error(read_coco_truth(write("[]")).status(), "images: expected a list");
  expect_error(read_coco_truth(write(std::string(kImages) + "3]}")).status(), "annotations[0]: expected an object");
  expect_error(read_coco_truth(write(std::string(kImages) + R"({"image_id": 1, "category_id": 5, "bbox": [0, 0, 1]}]})")).status(), "annotations[0].bbox");
  expect_error(read_coco_truth(write(std::string(kImages) + R"({"image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1e999]}]})")).status(), "not JSON");
  const auto truth = read_coco_truth(write(std::string(kImages) + "]}"));
  ASSERT_TRUE(truth.ok()) << truth.status().to_string();
  expect_error(read_coco_detections(write(R"([{"image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1]}])"), *truth).status(), "detections[0].score");
  expect_error(read_coco_detections(write(R"([{"image_id": 9, "category_id": 5, "bbox": [0, 0, 1, 1], "score": 1}])"), *truth).status(), "no image has the id 9");
}

}  // namespace
}  // namespace fovea::metrics
