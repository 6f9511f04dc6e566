// SPDX-License-Identifier: Apache-2.0
// Detection operators under the names of mmcv, mmdeploy, torchvision and TensorRT.
#include "support.h"

namespace fovea::testing {
namespace {

std::string number(const std::string& name, double value) {
  return "attribute { name: '" + name + "' type: FLOAT f: " + std::to_string(value) + " } ";
}
std::string text(const std::string& name, const std::string& value) {
  return "attribute { name: '" + name + "' type: STRING s: '" + value + "' } ";
}

struct Io {
  std::string name;
  std::vector<int> shape;
  int type = 1;  // f32
};

/// One node with these inputs and outputs; the error, or the operators it became.
std::string imported(const std::string& op, const std::string& domain, const std::string& attributes,
                     std::vector<Io> inputs, std::vector<Io> outputs) {
  std::string in, out, values;
  for (const Io& i : inputs) in += (in.empty() ? "" : " ") + i.name, values += input(i.name, dims(i.shape), i.type);
  for (const Io& o : outputs) out += (out.empty() ? "" : " ") + o.name, values += output(o.name, dims(o.shape), o.type);
  const auto model = import_graph(node(op, in, out, "name: 'n' domain: '" + domain + "' " + attributes) + values, 17,
                                  domain.empty() ? "" : "opset_import { domain: '" + domain + "' version: 1 }");
  return model.ok() ? ops_of(model->graph()) : model.status().message();
}

const std::vector<Io> kBoxesAndScores = {{"boxes", {1, 5, 4}}, {"scores", {1, 2, 5}}};
const std::string kPrepared = integer("center_point_box", 0) + integer("max_output_boxes_per_class", 3) +
                              number("iou_threshold", 0.5) + number("score_threshold", 0.1) + integer("offset", 0);

TEST(DetectionAlias, NonMaxSuppressionAsMmcvPreparesIt) {
  EXPECT_EQ(imported("NonMaxSuppression", "", kPrepared, kBoxesAndScores, {{"rows", {6, 3}, 6}}),
            "mmcv::NonMaxSuppression");
  EXPECT_EQ(imported("NonMaxSuppression", "mmcv", kPrepared, kBoxesAndScores, {{"rows", {6, 3}, 6}}),
            "mmcv::NonMaxSuppression");
  EXPECT_EQ(imported("NonMaxSuppression", "mmcv", number("iou_threshold", 0.5) + integer("offset", 1),
                     {{"boxes", {5, 4}}, {"scores", {5}}}, {{"kept", {3}, 7}}),
            "mmcv::NonMaxSuppression");
  EXPECT_NE(
      imported("NonMaxSuppression", "", kPrepared + integer("max_boxes", 3), kBoxesAndScores, {{"rows", {6, 3}, 6}})
          .find("unknown attribute 'max_boxes'"),
      std::string::npos);
  // The standard node stays what it is.
  EXPECT_EQ(imported("NonMaxSuppression", "", integer("center_point_box", 1), kBoxesAndScores, {{"rows", {6, 3}, 7}}),
            "NonMaxSuppression");
}

TEST(DetectionAlias, TorchvisionAndRotated) {
  EXPECT_EQ(imported("nms", "torchvision", number("iou_threshold", 0.5), {{"boxes", {5, 4}}, {"scores", {5}}},
                     {{"kept", {3}, 7}}),
            "mmcv::NonMaxSuppression");
  EXPECT_NE(imported("nms", "torchvision", "", {{"boxes", {5, 4}}, {"scores", {5}}}, {{"kept", {3}, 7}})
                .find("iou_threshold is missing"),
            std::string::npos);
  EXPECT_EQ(imported("NMSRotated", "mmdeploy", number("iou_threshold", 0.5),
                     {{"boxes", {1, 5, 5}}, {"scores", {1, 2, 5}}}, {{"rows", {6, 3}, 7}}),
            "mmdeploy::NMSRotated");
}

TEST(DetectionAlias, RoiAlignInAnyDomain) {
  const std::vector<Io> inputs = {{"x", {1, 3, 8, 8}}, {"rois", {2, 5}}}, outputs = {{"y", {2, 3, 7, 7}}};
  EXPECT_EQ(imported("MMCVRoiAlign", "", text("mode", "avg"), inputs, outputs), "mmcv::MMCVRoiAlign");
  EXPECT_EQ(imported("MMCVRoiAlign", "mmdeploy", text("mode", "max") + text("plugin_version", "1"), inputs, outputs),
            "mmcv::MMCVRoiAlign");
  EXPECT_NE(imported("MMCVRoiAlign", "mmcv", "", inputs, outputs).find("mode"), std::string::npos);
  EXPECT_NE(imported("MMCVRoiAlign", "mmcv", text("mode", "mean"), inputs, outputs).find("avg"), std::string::npos);
  EXPECT_EQ(imported("roi_align", "torchvision",
                     number("spatial_scale", 0.25) + integer("pooled_height", 7) + integer("pooled_width", 7) +
                         integer("sampling_ratio", -1),
                     inputs, outputs),
            "mmcv::MMCVRoiAlign");
}

const std::vector<Io> kPerBox = {{"boxes", {1, 5, 1, 4}}, {"scores", {1, 5, 2}}};
const std::vector<Io> kDetections = {
    {"count", {1, 1}, 6}, {"found", {1, 7, 4}}, {"best", {1, 7}}, {"classes", {1, 7}, 6}};

TEST(DetectionAlias, EfficientNms) {
  const std::string attributes = number("score_threshold", 0.25) + number("iou_threshold", 0.5) +
                                 integer("max_output_boxes", 7) + integer("background_class", -1) +
                                 integer("score_activation", 1) + integer("box_coding", 1) +
                                 text("plugin_version", "1");
  for (const char* domain : {"", "TRT", "anything"})
    EXPECT_EQ(imported("EfficientNMS_TRT", domain, attributes, kPerBox, kDetections), "fovea::batched_nms") << domain;
  EXPECT_NE(imported("EfficientNMS_TRT", "TRT", number("score_threshold", 0.25) + number("iou_threshold", 0.5), kPerBox,
                     kDetections)
                .find("max_output_boxes"),
            std::string::npos);
}

TEST(DetectionAlias, EfficientNmsAsRows) {
  const auto rows = [](const std::string& attributes) {
    return imported("EfficientNMS_ONNX_TRT", "TRT", number("score_threshold", 0.25) + number("iou_threshold", 0.5) + attributes,
                    {{"boxes", {1, 5, 4}}, {"scores", {1, 5, 2}}}, {{"selected", {7, 3}, 6}});
  };
  EXPECT_EQ(rows(integer("max_output_boxes_per_class", 7) + integer("center_point_box", 1)), "fovea::batched_nms");
  EXPECT_NE(rows(integer("max_output_boxes_per_class", 7) + integer("center_point_box", 2)).find("center_point_box: expected 0 (corners) or 1"), std::string::npos);
  EXPECT_NE(rows("").find("max_output_boxes_per_class"), std::string::npos);
}

TEST(DetectionAlias, BatchedNmsTellsClassesAsFloats) {
  const std::string attributes = integer("shareLocation", 1) + integer("backgroundLabelId", -1) +
                                 integer("numClasses", 2) + integer("topK", 1000) + integer("keepTopK", 7) +
                                 number("scoreThreshold", 0.25) + number("iouThreshold", 0.5) +
                                 integer("isNormalized", 0) + integer("clipBoxes", 0);
  std::vector<Io> outputs = kDetections;
  outputs[3].type = 1;
  EXPECT_EQ(imported("BatchedNMS_TRT", "", attributes, kPerBox, outputs), "fovea::batched_nms CastLike");
  EXPECT_EQ(imported("BatchedNMSDynamic_TRT", "TRT", attributes, kPerBox, outputs), "fovea::batched_nms CastLike");
}

TEST(DetectionAlias, MmdeployPutsScoresBehindBoxes) {
  const std::string attributes = integer("num_classes", 2) + integer("background_label_id", -1) + integer("topk", 5) +
                                 integer("keep_topk", 7) + number("score_threshold", 0.25) +
                                 number("iou_threshold", 0.5) + integer("is_normalized", 0) + integer("clip_boxes", 0) +
                                 integer("return_index", 1);
  EXPECT_EQ(imported("TRTBatchedNMS", "mmdeploy", attributes, kPerBox,
                     {{"dets", {1, 7, 5}}, {"labels", {1, 7}, 6}, {"index", {1, 7}, 6}}),
            "fovea::batched_nms Unsqueeze Concat");
  EXPECT_EQ(imported("TRTBatchedRotatedNMS", "mmdeploy", attributes, {{"boxes", {1, 5, 1, 5}}, {"scores", {1, 5, 2}}},
                     {{"dets", {1, 7, 6}}, {"labels", {1, 7}, 6}}),
            "fovea::batched_nms Unsqueeze Concat");
}

TEST(MmdeployAlias, OrdinaryOperatorsInstead) {
  const std::vector<Io> cells = {{"base", {3, 4}}, {"rows", {5, 1}}, {"columns", {7, 1}}};
  EXPECT_NE(imported("GridPriorsTRT", "mmdeploy", integer("stride_h", 8) + integer("stride_w", 16), cells,
                     {{"anchors", {105, 4}}})
                .find("Add Reshape"),
            std::string::npos);
  EXPECT_NE(
      imported("GridPriorsTRT", "mmdeploy", integer("stride_h", 8), cells, {{"anchors", {105, 4}}}).find("stride_w"),
      std::string::npos);
  EXPECT_EQ(imported("GatherTopk", "mmdeploy", "", {{"data", {2, 9, 4}}, {"index", {2, 3}, 6}}, {{"y", {2, 3, 4}}}),
            "Cast Unsqueeze GatherND");
  EXPECT_EQ(imported("ScaledDotProductAttentionTRT", "mmdeploy", "",
                     {{"q", {2, 3, 4}}, {"k", {2, 5, 4}}, {"v", {2, 5, 6}}}, {{"y", {2, 3, 6}}, {"w", {2, 3, 5}}}),
            "Transpose MatMul Softmax MatMul Identity");
  const std::string scale = "attribute { name: 'scale_factor' type: FLOATS floats: 2 floats: 3 } ";
  EXPECT_EQ(imported("TRTBicubicInterpolate", "mmdeploy", scale + integer("align_corners", 1), {{"x", {1, 2, 4, 5}}},
                     {{"y", {1, 2, 8, 15}}}),
            "Resize");
}

}  // namespace
}  // namespace fovea::testing
