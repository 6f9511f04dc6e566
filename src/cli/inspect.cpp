// SPDX-License-Identifier: Apache-2.0
// `fovea inspect`: what is inside an ONNX file or an engine.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "compiler/infer_shapes.h"
#include "compiler/lower.h"
#include "engine/plan.h"
#include "fovea/session.h"
#include "passes/pass.h"
#include "passes/pass_runner.h"

namespace fovea::cli {

namespace {

struct Arguments {
  std::string file, format = "text", onnx;
  bool certificate = false, optimized = false;
  PluginArguments plugins;
};

std::string shape_of(const PlanValue& value) { return value.shape ? to_string(*value.shape) : "?"; }

nlohmann::json value_json(const PlanValue& value) {
  return {{"name", value.name}, {"type", name(value.type.element)}, {"shape", shape_of(value)}, {"layout", name(value.layout)}};
}

nlohmann::json to_json(const std::string& file, const Plan& plan, bool engine) {
  nlohmann::json json = {{"file", file}, {"kind", engine ? "engine" : "onnx"}, {"name", plan.name}, {"metadata", plan.metadata}};
  for (int v : plan.inputs) json["inputs"].push_back(value_json(plan.values[static_cast<std::size_t>(v)]));
  for (int v : plan.outputs) json["outputs"].push_back(value_json(plan.values[static_cast<std::size_t>(v)]));
  json["layers"] = nlohmann::json::array();
  for (const PlanStep& step : plan.steps) {
    nlohmann::json layer = {{"name", step.name}, {"op", step.op}, {"sources", step.sources}};
    if (engine) layer["kernel"] = step.kernel;
    for (int v : step.outputs) {
      if (v >= 0) layer["outputs"].push_back(value_json(plan.values[static_cast<std::size_t>(v)]));
    }
    json["layers"].push_back(std::move(layer));
  }
  std::int64_t constants = 0;
  for (const Tensor& tensor : plan.constants) constants += static_cast<std::int64_t>(tensor.bytes());
  json["constant_bytes"] = constants;
  if (!engine) return json;
  json["device"] = plan.device;
  json["precision"] = plan.precision;
  for (const auto& [symbol, range] : plan.symbols) json["symbols"][symbol] = {{"min", range.min}, {"opt", range.opt}, {"max", range.max}};
  for (const CertificateEntry& e : plan.certificate) {
    json["certificate"].push_back({{"step", e.step}, {"kernel", e.kernel}, {"precision", e.precision}, {"max_abs", e.max_abs}, {"rms", e.rms},
                                   {"cosine", e.cosine}, {"limit", e.limit}, {"range", e.range}, {"compared", e.compared}, {"by_terms", e.by_terms}, {"refused", e.refused}});
  }
  for (const Decision& d : plan.decisions) json["decisions"].push_back({{"code", d.code}, {"subject", d.subject}, {"sentence", d.sentence}, {"remedy", d.remedy}});
  for (const PluginUse& use : plan.plugins) {
    json["plugins"].push_back({{"operator", use.op}, {"version", use.version}, {"schema_hash", use.schema_hash}, {"plugin", use.plugin}});
  }
  if (!plan.recipe.empty()) json["recipe"] = nlohmann::json::parse(plan.recipe, nullptr, false);
  return json;
}

void print_text(const std::string& file, const Plan& plan, bool engine, bool certificate) {
  std::printf("%s: %s%s%s\n", file.c_str(), engine ? "engine" : "ONNX", plan.name.empty() ? "" : ", graph ", plan.name.c_str());
  if (engine) std::printf("device %s, precision %s\n", plan.device.c_str(), plan.precision.c_str());
  const auto print_values = [&](const char* title, const std::vector<int>& values) {
    for (int v : values) {
      const PlanValue& value = plan.values[static_cast<std::size_t>(v)];
      std::printf("%-7s %-24s %s %s\n", title, value.name.c_str(), std::string(name(value.type.element)).c_str(), shape_of(value).c_str());
    }
  };
  print_values("input", plan.inputs);
  print_values("output", plan.outputs);
  for (const PluginUse& use : plan.plugins) {
    std::printf("plugin  %-24s %s of '%s', schema %.12s\n", use.op.c_str(), use.version.c_str(), use.plugin.c_str(), use.schema_hash.c_str());
  }
  for (const auto& [symbol, range] : plan.symbols) {
    std::printf("extent  %-24s %lld to %s, tuned for %lld\n", symbol.c_str(), static_cast<long long>(range.min),
                range.max == INT64_MAX ? "any" : std::to_string(range.max).c_str(), static_cast<long long>(range.opt));
  }
  std::int64_t constants = 0;
  for (const Tensor& tensor : plan.constants) constants += static_cast<std::int64_t>(tensor.bytes());
  std::printf("%zu layers, %.2f MB of constants\n\n", plan.steps.size(), static_cast<double>(constants) / 1e6);
  for (const PlanStep& step : plan.steps) {
    std::string outputs;
    for (int v : step.outputs) {
      if (v < 0) continue;
      const PlanValue& value = plan.values[static_cast<std::size_t>(v)];
      outputs += (outputs.empty() ? "" : ", ") + std::string(name(value.type.element)) + " " + shape_of(value);
      if (value.layout != Layout::plain) outputs += " " + std::string(name(value.layout));
    }
    std::printf("%-20s %-18s %s -> %s\n", step.op.c_str(), engine ? step.kernel.c_str() : "", step.name.c_str(), outputs.c_str());
  }
  if (!engine) return;
  std::printf("\ndecisions\n");
  for (const Decision& d : plan.decisions) std::printf("  %-18s %s: %s%s%s\n", d.code.c_str(), d.subject.c_str(), d.sentence.c_str(), d.remedy.empty() ? "" : " -> ", d.remedy.c_str());
  if (!certificate) return;
  std::printf("\ncertificate\n  %-18s %-9s %11s %11s %11s %11s %11s  %s\n", "kernel", "precision", "max error", "limit", "rms", "range", "compared", "step");
  for (const CertificateEntry& e : plan.certificate) {
    std::printf("  %-18s %-9s ", e.kernel.c_str(), e.precision.c_str());
    if (e.compared > 0) {
      std::printf("%11.3g %10.3g%s %11.3g %11.3g %11lld", e.max_abs, e.limit, e.by_terms ? "*" : " ", e.rms, e.range, static_cast<long long>(e.compared));
    } else {  // the step runs on its reference, or was built without verification
      std::printf("%11s %11s %11s %11s %11s", "-", "-", "-", "-", "none");
    }
    std::printf("  %s%s%s\n", e.step.c_str(), e.refused.empty() ? "" : "; refused: ", e.refused.c_str());
  }
  std::printf("  compared: elements, all of a step's outputs; *: the smallest of the limits of single elements that were needed\n");
}

std::string quoted(const std::string& text) { return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

void print_dot(const Plan& plan) {
  std::printf("digraph {\n  rankdir=TB; node [shape=box, fontname=\"sans-serif\"];\n");
  std::vector<int> producer(plan.values.size(), -1);
  for (int v : plan.inputs) std::printf("  %s [shape=ellipse];\n", quoted(plan.values[static_cast<std::size_t>(v)].name).c_str());
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    for (int v : plan.steps[s].outputs) if (v >= 0) producer[static_cast<std::size_t>(v)] = static_cast<int>(s);
    std::printf("  s%zu [label=%s];\n", s, quoted(plan.steps[s].op + "\n" + plan.steps[s].name).c_str());
  }
  const auto root = [&](int v) {
    while (plan.values[static_cast<std::size_t>(v)].view && producer[static_cast<std::size_t>(v)] < 0) v = plan.values[static_cast<std::size_t>(v)].view->base;
    return v;
  };
  const auto edge_from = [&](int v) {
    const int at = root(v);
    const int step = producer[static_cast<std::size_t>(at)];
    return step >= 0 ? "s" + std::to_string(step) : quoted(plan.values[static_cast<std::size_t>(at)].name);
  };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    for (int v : plan.steps[s].inputs) {
      if (v < 0 || plan.values[static_cast<std::size_t>(v)].constant >= 0) continue;
      std::printf("  %s -> s%zu [label=%s];\n", edge_from(v).c_str(), s, quoted(shape_of(plan.values[static_cast<std::size_t>(v)])).c_str());
    }
  }
  for (int v : plan.outputs) std::printf("  %s -> %s;\n", edge_from(v).c_str(), quoted("output " + plan.values[static_cast<std::size_t>(v)].name).c_str());
  std::printf("}\n");
}

Result<Plan> read_plan(const std::string& file, bool engine) {
  if (engine) {
    FOVEA_ASSIGN(const Engine loaded, Engine::load(file));
    return loaded.plan();
  }
  FOVEA_ASSIGN(const Model model, import_onnx(file));
  ir::Graph graph = model.graph();
  FOVEA_RETURN_IF_ERROR(compiler::infer_shapes(graph));
  return compiler::lower(graph);
}

// The graph as the compiler sees it, for tools that show ONNX.
Status write_onnx(const Arguments& arguments) {
  FOVEA_ASSIGN(const Model model, import_onnx(arguments.file));
  auto graph = std::make_shared<ir::Graph>(model.graph());
  FOVEA_RETURN_IF_ERROR(compiler::infer_shapes(*graph));
  if (arguments.optimized) {
    passes::PassOptions options;
    options.refresh = compiler::infer_shapes;
    FOVEA_RETURN_IF_ERROR(passes::run_passes(*graph, passes::optimization_passes(), options).status());
  }
  const int nodes = graph->num_nodes();
  FOVEA_RETURN_IF_ERROR(export_onnx(Model(std::move(graph)), arguments.onnx, {.opset = kNewestOpset}));
  std::printf("wrote %s: %d nodes\n", arguments.onnx.c_str(), nodes);
  return {};
}

}  // namespace

