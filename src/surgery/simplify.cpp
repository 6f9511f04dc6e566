// SPDX-License-Identifier: Apache-2.0
// simplify() and the numeric check of two models.
#include <algorithm>

#include "compiler/compare.h"
#include "compiler/compile.h"
#include "compiler/input_shapes.h"
#include "fovea/session.h"
#include "fovea/surgery.h"
#include "ir/graph.h"
#include "passes/infer_shapes.h"
#include "passes/pass_runner.h"

namespace fovea {

namespace {

std::vector<std::string> names_of(const std::vector<TensorInfo>& infos) {
  std::vector<std::string> names;
  for (const TensorInfo& info : infos) names.push_back(info.name);
  std::sort(names.begin(), names.end());
  return names;
}

/// Without any pass, so that a wrong rewrite cannot hide in both models.
Result<Engine> engine_as_it_is(const Model& model) {
  BuildOptions options;
  options.verify = false;
  options.tuning = Tuning::None;
  for (const passes::PassGroup& group : passes::optimization_passes()) {
    for (const passes::Pass& pass : group.passes) options.disabled_passes.emplace_back(pass.name);
  }
  return build(model, options);
}

Result<std::map<std::string, Tensor>> run_once(const Engine& engine, const std::map<std::string, Tensor>& inputs) {
  FOVEA_ASSIGN(Session session, Session::create(engine));
  for (const auto& [name, tensor] : inputs) FOVEA_RETURN_IF_ERROR(session.set_input(name, tensor));
  FOVEA_RETURN_IF_ERROR(session.run());
  std::map<std::string, Tensor> outputs;
  for (const TensorInfo& info : engine.outputs()) {
    FOVEA_ASSIGN(const Tensor tensor, session.output(info.name));
    FOVEA_ASSIGN(outputs[info.name], tensor.clone());
  }
  return outputs;
}

}  // namespace

Result<Model> simplify(const Model& model, const SimplifyOptions& options) {
  FOVEA_ASSIGN(const Model fixed, fix_shapes(model, options.shapes));
  auto graph = std::make_shared<ir::Graph>(fixed.graph());
  passes::PassOptions run;
  run.disabled = options.disabled_passes;
  run.refresh = passes::infer_shapes;
  FOVEA_RETURN_IF_ERROR(passes::run_passes(*graph, passes::simplification_passes(), run).status());
  graph->compact();
  return Model(std::move(graph));
}

Result<std::vector<OutputDifference>> compare_models(const Model& a, const Model& b, const std::map<std::string, Shape>& shapes, std::uint64_t seed) {
  if (names_of(a.inputs()) != names_of(b.inputs())) return invalid_argument("the models' inputs have different names");
  if (names_of(a.outputs()) != names_of(b.outputs())) return invalid_argument("the models' outputs have different names");
  ir::Graph graph = a.graph();
  std::map<std::string, ShapeRange> ranges;
  for (const auto& [name, shape] : shapes) ranges[name] = {shape, shape, shape};
  FOVEA_ASSIGN(const compiler::InputShapes known, compiler::apply_shape_ranges(graph, ranges));
  FOVEA_ASSIGN(const std::vector<Datum> data, compiler::make_inputs(graph, known.typical, {}, seed));
  std::map<std::string, Tensor> inputs;
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    if (data[i].kind != Datum::Kind::Tensor) return unsupported("input '", graph.value(graph.inputs[i]).name, "' is no tensor: these models cannot be compared");
    inputs[graph.value(graph.inputs[i]).name] = data[i].tensor;
  }
  FOVEA_ASSIGN(const Engine first, engine_as_it_is(a));
  FOVEA_ASSIGN(const Engine second, engine_as_it_is(b));
  FOVEA_ASSIGN(const auto expected, run_once(first, inputs));
  FOVEA_ASSIGN(const auto found, run_once(second, inputs));
  std::vector<OutputDifference> differences;
  for (const TensorInfo& info : a.outputs()) {
    FOVEA_ASSIGN(const Difference difference, compare_tensors(found.at(info.name), expected.at(info.name)));
    differences.push_back({info.name, difference.max_abs, difference.range});
  }
  return differences;
}

}  // namespace fovea
