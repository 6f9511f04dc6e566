// SPDX-License-Identifier: Apache-2.0
#include "task/decode_maps.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace fovea::task {

namespace {

/// Planes of C x H x W values of the network, read at the middles of the picture's pixels, a row at a time. Outputs may be
/// smaller than the input, by any factor.
class PictureSampler {
 public:
  PictureSampler(const Tensor& planes, const image::ImageTransform& transform)
      : values_(planes.data<float>()), height_(planes.dim(planes.rank() - 2)), width_(planes.dim(planes.rank() - 1)) {
    count_ = static_cast<int>(planes.elements() / std::max<std::int64_t>(1, width_ * height_));
    for (int x = 0; x < transform.picture_width; ++x) {
      across_.push_back(tap((x + 0.5) * transform.scale_x + transform.shift_x, transform.input_width, width_));
      one_to_one_ = one_to_one_ && across_.back().low == x && across_.back().share == 0;
    }
    for (int y = 0; y < transform.picture_height; ++y) {
      down_.push_back(tap((y + 0.5) * transform.scale_y + transform.shift_y, transform.input_height, height_));
    }
  }
  int count() const { return count_; }

  void bilinear_row(int plane, int y, std::span<float> to) const {
    const Tap& v = down_[static_cast<std::size_t>(y)];
    const float *upper = row(plane, v.low), *lower = row(plane, v.high);
    if (one_to_one_ && v.share == 0) {
      std::copy_n(upper, to.size(), to.begin());
      return;
    }
    for (std::size_t x = 0; x < to.size(); ++x) {
      const Tap& u = across_[x];
      const double top = upper[u.low] * (1 - u.share) + upper[u.high] * u.share, bottom = lower[u.low] * (1 - u.share) + lower[u.high] * u.share;
      to[x] = static_cast<float>(top * (1 - v.share) + bottom * v.share);
    }
  }
  void nearest_row(int plane, int y, std::span<float> to) const {
    const Tap& v = down_[static_cast<std::size_t>(y)];
    const float* values = row(plane, v.share < 0.5 ? v.low : v.high);
    for (std::size_t x = 0; x < to.size(); ++x) to[x] = values[across_[x].share < 0.5 ? across_[x].low : across_[x].high];
  }

 private:
  /// Two neighbouring values and the weight of the second.
  struct Tap {
    std::int64_t low = 0, high = 0;
    double share = 0;
  };
  static Tap tap(double position, int input, std::int64_t extent) {
    const double at = std::clamp(position * static_cast<double>(extent) / input - 0.5, 0.0, static_cast<double>(extent) - 1);
    const auto low = static_cast<std::int64_t>(at);
    return {low, std::min(low + 1, extent - 1), at - static_cast<double>(low)};
  }
  const float* row(int plane, std::int64_t y) const { return values_ + (plane * height_ + y) * width_; }

  const float* values_;
  std::int64_t height_, width_;
  int count_ = 0;
  std::vector<Tap> across_, down_;
  bool one_to_one_ = true;  ///< rows of the picture and of the planes
};

/// The class with the largest value at each pixel of a row, the first of equal ones.
void argmax_row(const PictureSampler& sampler, int y, std::span<float> values, std::span<float> best, std::span<std::int32_t> classes) {
  sampler.bilinear_row(0, y, best);
  std::fill(classes.begin(), classes.end(), 0);
  for (int c = 1; c < sampler.count(); ++c) {
    sampler.bilinear_row(c, y, values);
    for (std::size_t x = 0; x < values.size(); ++x) {
      const bool better = values[x] > best[x];
      classes[x] = better ? c : classes[x];
      best[x] = better ? values[x] : best[x];
    }
  }
}

}  // namespace

Result<SegmentationMap> decode_segmentation(const TaskRecipe& recipe, const SegmentationRecipe& task, const NamedTensors& outputs,
                                            const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor planes, float_output(outputs, task.output));
  const PictureSampler sampler(planes, transform);
  const bool argmax = task.classes == SegmentationRecipe::Classes::Argmax;
  SegmentationMap map;
  map.paint = task.paint;
  map.width = transform.picture_width;
  map.height = transform.picture_height;
  const auto width = static_cast<std::size_t>(map.width);
  map.classes.resize(width * static_cast<std::size_t>(map.height));
  std::vector<float> values(width), best(width);
  std::map<int, std::size_t> counts;
  for (int y = 0; y < map.height; ++y) {
    const std::span<std::int32_t> classes = std::span(map.classes).subspan(static_cast<std::size_t>(y) * width, width);
    if (argmax) {
      argmax_row(sampler, y, values, best, classes);
    } else if (task.classes == SegmentationRecipe::Classes::Map) {
      sampler.nearest_row(0, y, values);
      std::transform(values.begin(), values.end(), classes.begin(),
                     [](float number) { return std::abs(number) < 1e6f ? static_cast<std::int32_t>(std::lround(number)) : 0; });
    } else {
      sampler.bilinear_row(0, y, values);
      std::transform(values.begin(), values.end(), classes.begin(), [&](double value) {
        activate(task.activation, std::span(&value, 1));
        return value > task.threshold ? 1 : 0;
      });
    }
    for (const std::int32_t id : classes) ++counts[id];
  }
  for (const auto& [id, count] : counts) {
    map.shares.push_back({id, recipe.label_of(id), static_cast<float>(static_cast<double>(count) / static_cast<double>(map.classes.size()))});
  }
  std::stable_sort(map.shares.begin(), map.shares.end(), [](const ClassScore& a, const ClassScore& b) { return a.score > b.score; });
  return map;
}

Result<DepthMap> decode_depth(const DepthRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor planes, float_output(outputs, task.output));
  const PictureSampler sampler(planes, transform);
  DepthMap depth;
  depth.width = transform.picture_width;
  depth.height = transform.picture_height;
  depth.unit = task.unit;
  depth.paint = task.paint;
  const auto width = static_cast<std::size_t>(depth.width);
  depth.values.resize(width * static_cast<std::size_t>(depth.height));
  for (int y = 0; y < depth.height; ++y) sampler.bilinear_row(0, y, std::span(depth.values).subspan(static_cast<std::size_t>(y) * width, width));
  for (float& value : depth.values) value = static_cast<float>(value * task.scale + task.offset);
  std::vector<float> finite;
  std::copy_if(depth.values.begin(), depth.values.end(), std::back_inserter(finite), [](float v) { return std::isfinite(v); });
  if (!finite.empty()) {
    const auto middle = finite.begin() + static_cast<std::ptrdiff_t>(finite.size() / 2);
    std::nth_element(finite.begin(), middle, finite.end());
    depth.median = *middle;
    depth.min = *std::min_element(finite.begin(), finite.end());
    depth.max = *std::max_element(finite.begin(), finite.end());
  }
  return depth;
}

}  // namespace fovea::task
