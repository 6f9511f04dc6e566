// SPDX-License-Identifier: Apache-2.0
// Top-1 and top-5 accuracy of classifications.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace fovea::metrics {

class ClassScore {
 public:
  /// `ranked`: class numbers, best first. A class beyond the fifth counts for nothing.
  void add(std::span<const int> ranked, int truth) {
    const auto first = ranked.first(std::min<std::size_t>(ranked.size(), 5));
    ++pictures_;
    if (!first.empty() && first[0] == truth) ++top1_;
    if (std::find(first.begin(), first.end(), truth) != first.end()) ++top5_;
  }
  std::int64_t pictures() const { return pictures_; }
  /// Shares 0..1; 0 of nothing.
  double top1() const { return pictures_ ? static_cast<double>(top1_) / static_cast<double>(pictures_) : 0; }
  double top5() const { return pictures_ ? static_cast<double>(top5_) / static_cast<double>(pictures_) : 0; }

 private:
  std::int64_t pictures_ = 0, top1_ = 0, top5_ = 0;
};

}  // namespace fovea::metrics
