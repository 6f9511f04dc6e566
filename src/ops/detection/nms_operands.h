// SPDX-License-Identifier: Apache-2.0
// The NonMaxSuppression operators by their inputs and attributes: one task for each class of each image, and the form
// in which the kept boxes are told.
//   NonMaxSuppression          boxes [B,S,4], scores [B,C,S], limit and thresholds as inputs  -> i64 [rows, 3]
//   mmcv::NonMaxSuppression    the same with all as attributes          -> i32 [B * C * min(limit, S), 3], padded with
//   -1,
//                                                                          and how many rows are boxes, i32 [1]
//                              boxes [S,4], scores [S]                  -> i64 [kept]: indices
//   mmdeploy::NMSRotated       boxes [B,S,5], scores [B,C,S]            -> i64 [rows, 3]
//                              boxes [S,5], scores [S]                  -> i64 [kept]
// A row is (image, class, box), ordered by image, class, falling score.
#pragma once

#include <string_view>

#include "base/attributes.h"
#include "ops/detection/nms.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

enum class NmsOutput { Rows, PaddedRows, Indices };

struct NmsOperands {
  NmsTask common;  ///< everything but boxes and scores
  NmsOutput output = NmsOutput::Rows;
  std::int64_t batch = 0, classes = 0;
  const float *boxes = nullptr, *scores = nullptr;

  std::int64_t tasks() const { return batch * classes; }
  NmsTask task(std::int64_t index) const;
  /// Boxes that one class may keep.
  std::int64_t limit() const { return std::min(common.limit, common.count); }
};

/// Attributes of the forms that have their thresholds there.
Result<NmsTask> nms_attributes(std::string_view op, const Attributes& attributes);
/// Shapes of boxes and scores against each other; finds batch, classes, count and the form of the output.
Status set_nms_shapes(std::string_view op, const Shape& boxes, const Shape& scores, NmsOperands& operands);
/// All of it, checked.
Result<NmsOperands> nms_operands(KernelContext& context);

/// Kept indices of every task, best first.
using KeptBoxes = std::vector<std::vector<std::int64_t>>;
/// Writes them in the operator's form.
Status write_kept(KernelContext& context, const NmsOperands& operands, const KeptBoxes& kept);

}  // namespace fovea::ops
