// SPDX-License-Identifier: Apache-2.0
// Pictures in, answers out: a Predictor runs an engine on pictures as the engine's recipe says (docs/recipes.md).
// Library fovea_task; the only one that needs OpenCV.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fovea/session.h"

namespace fovea::image {

using Color = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// 8-bit RGB pixels, row by row.
struct Picture {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  ///< height x width x 3

  Picture() = default;
  Picture(int w, int h, Color fill = {0, 0, 0}) : width(w), height(h), pixels(std::size_t{3} * static_cast<std::size_t>(w) * static_cast<std::size_t>(h)) {
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = fill[i % 3];
  }
  std::uint8_t* row(int y) { return pixels.data() + std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(y); }
  const std::uint8_t* row(int y) const { return const_cast<Picture*>(this)->row(y); }
  bool operator==(const Picture&) const = default;
};

struct PictureLimits {
  std::int64_t max_bytes = std::int64_t{256} << 20;   ///< of the file
  std::int64_t max_pixels = std::int64_t{100} << 20;  ///< of the picture: about 100 megapixels
};

/// JPEG, PNG, BMP and PPM to RGB: alpha is dropped, grey becomes RGB, 16 bits become 8, a camera's rotation (EXIF) is
/// applied. The size is checked before decoding. InvalidModel for damaged or cut files and beyond the limits,
/// Unsupported for other formats, NotFound.
Result<Picture> decode_picture(std::span<const std::byte> bytes, const PictureLimits& limits = {});
Result<Picture> read_picture(const std::filesystem::path& file, const PictureLimits& limits = {});

/// Writes beside the target and renames.
Status write_png(const std::filesystem::path& file, const Picture& picture);

/// How a map of classes is painted over its picture.
struct MaskPaint {
  std::vector<Color> palette;  ///< colour of each class; empty: colours that are far apart. Classes beyond it stay clear
  int background = 0;          ///< this class stays clear; -1: none does
  double opacity = 0.5;
};

enum class ColorMap { Inferno, Jet };

/// How a map of depths becomes a picture: near ones get the upper end of the colour map.
struct DepthPaint {
  bool larger_is_nearer = false;  ///< disparity or inverse depth
  ColorMap colors = ColorMap::Inferno;
  std::optional<std::array<double, 2>> range;  ///< what the ends stand for; absent: 2nd and 98th percentile
};

}  // namespace fovea::image

namespace fovea::task {

struct Detection {
  int class_id = 0;
  std::string label;
  float score = 0;
  std::array<float, 4> box{};  ///< x1 y1 x2 y2 in pixels of the picture
  std::vector<std::pair<float, float>> keypoints;
};

struct ClassScore {
  int class_id = 0;
  std::string label;
  float score = 0;
};

/// One class number per pixel of the picture.
struct SegmentationMap {
  int width = 0, height = 0;
  std::vector<std::int32_t> classes;
  /// Classes present, with the share of the picture each takes as score, largest first.
  std::vector<ClassScore> shares;
  image::MaskPaint paint;
};

/// One value per pixel of the picture.
struct DepthMap {
  int width = 0, height = 0;
  std::vector<float> values;
  float min = 0, median = 0, max = 0;
  std::string unit;
  image::DepthPaint paint;
};

/// The answer for one picture, in the picture's own pixels. `kinds` says which members hold it: one for each task of the
/// recipe, in its order.
struct Prediction {
  enum class Kind { Detections, Classes, Segmentation, Depth, Landmarks };
  std::vector<Kind> kinds;
  bool has(Kind kind) const { return std::find(kinds.begin(), kinds.end(), kind) != kinds.end(); }
  std::vector<Detection> detections;  ///< best first
  std::vector<ClassScore> classes;    ///< best first
  SegmentationMap segmentation;
  DepthMap depth;
  std::vector<std::pair<float, float>> landmarks;
};

/// Where a mask or depth map was written, for the JSON; empty when it was not.
struct PredictionFiles {
  std::string mask, depth;
};

/// {"image", "detections":[{"label","class_id","score","box":[x1,y1,x2,y2]}]}, or "classes", "mask_file" with
/// "classes", "depth_file" with "depth", "landmarks"; several of them when the recipe has several tasks. One line, no
/// trailing newline.
std::string to_json(const Prediction& prediction, const std::string& image, const PredictionFiles& files = {});
/// Aligned lines for people, newline at the end.
std::string to_table(const Prediction& prediction);
/// Draws the answer onto the picture it was made from. Depth alone replaces the picture by its colour map; beside other
/// answers it is put to the right.
void draw(const Prediction& prediction, image::Picture& picture);

/// One task of a recipe.
struct TaskInfo {
  Prediction::Kind kind = Prediction::Kind::Detections;
  std::vector<std::string> labels;  ///< names of classes; there may be fewer than classes, some may be empty
  std::int64_t classes = 0;         ///< how many a classification or segmentation tells apart; 0: unknown
};

struct PredictorOptions {
  std::optional<std::string> recipe = {};  ///< JSON text; absent: the engine's
  double score_threshold = -1;    ///< of detections; negative: the recipe's
  int top_k = 0;                  ///< classes of a classification that are kept; 0: as many as the recipe says
  SessionOptions session = {};
};

/// An engine, its recipe and a session. Not thread-safe; make one per thread, they may share the engine.
class Predictor {
 public:
  /// InvalidArgument when there is no recipe, InvalidModel when it is malformed or the engine cannot be what it describes.
  static Result<Predictor> create(const Engine& engine, const PredictorOptions& options = {});
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;
  ~Predictor();

  /// InvalidArgument when the picture does not fit, InvalidModel when the recipe does not, which only shows here where the
  /// engine leaves shapes open; the message names what does not.
  Result<Prediction> predict(const image::Picture& picture);
  Result<Prediction> predict(const std::filesystem::path& picture);
  /// The recipe's tasks, in its order. Classes that the engine leaves open are counted by the first predict().
  const std::vector<TaskInfo>& tasks() const;
  /// Time of the last predict() inside the network.
  double network_milliseconds() const;
  /// What the network got and gave in the last predict(), by name, valid until the next. For those who compare pre- and
  /// post-processing with their own.
  const std::map<std::string, Tensor>& tensors() const;

  struct State;

 private:
  explicit Predictor(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace fovea::task
