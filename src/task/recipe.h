// SPDX-License-Identifier: Apache-2.0
// Recipe: how a picture becomes a network's inputs and how its outputs become an answer. Written as JSON
// (docs/recipes.md), stored in the engine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "image/network_input.h"

namespace fovea::task {

enum class BoxFormat { Xyxy, Cxcywh, Xywh };
enum class Coordinates {
  Pixels,        ///< of the network's input; pixel i covers i to i + 1
  PixelCenters,  ///< the same, but pixel i lies at i, as in OpenCV's affine warps
  Normalised,    ///< 0..1 over the network's input
  Picture,       ///< pixels of the original picture (networks that take its size as an input)
};
enum class Activation { None, Sigmoid, Softmax };

/// score = objectness^objectness_exponent * class^class_exponent, after the activation.
struct ScoreRule {
  Activation activation = Activation::None;
  double objectness_exponent = 1, class_exponent = 1;
  std::optional<int> background;  ///< class that means "nothing"; later classes move down by one
  bool multi_label = false;       ///< every class of a box may give a detection, not only the best
};

/// Boxes and scores in tensors of their own, one pair or one per level. Boxes 1 x N x 4, scores 1 x N x C (or 1 x N).
struct BoxesScores {
  std::vector<std::string> boxes, scores, objectness, keypoints;
  BoxFormat format = BoxFormat::Xyxy;
  Coordinates coordinates = Coordinates::Pixels;
  ScoreRule rule;
};

/// One tensor with a row (or, transposed, a column) per box; `columns` say what stands where.
struct Rows {
  enum class Column { X1, Y1, X2, Y2, Cx, Cy, W, H, Objectness, Score, Class, Skip, Classes };
  std::string output;
  std::vector<Column> columns;    ///< Classes: all that are left
  bool transposed = false;
  Coordinates coordinates = Coordinates::Pixels;
  ScoreRule rule;
};

/// Raw YOLO heads: per level 1 x A*(5+C) x H x W or 1 x A x H x W x (5+C), order x y w h objectness classes.
struct YoloGrid {
  enum class Version { V3, V5 };
  struct Level {
    std::string output;
    double stride = 0;
    std::vector<std::array<double, 2>> anchors;  ///< width, height in pixels
  };
  std::vector<Level> levels;
  Version version = Version::V5;
  bool activated = false;  ///< the network already applied the sigmoid
  Coordinates coordinates = Coordinates::Pixels;
  ScoreRule rule;
};

/// SSD: boxes as offsets from priors, priors on grids. Row order: level, y, x, prior.
struct SsdPriors {
  struct Level {
    double stride = 0;
    std::vector<std::array<double, 2>> sizes;  ///< width, height in pixels, one prior each
  };
  std::string boxes, scores;
  std::vector<Level> levels;
  double offset = 0.5;                         ///< centre of a cell, in cells
  std::array<double, 2> variances = {0.1, 0.2};
  bool linear_size = false;                    ///< size = variance * raw * prior instead of exp(variance * raw) * prior
  int keypoints = 0;                           ///< pairs after the four box numbers
  Coordinates coordinates = Coordinates::Pixels;
  ScoreRule rule;
};

/// Anchor-free heads: per level tensors 1 x H*W x K or 1 x K x H x W.
struct AnchorFreeGrid {
  enum class Box {
    Ltrb,       ///< distances to the four sides
    Dfl,        ///< the same as distributions over bins
    CenterExp,  ///< centre offset from the cell's corner, log size
  };
  struct Level {
    double stride = 0;
    std::string boxes, scores, objectness, keypoints;
  };
  std::vector<Level> levels;
  Box box = Box::Ltrb;
  double offset = 0.5;       ///< centre of a cell, in cells
  bool stride_units = true;  ///< distances count in strides, else in pixels
  Coordinates coordinates = Coordinates::Pixels;
  ScoreRule rule;
};

/// Boxes that are final: labels (numbers) and scores beside them.
struct FinalBoxes {
  std::string boxes, labels, scores, count;
  BoxFormat format = BoxFormat::Xyxy;
  Coordinates coordinates = Coordinates::Pixels;
  int first_label = 0;
};

using DetectionDecode = std::variant<BoxesScores, Rows, YoloGrid, SsdPriors, AnchorFreeGrid, FinalBoxes>;

struct Nms {
  double iou = 0.45;
  bool class_aware = true;
  bool inclusive = false;  ///< an overlap of exactly `iou` suppresses too
};

/// When boxes are cut at the picture's edges; what is nothing then is dropped.
enum class Clip { AfterNms, BeforeNms, Never };

struct DetectionRecipe {
  DetectionDecode decode;
  double score_threshold = 0.25;
  std::optional<Nms> nms;
  int max_detections = 300;
  Clip clip = Clip::AfterNms;
};

struct ClassificationRecipe {
  std::string output;
  Activation activation = Activation::None;
  int top_k = 5;
  int skip = 0;  ///< classes before the first label
};

struct SegmentationRecipe {
  enum class Classes {
    Argmax,     ///< 1 x C x H x W scores
    Threshold,  ///< 1 x 1 x H x W scores: class 1 where above the threshold
    Map,        ///< class numbers, 1 x H x W or 1 x 1 x H x W
  };
  std::string output;
  Classes classes = Classes::Argmax;
  Activation activation = Activation::None;  ///< before the threshold
  double threshold = 0.5;
  image::MaskPaint paint;
};

/// depth = output * scale + offset
struct DepthRecipe {
  std::string output;
  double scale = 1, offset = 0;
  std::string unit;
  image::DepthPaint paint;
};

struct LandmarksRecipe {
  std::string output;
  int values_per_point = 2;       ///< x, y first
  Coordinates coordinates = Coordinates::Normalised;
};

/// What one task makes of the outputs.
struct TaskRecipe {
  std::string where;                ///< of its keys, for messages: "" or "tasks[1]."
  std::vector<std::string> labels;
  std::variant<DetectionRecipe, ClassificationRecipe, SegmentationRecipe, DepthRecipe, LandmarksRecipe> decode;

  /// The label, or "class 7" where there is none or an empty one.
  std::string label_of(int class_id) const;
};

struct Recipe {
  std::string input;                ///< picture input; empty: the network's only one
  image::InputSpec spec;            ///< size 0: the network's; type undefined: the network's
  bool fill_given = false;          ///< so a crop may be larger than what is resized
  /// Inputs other than the picture: "picture_size" or "input_size" (width, height as numbers).
  std::map<std::string, std::string> size_inputs;
  std::vector<TaskRecipe> tasks;    ///< at least one, no kind twice
};

/// Strict: an unknown key, one given twice, a wrong type or a value out of range is InvalidModel with the key's path, e.g.
/// "recipe: decode.levels[2].stride: expected a number above 0, found \"8\"".
Result<Recipe> parse_recipe(std::string_view json);

}  // namespace fovea::task
