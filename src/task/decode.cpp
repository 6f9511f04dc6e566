// SPDX-License-Identifier: Apache-2.0
#include "task/decode.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "task/decode_boxes.h"
#include "task/output_view.h"

namespace fovea::task {

namespace {

/// The number an extent is written as, or 0 for an expression.
int fixed_extent(const std::string& text) {
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size() && value > 0 ? value : 0;
}

Result<const TensorInfo*> find_picture_input(const Recipe& recipe, std::span<const TensorInfo> network) {
  const TensorInfo* found = nullptr;
  std::string names;
  int candidates = 0;
  for (const TensorInfo& info : network) {
    names += (names.empty() ? "'" : ", '") + info.name + "'";
    if (recipe.input.empty() ? !recipe.size_inputs.contains(info.name) : info.name == recipe.input) found = &info, ++candidates;
  }
  if (candidates == 1) return found;
  if (!recipe.input.empty()) return not_found("recipe: the network has no input '", recipe.input, "'; there are: ", names);
  return Status(ErrorCode::InvalidArgument, "recipe: which of the inputs takes the picture? there are: " + names, "set input.name");
}

/// Fills in what the recipe leaves open.
Result<image::InputSpec> resolve(const Recipe& recipe, const TensorInfo& input) {
  image::InputSpec spec = recipe.spec;
  if (spec.type == DataType::undefined) spec.type = input.type;
  if (!input.rank_known) return spec;
  if (input.shape.size() != 4) return invalid_argument("recipe: input '", input.name, "' has ", input.shape.size(), " dimensions, a picture needs 4");
  const bool nchw = spec.order == image::Order::Nchw;
  const int height = fixed_extent(input.shape[nchw ? 2 : 1]), width = fixed_extent(input.shape[nchw ? 3 : 2]);
  const int channels = fixed_extent(input.shape[nchw ? 1 : 3]), wanted = spec.channels == image::Channels::Gray ? 1 : 3;
  if (channels != 0 && channels != wanted) {
    return Status(ErrorCode::InvalidArgument, str_cat("recipe: input '", input.name, "' takes ", channels, " channels, the recipe gives ", wanted),
                  "check input.layout and input.color");
  }
  if (spec.fit == image::Fit::Pad) return spec;
  const auto settle = [&](int& mine, int its, const char* what) -> Status {
    if (mine == 0) mine = its;
    if (mine == 0) return Status(ErrorCode::InvalidArgument, str_cat("recipe: the network takes any ", what), "set input.size to [height, width]");
    if (its == 0 || mine == its) return {};
    return invalid_argument("recipe: input.size says ", what, " ", mine, ", the network takes ", its);
  };
  FOVEA_RETURN_IF_ERROR(settle(spec.height, height, "height"));
  FOVEA_RETURN_IF_ERROR(settle(spec.width, width, "width"));
  return spec;
}

Result<Tensor> size_tensor(const TensorInfo& info, int width, int height) {
  const Shape shape = info.shape.size() == 1 ? Shape{2} : Shape{1, 2};
  FOVEA_ASSIGN(Tensor tensor, Tensor::allocate(info.type, shape));
  for (int i = 0; i < 2; ++i) {
    const int value = i == 0 ? width : height;
    switch (info.type) {
      case DataType::i64: tensor.data<std::int64_t>()[i] = value; break;
      case DataType::i32: tensor.data<std::int32_t>()[i] = value; break;
      case DataType::f32: tensor.data<float>()[i] = static_cast<float>(value); break;
      default: return unsupported("recipe: size input '", info.name, "' of type ", name(info.type));
    }
  }
  return tensor;
}

Result<Prediction> decode_task(const Recipe& recipe, const DetectionRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  const BoxContext context{outputs, transform, task.score_threshold};
  FOVEA_ASSIGN(auto candidates, std::visit([&](const auto& kind) { return decode_boxes(kind, context); }, task.decode));
  const image::ImageTransform identity{1, 1, 0, 0, transform.picture_width, transform.picture_height, transform.picture_width, transform.picture_height};
  const image::ImageTransform& back = in_picture_pixels(task.decode) ? identity : transform;
  Prediction prediction;
  for (const Candidate& candidate : select_best(std::move(candidates), task.nms, task.max_detections)) {
    Detection detection;
    detection.class_id = candidate.class_id;
    detection.label = recipe.label_of(candidate.class_id);
    detection.score = static_cast<float>(candidate.score);
    detection.box = back.box_to_picture(candidate.box);
    for (const auto& [x, y] : candidate.keypoints) {
      detection.keypoints.emplace_back(static_cast<float>(back.to_picture_x(x)), static_cast<float>(back.to_picture_y(y)));
    }
    const bool empty = detection.box[2] <= detection.box[0] || detection.box[3] <= detection.box[1];
    if (!empty) prediction.detections.push_back(std::move(detection));
  }
  return prediction;
}

Result<Prediction> decode_task(const Recipe& recipe, const ClassificationRecipe& task, const NamedTensors& outputs, const image::ImageTransform&) {
  FOVEA_ASSIGN(const Tensor raw, float_output(outputs, task.output));
  if (raw.elements() <= task.skip) return invalid_argument("output '", task.output, "': ", raw.elements(), " classes, the recipe skips ", task.skip);
  if (raw.rank() > 0 && raw.dim(0) != 1 && raw.rank() > 1) return invalid_argument("output '", task.output, "': expected batch 1, found shape ", raw.shape().to_string());
  std::vector<double> scores(raw.values<float>().begin(), raw.values<float>().end());
  activate(task.activation, scores);
  scores.erase(scores.begin(), scores.begin() + task.skip);
  std::vector<int> order;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) order.push_back(static_cast<int>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
  Prediction prediction;
  prediction.kind = Prediction::Kind::Classes;
  for (int id : order) {
    if (static_cast<int>(prediction.classes.size()) == task.top_k) break;
    prediction.classes.push_back({id, recipe.label_of(id), static_cast<float>(scores[static_cast<std::size_t>(id)])});
  }
  return prediction;
}

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

Result<Prediction> decode_task(const Recipe& recipe, const SegmentationRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor planes, planes_output(outputs, task.output));
  PictureSampler sampler(planes, transform);
  if (task.classes != SegmentationRecipe::Classes::Argmax && sampler.count() != 1) {
    return invalid_argument("output '", task.output, "': expected one plane, found ", planes.shape().to_string());
  }
  Prediction prediction;
  prediction.kind = Prediction::Kind::Segmentation;
  SegmentationMap& map = prediction.segmentation;
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
  return prediction;
}

Result<Prediction> decode_task(const Recipe&, const DepthRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor planes, planes_output(outputs, task.output));
  PictureSampler sampler(planes, transform);
  if (sampler.count() != 1) return invalid_argument("output '", task.output, "': expected one plane, found ", planes.shape().to_string());
  Prediction prediction;
  prediction.kind = Prediction::Kind::Depth;
  DepthMap& depth = prediction.depth;
  depth.width = transform.picture_width;
  depth.height = transform.picture_height;
  depth.larger_is_nearer = task.larger_is_nearer;
  depth.unit = task.unit;
  for (int y = 0; y < depth.height; ++y) {
    for (int x = 0; x < depth.width; ++x) {
      sampler.move_to(x, y);
      depth.values.push_back(sampler.bilinear(0));
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
  return prediction;
}

Result<Prediction> decode_task(const Recipe&, const LandmarksRecipe& task, const NamedTensors& outputs, const image::ImageTransform& transform) {
  FOVEA_ASSIGN(const Tensor raw, float_output(outputs, task.output));
  if (raw.elements() % task.values_per_point != 0) {
    return invalid_argument("output '", task.output, "': ", raw.elements(), " values are no points of ", task.values_per_point);
  }
  const bool normalised = task.coordinates == Coordinates::Normalised;
  Prediction prediction;
  prediction.kind = Prediction::Kind::Landmarks;
  for (std::int64_t i = 0; i < raw.elements(); i += task.values_per_point) {
    const double x = raw.data<float>()[i] * (normalised ? transform.input_width : 1), y = raw.data<float>()[i + 1] * (normalised ? transform.input_height : 1);
    const bool own = task.coordinates == Coordinates::Picture;
    prediction.landmarks.emplace_back(static_cast<float>(own ? x : transform.to_picture_x(x)), static_cast<float>(own ? y : transform.to_picture_y(y)));
  }
  return prediction;
}

}  // namespace

Result<TaskInputs> make_inputs(const Recipe& recipe, const image::Picture& picture, std::span<const TensorInfo> network) {
  FOVEA_ASSIGN(const TensorInfo* input, find_picture_input(recipe, network));
  FOVEA_ASSIGN(const image::InputSpec spec, resolve(recipe, *input));
  FOVEA_ASSIGN(image::NetworkInput made, image::make_network_input(picture, spec));
  TaskInputs inputs;
  inputs.transform = made.transform;
  inputs.tensors[input->name] = std::move(made.tensor);
  for (const TensorInfo& info : network) {
    if (info.name == input->name) continue;
    const auto it = recipe.size_inputs.find(info.name);
    if (it == recipe.size_inputs.end()) {
      return Status(ErrorCode::InvalidArgument, "recipe: nothing is said about the network's input '" + info.name + "'",
                    "size_inputs may give it the picture's or the input's size");
    }
    const bool own = it->second == "picture_size";
    const image::ImageTransform& t = inputs.transform;
    FOVEA_ASSIGN(inputs.tensors[info.name], size_tensor(info, own ? t.picture_width : t.input_width, own ? t.picture_height : t.input_height));
  }
  return inputs;
}

Result<Prediction> decode(const Recipe& recipe, const NamedTensors& outputs, const image::ImageTransform& transform) {
  return std::visit([&](const auto& task) { return decode_task(recipe, task, outputs, transform); }, recipe.task);
}

}  // namespace fovea::task
