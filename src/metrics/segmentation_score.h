// SPDX-License-Identifier: Apache-2.0
// Mean intersection over union of segmentations, from one confusion matrix over the pixels of all pictures
// (Everingham et al., "The Pascal visual object classes challenge", 2015).
#pragma once

#include <cstdint>
#include <map>
#include <span>

#include "base/check.h"

namespace fovea::metrics {

class SegmentationScore {
 public:
  /// Pixels whose truth is `ignored` count for nothing.
  explicit SegmentationScore(int ignored = 255) : ignored_(ignored) {}

  /// Class numbers pixel by pixel. InvalidArgument when the sizes differ.
  Status add(std::span<const std::int32_t> found, std::span<const std::int32_t> truth);

  struct Class {
    std::int64_t both = 0, found = 0, truth = 0;  ///< pixels
    double iou() const { return static_cast<double>(both) / static_cast<double>(found + truth - both); }
  };
  /// Classes that stand in the truth or were found.
  const std::map<std::int32_t, Class>& classes() const { return classes_; }
  /// Over all of those; 0 of nothing.
  double mean_iou() const;
  double pixel_accuracy() const;

 private:
  int ignored_;
  std::map<std::int32_t, Class> classes_;
};

}  // namespace fovea::metrics