int inspect(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Shows what an ONNX file or an engine holds: inputs, outputs, layers, decisions, error certificate.",
                   "fovea inspect net.fovea --certificate");
  line.option("file", arguments.file, "engine or ONNX file").required();
  line.option("--format", arguments.format, "text, json or dot").one_of({"text", "json", "dot"}).with_default();
  line.flag("--certificate", arguments.certificate, "with the measured error of every step");
  const auto onnx = line.option("--onnx", arguments.onnx, "write the imported model as ONNX of the newest opset: functions in place, old operators renewed");
  line.flag("--optimized", arguments.optimized, "with --onnx: after the optimisation passes (own operators are in the domain fovea)").needs(onnx);
  arguments.plugins.add_to(line);
  if (const auto code = parse(line, argc, argv, arguments.plugins)) return *code;
  const auto engine = is_engine_file(arguments.file);
  if (!engine.ok()) return fail(engine.status());
  if (!arguments.onnx.empty()) {
    if (*engine) return fail(invalid_argument(arguments.file, ": --onnx needs an ONNX file, found an engine"));
    const Status status = write_onnx(arguments);
    return status.ok() ? kDone : fail(status);
  }
  const auto plan = read_plan(arguments.file, *engine);
  if (!plan.ok()) return fail(plan.status());
  if (arguments.format == "json") std::printf("%s\n", to_json(arguments.file, *plan, *engine).dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  else if (arguments.format == "dot") print_dot(*plan);
  else print_text(arguments.file, *plan, *engine, arguments.certificate);
  return kDone;
}

}  // namespace fovea::cli
