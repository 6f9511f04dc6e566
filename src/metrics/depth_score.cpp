// SPDX-License-Identifier: Apache-2.0
#include "metrics/depth_score.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace fovea::metrics {

namespace {

/// Of an even number: the mean of the two in the middle.
double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

Status DepthScore::add(std::span<const float> found, std::span<const float> truth) {
  if (found.size() != truth.size()) return invalid_argument("the map has ", found.size(), " pixels, its truth ", truth.size());
  std::vector<double> d, g;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (!(truth[i] > limits_.min && truth[i] < limits_.max)) continue;  // NaN and 0 mean: not measured
    if (!std::isfinite(found[i])) return invalid_argument("the map holds a value that is not finite");
    d.push_back(static_cast<double>(found[i]));
    g.push_back(static_cast<double>(truth[i]));
  }
  if (g.empty()) return invalid_argument("no pixel of the truth lies between ", limits_.min, " and ", limits_.max);
  const double own = limits_.scale_to_median ? median(d) : 1, scale = limits_.scale_to_median ? median(g) / own : 1;
  if (!std::isfinite(scale)) return invalid_argument("the map's median is 0: it cannot be scaled to the truth's");
  double abs_rel = 0, square = 0;
  std::array<double, 3> within{};
  for (std::size_t i = 0; i < g.size(); ++i) {
    const double value = std::clamp(d[i] * scale, limits_.min, limits_.max);
    abs_rel += std::abs(value - g[i]) / g[i];
    square += (value - g[i]) * (value - g[i]);
    const double ratio = std::max(value / g[i], g[i] / value);
    for (int k = 0; k < 3; ++k) within[static_cast<std::size_t>(k)] += ratio < std::pow(1.25, k + 1);
  }
  const double count = static_cast<double>(g.size());
  abs_rel_ += abs_rel / count;
  rmse_ += std::sqrt(square / count);
  for (std::size_t k = 0; k < 3; ++k) delta_[k] += within[k] / count;
  ++pictures_;
  return {};
}

}  // namespace fovea::metrics
