// SPDX-License-Identifier: Apache-2.0
// fovea::batched_nms, class by class with the plain non-maximum suppression.
#include <cmath>

#include "base/checked_math.h"
#include "ops/detection/batched_nms.h"
#include "ops/widen.h"

namespace fovea::ops {

namespace {

/// Boxes as corrections of anchors: corners are added; centres move by the anchor's size, sizes grow by exp.
Result<Tensor> decoded(const BatchedNmsParams& params, const BatchedNmsShapes& shapes, const Tensor& boxes,
                       const Tensor& anchors) {
  const bool fits = anchors.rank() == 3 && (anchors.dim(0) == 1 || anchors.dim(0) == shapes.images) &&
                    anchors.dim(1) == shapes.boxes && anchors.dim(2) == 4;
  if (!fits || params.common.coding == BoxCoding::Rotated)
    return invalid_argument("anchors: expected [1 or ", shapes.images, ", ", shapes.boxes,
                            ", 4] for upright boxes, found ", anchors.shape().to_string());
  FOVEA_ASSIGN(Tensor result, Tensor::allocate(DataType::f32, boxes.shape()));
  const bool centre = params.common.coding == BoxCoding::Centre;
  for (std::int64_t i = 0; i < boxes.elements() / 4; ++i) {
    const std::int64_t box = i / shapes.box_classes;
    const float* const a = anchors.data<float>() + (anchors.dim(0) == 1 ? box % shapes.boxes : box) * 4;
    const float* const v = boxes.data<float>() + i * 4;
    float* const to = result.data<float>() + i * 4;
    for (int k = 0; k < 4; ++k) to[k] = !centre ? v[k] + a[k] : k < 2 ? v[k] * a[k + 2] + a[k] : a[k] * std::exp(v[k]);
    if (!centre) {  // both in rising order first
      for (int k = 0; k < 2; ++k)
        to[k] = std::min(v[k], v[k + 2]) + std::min(a[k], a[k + 2]),
        to[k + 2] = std::max(v[k], v[k + 2]) + std::max(a[k], a[k + 2]);
    }
  }
  return result;
}

std::vector<Detection> detections(const BatchedNmsParams& params, const BatchedNmsShapes& shapes, const float* boxes,
                                  const float* scores) {
  const std::int64_t classes = shapes.classes;
  std::vector<Detection> found;
  if (shapes.boxes == 0) return found;
  if (params.class_agnostic) {
    std::vector<float> wanted(scores, scores + shapes.boxes * classes);
    if (params.background >= 0 && params.background < classes) {
      for (std::int64_t i = params.background; i < shapes.boxes * classes; i += classes)
        wanted[static_cast<std::size_t>(i)] = std::nanf("");
    }
    for (const std::int64_t i : keep_best_plain(class_task(params, shapes, boxes, wanted.data(), 0))) {
      found.push_back({scores[i], static_cast<std::int32_t>(i % classes), static_cast<std::int32_t>(i / classes)});
    }
  } else {
    std::vector<float> column(static_cast<std::size_t>(shapes.boxes));
    for (std::int64_t c = 0; c < classes; ++c) {
      if (c == params.background) continue;
      for (std::int64_t i = 0; i < shapes.boxes; ++i) column[static_cast<std::size_t>(i)] = scores[i * classes + c];
      for (const std::int64_t i : keep_best_plain(class_task(params, shapes, boxes, column.data(), c))) {
        found.push_back({scores[i * classes + c], static_cast<std::int32_t>(c), static_cast<std::int32_t>(i)});
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Status batched_nms_reference(KernelContext& context) {
  FOVEA_ASSIGN(const BatchedNmsParams params, BatchedNmsParams::parse(context.attributes()));
  const DataType type = context.input(0).type();
  FOVEA_ASSIGN(Tensor boxes, widened(context.input(0)));
  FOVEA_ASSIGN(const Tensor scores, widened(context.input(1)));
  if (boxes.type() != DataType::f32 || scores.type() != DataType::f32)
    return invalid_argument("boxes and scores: expected floats of at most 32 bits, found ", name(type), " and ",
                            name(context.input(1).type()));
  FOVEA_ASSIGN(const BatchedNmsShapes shapes, BatchedNmsShapes::find(params, boxes.shape(), scores.shape()));
  if (context.has_input(2)) {
    FOVEA_ASSIGN(const Tensor anchors, widened(context.input(2)));
    if (anchors.type() != DataType::f32)
      return invalid_argument("anchors: expected floats of at most 32 bits, found ", name(anchors.type()));
    FOVEA_ASSIGN(boxes, decoded(params, shapes, boxes, anchors));
  }
  const Shape row{shapes.images, params.keep};
  const auto integers = [&](int i, const Shape& shape) {
    return i < context.num_outputs() ? context.output(i, DataType::i32, shape) : Result<Tensor>(Tensor());
  };
  FOVEA_ASSIGN(Tensor count, integers(0, {shapes.images, 1}));
  FOVEA_ASSIGN(Tensor classes, integers(3, row));
  FOVEA_ASSIGN(Tensor indices, integers(4, row));
  std::int64_t triple_count = 0;
  if (!checked_mul(shapes.images, params.keep, triple_count)) return invalid_argument("images: ", shapes.images, " x ", params.keep, " rows overflow 63 bits");
  FOVEA_ASSIGN(Tensor triples, integers(5, {triple_count, 3}));
  std::optional<WideOutput> told_boxes, told_scores;
  if (context.num_outputs() > 1) {
    FOVEA_ASSIGN(told_boxes, WideOutput::create(context, 1, type, {shapes.images, params.keep, params.box_values()}));
  }
  if (context.num_outputs() > 2) {
    FOVEA_ASSIGN(told_scores, WideOutput::create(context, 2, type, row));
  }
  const auto at = [](Tensor& tensor, std::int64_t offset) {
    return tensor.defined() ? tensor.data<std::int32_t>() + offset : nullptr;
  };
  for (std::int64_t n = 0; n < shapes.images; ++n) {
    const float* const own = boxes.data<float>() + n * shapes.boxes * shapes.box_classes * params.box_values();
    const std::vector<Detection> found =
        detections(params, shapes, own, scores.data<float>() + n * shapes.boxes * shapes.classes);
    const std::int64_t to = n * params.keep;
    write_detections(params, shapes, own, found.data(), static_cast<std::int64_t>(found.size()),
                     {at(count, n), told_boxes ? told_boxes->data<float>() + to * params.box_values() : nullptr,
                      told_scores ? told_scores->data<float>() + to : nullptr, at(classes, to), at(indices, to), at(triples, to * 3), n});
  }
  if (triples.defined()) close_triples(triples.data<std::int32_t>(), triple_count);
  if (told_boxes) FOVEA_RETURN_IF_ERROR(told_boxes->finish());
  return told_scores ? told_scores->finish() : Status();
}

}  // namespace fovea::ops
