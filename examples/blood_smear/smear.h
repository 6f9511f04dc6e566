// SPDX-License-Identifier: Apache-2.0
// A drawn photograph of a stained blood smear under a microscope, with the true box of every cell.
//
// Light passes through the slide, so cells are drawn as what they absorb (Beer-Lambert): the picture is lamp * exp(-sum
// of optical densities). Overlaps darken and colours mix as in real photos without further tricks.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "fovea/task.h"

namespace blood_smear {

struct Options {
  int width = 640, height = 480;
  std::uint64_t seed = 1;
  double cell_diameter = 98;  ///< of a red cell, in pixels
  double coverage = 0.62;     ///< area of all red cells as a share of the picture
};

struct Cell {
  const char* label = "";     ///< RBC, WBC or Platelets
  std::array<float, 4> box{}; ///< x1 y1 x2 y2 in pixels
};

struct Smear {
  fovea::image::Picture picture;
  std::vector<Cell> cells;    ///< those of which enough lies in the picture
};

/// The same options give the same picture.
Smear draw(const Options& options);

/// {"image": ..., "detections": [{"label": ..., "box": [...]}]}, the form of `fovea predict --json`.
std::string to_json(const Smear& smear, const std::string& image);

}  // namespace blood_smear
