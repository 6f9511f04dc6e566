// SPDX-License-Identifier: Apache-2.0
#include "task/decode_maps.h"

#include <algorithm>
#include <cmath>

namespace fovea::task {

namespace {

/// Planes of C x H x W values of the network, read at a pixel of the picture.
class PictureSampler {
 public:
  PictureSampler(const Tensor& planes, const image::ImageTransform& transform) : tensor_(planes), transform_(transform) {
    const int rank = planes.rank();
    height_ = static_cast<int>(planes.dim(rank - 2));
    width_ = static_cast<int>(planes.dim(rank - 1));
    count_ = static_cast<int>(planes.elements() / std::max<std::int64_t>(1, std::int64_t{width_} * height_));
  }
  int count() const { return count_; }

  /// Moves to the middle of picture pixel (x, y). Outputs may be smaller than the input, by any factor.
  void move_to(int x, int y) {
    const auto along = [](double position, int extent, int& low, int& high, double& share) {
      position = std::clamp(position - 0.5, 0.0, extent - 1.0);
      low = static_cast<int>(position);
      high = std::min(low + 1, extent - 1);
      share = position - low;
    };
    const double in_x = (x + 0.5) * transform_.scale_x + transform_.shift_x, in_y = (y + 0.5) * transform_.scale_y + transform_.shift_y;
    along(in_x * width_ / transform_.input_width, width_, x0_, x1_, share_x_);
    along(in_y * height_ / transform_.input_height, height_, y0_, y1_, share_y_);
  }
  float bilinear(int plane) const {
    const float* p = tensor_.data<float>() + std::int64_t{plane} * width_ * height_;
    const auto at = [&](int y, int x) -> double { return p[std::int64_t{y} * width_ + x]; };
    const double top = at(y0_, x0_) * (1 - share_x_) + at(y0_, x1_) * share_x_, bottom = at(y1_, x0_) * (1 - share_x_) + at(y1_, x1_) * share_x_;
    return static_cast<float>(top * (1 - share_y_) + bottom * share_y_);
  }
  float nearest(int plane) const {
    const float* p = tensor_.data<float>() + std::int64_t{plane} * width_ * height_;
    return p[std::int64_t{share_y_ < 0.5 ? y0_ : y1_} * width_ + (share_x_ < 0.5 ? x0_ : x1_)];
  }

 private:
  const Tensor& tensor_;
  const image::ImageTransform& transform_;
  int width_ = 0, height_ = 0, count_ = 0, x0_ = 0, x1_ = 0, y0_ = 0, y1_ = 0;
  double share_x_ = 0, share_y_ = 0;
};

Result<Tensor> planes_output(const NamedTensors& outputs, const std::string& name) {
  FOVEA_ASSIGN(Tensor planes, float_output(outputs, name));
  const bool fits = planes.rank() >= 2 && planes.rank() <= 4 && planes.elements() > 0 && (planes.rank() < 4 || planes.dim(0) == 1);
  if (!fits) return invalid_argument("output '", name, "': expected 1 x C x H x W, found ", planes.shape().to_string());
  return planes;
}

}  // namespace

Result<SegmentationMap> decode_segmentation(const TaskRecipe& recipe, const SegmentationRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor planes, planes_output(outputs, task.output));
  PictureSampler sampler(planes, transform);
  if (task.classes != SegmentationRecipe::Classes::Argmax && sampler.count() != 1) {
    return invalid_argument("output '", task.output, "': expected one plane, found ", planes.shape().to_string());
  }
  if (task.classes == SegmentationRecipe::Classes::Argmax && !task.paint.palette.empty() && task.paint.palette.size() < static_cast<std::size_t>(sampler.count())) {
    return Status(ErrorCode::InvalidArgument, str_cat("output '", task.output, "': ", sampler.count(), " classes, the palette has ", task.paint.palette.size(), " colours"),
                  "paint.palette needs a colour for each class");
  }
  SegmentationMap map;
  map.paint = task.paint;
  map.width = transform.picture_width;
  map.height = transform.picture_height;
  map.classes.reserve(static_cast<std::size_t>(map.width) * static_cast<std::size_t>(map.height));
  std::map<int, std::size_t> counts;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      sampler.move_to(x, y);
      int best = 0;
      if (task.classes == SegmentationRecipe::Classes::Map) {
        const float number = sampler.nearest(0);
        best = std::abs(number) < 1e6f ? static_cast<int>(std::lround(number)) : 0;
      } else if (task.classes == SegmentationRecipe::Classes::Threshold) {
        double value = sampler.bilinear(0);
        activate(task.activation, std::span(&value, 1));
        best = value > task.threshold ? 1 : 0;
      } else {
        float best_value = sampler.bilinear(0);
        for (int c = 1; c < sampler.count(); ++c) {
          if (const float value = sampler.bilinear(c); value > best_value) best = c, best_value = value;
        }
      }
      map.classes.push_back(best);
      ++counts[best];
    }
  }
  for (const auto& [id, count] : counts) {
    map.shares.push_back({id, recipe.label_of(id), static_cast<float>(static_cast<double>(count) / static_cast<double>(map.classes.size()))});
  }
  std::stable_sort(map.shares.begin(), map.shares.end(), [](const ClassScore& a, const ClassScore& b) { return a.score > b.score; });
  return map;
}

Result<DepthMap> decode_depth(const DepthRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor planes, planes_output(outputs, task.output));
  PictureSampler sampler(planes, transform);
  if (sampler.count() != 1) return invalid_argument("output '", task.output, "': expected one plane, found ", planes.shape().to_string());
  DepthMap depth;
  depth.width = transform.picture_width;
  depth.height = transform.picture_height;
  depth.unit = task.unit;
  depth.paint = task.paint;
  depth.values.reserve(static_cast<std::size_t>(depth.width) * static_cast<std::size_t>(depth.height));
  for (int y = 0; y < depth.height; ++y) {
    for (int x = 0; x < depth.width; ++x) {
      sampler.move_to(x, y);
      depth.values.push_back(static_cast<float>(sampler.bilinear(0) * task.scale + task.offset));
    }
  }
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
