// SPDX-License-Identifier: Apache-2.0
// blood_smear: draws the picture of the demo. `blood_smear --seed 3 -o smear.png --boxes smear.json`
#include <CLI/CLI.hpp>

#include "base/file.h"
#include "image/picture_file.h"
#include "smear.h"

int main(int argc, char** argv) {
  blood_smear::Options options;
  std::string output, boxes;
  CLI::App app("Draws a stained blood smear as a microscope camera shows it.");
  app.add_option("-o,--output", output, "PNG file to write")->required();
  app.add_option("--seed", options.seed, "another number, another smear");
  app.add_option("--width", options.width, "pixels")->check(CLI::Range(64, 8192));
  app.add_option("--height", options.height, "pixels")->check(CLI::Range(64, 8192));
  app.add_option("--diameter", options.cell_diameter, "of a red cell, in pixels")->check(CLI::Range(8.0, 1000.0));
  app.add_option("--coverage", options.coverage, "area of all red cells as a share of the picture")->check(CLI::Range(0.05, 0.9));
  app.add_option("--boxes", boxes, "write the true boxes to this JSON file");
  CLI11_PARSE(app, argc, argv);

  const blood_smear::Smear smear = blood_smear::draw(options);
  fovea::Status status = fovea::image::write_png(output, smear.picture);
  if (status.ok() && !boxes.empty()) status = fovea::write_file_atomically(boxes, blood_smear::to_json(smear, output));
  if (!status.ok()) {
    std::fprintf(stderr, "error: %s\n", status.message().c_str());
    return 3;
  }
  return 0;
}
