// SPDX-License-Identifier: Apache-2.0
// The kinds of detection heads, each turned into candidates above the threshold.
#pragma once

#include "image/network_input.h"
#include "task/nms.h"
#include "task/output_view.h"

namespace fovea::task {

/// What all kinds share.
struct BoxContext {
  const NamedTensors& outputs;
  const image::ImageTransform& transform;
  double threshold;
};

Result<std::vector<Candidate>> decode_boxes(const BoxesScores& decode, const BoxContext& context);
Result<std::vector<Candidate>> decode_boxes(const Rows& decode, const BoxContext& context);
Result<std::vector<Candidate>> decode_boxes(const YoloGrid& decode, const BoxContext& context);
Result<std::vector<Candidate>> decode_boxes(const SsdPriors& decode, const BoxContext& context);
Result<std::vector<Candidate>> decode_boxes(const AnchorFreeGrid& decode, const BoxContext& context);
Result<std::vector<Candidate>> decode_boxes(const FinalBoxes& decode, const BoxContext& context);

/// What the candidates' boxes count in, once multiplied by pixel_scale.
Coordinates coordinates_of(const DetectionDecode& decode);

}  // namespace fovea::task
