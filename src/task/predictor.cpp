// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "base/guard.h"
#include "fovea/task.h"
#include "task/decode.h"
#include "task/recipe_fit.h"

namespace fovea::task {

struct Predictor::State {
  Engine engine;
  Session session;
  Recipe recipe;
  std::vector<TensorInfo> inputs, outputs;
  std::vector<TaskInfo> tasks = {};
  NamedTensors tensors = {};  ///< of the last run
  double milliseconds = 0;
};

namespace {

/// In the order of TaskRecipe's alternatives.
constexpr Prediction::Kind kKinds[] = {Prediction::Kind::Detections, Prediction::Kind::Classes, Prediction::Kind::Segmentation, Prediction::Kind::Depth,
                                       Prediction::Kind::Landmarks};

std::vector<TaskInfo> infos_of(const Recipe& recipe, const OutputShapes& outputs) {
  std::vector<TaskInfo> infos;
  for (const TaskRecipe& task : recipe.tasks) infos.push_back({kKinds[task.decode.index()], task.labels, classes_of(task, outputs)});
  return infos;
}

}  // namespace

Predictor::Predictor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;
Predictor::~Predictor() = default;

Result<Predictor> Predictor::create(const Engine& engine, const PredictorOptions& options) {
  return guarded([&]() -> Result<Predictor> {
    const std::string& text = options.recipe ? *options.recipe : engine.recipe();
    if (!options.recipe && text.empty()) {
      return Status(ErrorCode::InvalidArgument, "the engine holds no recipe, so its outputs have no meaning",
                    "give a recipe here or while building; see docs/recipes.md");
    }
    FOVEA_ASSIGN(Recipe recipe, parse_recipe(text));
    for (TaskRecipe& task : recipe.tasks) {
      auto* detection = std::get_if<DetectionRecipe>(&task.decode);
      if (detection && options.score_threshold >= 0) detection->score_threshold = options.score_threshold;
      auto* classification = std::get_if<ClassificationRecipe>(&task.decode);
      if (classification && options.top_k > 0) classification->top_k = options.top_k;
    }
    FOVEA_RETURN_IF_ERROR(fit_engine(recipe, engine));
    std::vector<TaskInfo> tasks = infos_of(recipe, output_shapes(recipe, engine));
    FOVEA_ASSIGN(Session session, Session::create(engine, options.session));
    return Predictor(std::make_unique<State>(State{engine, std::move(session), std::move(recipe), engine.inputs(), engine.outputs(), std::move(tasks)}));
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
    auto prediction = decode(s.recipe, outputs, inputs.transform);
    if (prediction.ok()) s.tasks = infos_of(s.recipe, output_shapes(outputs));
    return prediction;
  });
}

Result<Prediction> Predictor::predict(const std::filesystem::path& picture) {
  FOVEA_ASSIGN(const image::Picture pixels, image::read_picture(picture));
  auto prediction = predict(pixels);
  if (!prediction.ok()) return std::move(prediction).status().with_context(picture.string());
  return prediction;
}

const std::vector<TaskInfo>& Predictor::tasks() const { return state_->tasks; }

double Predictor::network_milliseconds() const { return state_->milliseconds; }

const NamedTensors& Predictor::tensors() const { return state_->tensors; }

}  // namespace fovea::task
