// SPDX-License-Identifier: Apache-2.0
// What drawing with OpenCV needs everywhere: a view of the picture, sizes that suit it, text that its fonts know.
#pragma once

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <string>

#include "fovea/task.h"

namespace fovea::image {

inline constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;

/// A view of the picture for OpenCV's drawing; channel order is ours, so colours are given as red, green, blue.
inline cv::Mat view(Picture& picture) { return {picture.height, picture.width, CV_8UC3, picture.pixels.data()}; }

inline cv::Scalar scalar(Color color) { return {double(color[0]), double(color[1]), double(color[2])}; }

/// Black or white, whichever reads better on `color`.
inline cv::Scalar text_color(Color color) {
  const double luma = 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2];
  return luma > 150 ? cv::Scalar(20, 20, 20) : cv::Scalar(255, 255, 255);
}

/// Hershey fonts know ASCII only.
inline std::string ascii(const std::string& text) {
  std::string plain;
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xc0) continue;  // inside a UTF-8 sequence
    plain += byte >= 32 && byte < 127 ? c : '?';
  }
  return plain.substr(0, 64);
}

struct Style {
  int line = 2;
  double font = 0.5;
  int thickness = 1;
};

inline Style style_for(const Picture& picture) {
  const int side = std::max(picture.width, picture.height);
  Style style;
  style.line = std::clamp(side / 400, 1, 8);
  style.font = std::clamp(side / 1400.0, 0.4, 2.5);
  style.thickness = style.font >= 0.9 ? 2 : 1;
  return style;
}

}  // namespace fovea::image
