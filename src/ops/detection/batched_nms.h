// SPDX-License-Identifier: Apache-2.0
// fovea::batched_nms: the detections of each image, best first, in outputs of fixed size; what TensorRT's and
// mmdeploy's plugins share. boxes [N, S, 4] or [N, S, 1 or C, 4] (5 where rotated), scores [N, S, C], anchors [1 or N,
// S, 4]
//   -> count i32 [N,1], boxes [N,K,4], scores [N,K], classes i32 [N,K], index of the box i32 [N,K],
//      all of them once more as rows (image, class, index) i32 [N*K,3]
// Each class keeps its own best (or all compete), the K best of all classes are told; equal scores by class, then
// index. Rows behind the last detection are 0, their class `padding_class`, their index -1; the sixth output has no
// gaps between images, and repeats its last row (-1 where there is none).
#pragma once

#include "base/attributes.h"
#include "ops/detection/nms.h"

namespace fovea::ops {

struct BatchedNmsParams {
  NmsTask common;                ///< thresholds, coding, offset, candidates
  std::int64_t keep = 0;         ///< K
  std::int64_t background = -1;  ///< a class that is left out
  bool class_agnostic = false;
  bool sigmoid = false;  ///< scores are told through a sigmoid; the threshold means the result
  bool clip = false;     ///< boxes are told within 0..1
  std::int32_t padding_class = 0;

  static Result<BatchedNmsParams> parse(const Attributes& attributes);
  std::int64_t box_values() const { return common.coding == BoxCoding::Rotated ? 5 : 4; }
};

struct BatchedNmsShapes {
  std::int64_t images = 0, boxes = 0, classes = 0;
  std::int64_t box_classes = 1;  ///< `classes` where each class has its own boxes

  static Result<BatchedNmsShapes> find(const BatchedNmsParams& params, const Shape& boxes, const Shape& scores);
};

struct Detection {
  float score;
  std::int32_t of_class, box;

  bool operator<(const Detection& other) const {
    if (score != other.score) return score > other.score;
    return of_class != other.of_class ? of_class < other.of_class : box < other.box;
  }
};

/// Where one image's detections are told; null where unwanted.
struct DetectionRows {
  std::int32_t* count;
  float *boxes, *scores;
  std::int32_t *classes, *indices, *triples;
  std::int64_t image;
};

/// The task of one class of an image (of all, where they compete), for `scores` laid out as the task needs them: one
/// class after the other, or as the input gives them.
NmsTask class_task(const BatchedNmsParams& params, const BatchedNmsShapes& shapes, const float* boxes,
                   const float* scores, std::int64_t of_class);
/// Writes the first params.keep of `found`, which are sorted.
void write_detections(const BatchedNmsParams& params, const BatchedNmsShapes& shapes, const float* boxes,
                      const Detection* found, std::int64_t count, const DetectionRows& rows);
/// When all images are written: moves the valid of `count` triples to the front and repeats the last behind them.
void close_triples(std::int32_t* triples, std::int64_t count);

}  // namespace fovea::ops
