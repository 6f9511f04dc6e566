// SPDX-License-Identifier: Apache-2.0
// Errors of depth maps (Eigen, Puhrsch and Fergus, 2014), each the mean over pictures of a picture's value:
//   AbsRel = mean |d - g| / g     RMSE = sqrt(mean (d - g)^2)     delta_k = share of max(d / g, g / d) < 1.25^k
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "base/check.h"

namespace fovea::metrics {

class DepthScore {
 public:
  struct Limits {
    double min = 1e-3, max = 80;  ///< in the truth's unit; truth outside counts for nothing, results are clamped
    bool scale_to_median = false; ///< multiply each result so that its median equals the truth's (relative depth)
  };
  explicit DepthScore(Limits limits) : limits_(limits) {}
  DepthScore() = default;

  /// InvalidArgument when the sizes differ or no pixel of the truth counts.
  Status add(std::span<const float> found, std::span<const float> truth);

  std::int64_t pictures() const { return pictures_; }
  double abs_rel() const { return mean(abs_rel_); }
  double rmse() const { return mean(rmse_); }
  /// k = 1, 2, 3
  double delta(int k) const { return mean(delta_[static_cast<std::size_t>(k - 1)]); }

 private:
  double mean(double sum) const { return pictures_ ? sum / static_cast<double>(pictures_) : 0; }

  Limits limits_;
  std::int64_t pictures_ = 0;
  double abs_rel_ = 0, rmse_ = 0;
  std::array<double, 3> delta_{};
};

}  // namespace fovea::metrics
