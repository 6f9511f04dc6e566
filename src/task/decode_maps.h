// SPDX-License-Identifier: Apache-2.0
// Outputs with a value a pixel: classes and depths, resampled to the picture's own pixels.
#pragma once

#include "fovea/task.h"
#include "task/output_view.h"

namespace fovea::task {

Result<SegmentationMap> decode_segmentation(const TaskRecipe& recipe, const SegmentationRecipe& task, const NamedTensors& outputs,
                                            const image::ImageTransform& transform);
Result<DepthMap> decode_depth(const DepthRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform);

}  // namespace fovea::task
