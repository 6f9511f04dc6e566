// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "base/guard.h"
#include "fovea/task.h"
#include "task/decode.h"

namespace fovea::task {

struct Predictor::State {
  Engine engine;
  Session session;
  Recipe recipe;
  std::vector<TensorInfo> inputs, outputs;
  NamedTensors tensors = {};  ///< of the last run
  double milliseconds = 0;
};

Predictor::Predictor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;
Predictor::~Predictor() = default;

Result<Predictor> Predictor::create(const Engine& engine, const PredictorOptions& options) {
  return guarded([&]() -> Result<Predictor> {
    const std::string& text = options.recipe.empty() ? engine.recipe() : options.recipe;
    if (text.empty()) {
      return Status(ErrorCode::InvalidArgument, "the engine holds no recipe, so its outputs have no meaning",
                    "give a recipe here or while building; see docs/recipes.md");
    }
    FOVEA_ASSIGN(Recipe recipe, parse_recipe(text));
    for (TaskRecipe& task : recipe.tasks) {
      auto* detection = std::get_if<DetectionRecipe>(&task.decode);
      if (detection && options.score_threshold >= 0) detection->score_threshold = options.score_threshold;
    }
    FOVEA_ASSIGN(Session session, Session::create(engine, options.session));
    return Predictor(std::make_unique<State>(State{engine, std::move(session), std::move(recipe), engine.inputs(), engine.outputs()}));
  });
}

Result<Prediction> Predictor::predict(const image::Picture& picture) {
  return guarded([&]() -> Result<Prediction> {
    State& s = *state_;
    FOVEA_ASSIGN(const TaskInputs inputs, make_inputs(s.recipe, picture, s.inputs));
    const auto start = std::chrono::steady_clock::now();
    for (const auto& [name, tensor] : inputs.tensors) FOVEA_RETURN_IF_ERROR(s.session.set_input(name, tensor));
    FOVEA_RETURN_IF_ERROR(s.session.run());
    s.milliseconds = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    NamedTensors outputs;
    for (const TensorInfo& info : s.outputs) {
      FOVEA_ASSIGN(outputs[info.name], s.session.output(info.name));
    }
    s.tensors = inputs.tensors;
    s.tensors.insert(outputs.begin(), outputs.end());
    return decode(s.recipe, outputs, inputs.transform);
  });
}

Result<Prediction> Predictor::predict(const std::filesystem::path& picture) {
  FOVEA_ASSIGN(const image::Picture pixels, image::read_picture(picture));
  auto prediction = predict(pixels);
  if (!prediction.ok()) return std::move(prediction).status().with_context(picture.string());
  return prediction;
}

double Predictor::network_milliseconds() const { return state_->milliseconds; }

const NamedTensors& Predictor::tensors() const { return state_->tensors; }

}  // namespace fovea::task
