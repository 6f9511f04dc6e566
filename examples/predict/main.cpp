// SPDX-License-Identifier: Apache-2.0
// Pictures in, answers out: predict NET.fovea RECIPE.json|- PICTURE...
#include <fovea/task.h>

#include <cstdio>
#include <fstream>
#include <iterator>

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: predict NET.fovea RECIPE.json|- PICTURE...\n");
    return 2;
  }
  const auto fail = [](const fovea::Status& status) {
    std::fprintf(stderr, "error: %s\n", status.to_string().c_str());
    return 3;
  };
  const auto engine = fovea::Engine::load(argv[1]);
  if (!engine.ok()) return fail(engine.status());

  fovea::task::PredictorOptions options;  // "-": the recipe stored in the engine
  if (std::string(argv[2]) != "-") {
    std::ifstream file(argv[2]);
    options.recipe = std::string(std::istreambuf_iterator<char>(file), {});
  }
  auto predictor = fovea::task::Predictor::create(*engine, options);
  if (!predictor.ok()) return fail(predictor.status());

  for (int i = 3; i < argc; ++i) {
    const auto prediction = predictor->predict(std::filesystem::path(argv[i]));
    if (!prediction.ok()) return fail(prediction.status());
    std::puts(fovea::task::to_json(*prediction, argv[i]).c_str());
  }
  return 0;
}
