// SPDX-License-Identifier: Apache-2.0
// `fovea compare`: engines (or a fresh build of the model) against the reference kernels or stored outputs.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/npz.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "compiler/compare.h"
#include "compiler/compile.h"
#include "engine/plan.h"
#include "fovea/session.h"

namespace fovea::cli {

namespace {

struct Arguments {
  std::string model, expected;
  std::vector<std::string> engines, inputs;
  std::uint64_t seed = 0;
  double max_error = 1e-4;
  bool layers = false;
  ShapeArguments shapes;
  CommonArguments common;
};

struct Row {
  std::string name;
  Difference difference;
  bool ok = false;
  std::string problem;
};

Result<std::map<std::string, Tensor>> run_engine(const Engine& engine, const std::map<std::string, Tensor>& inputs, int threads) {
  FOVEA_ASSIGN(Session session, Session::create(engine, {threads}));
  for (const auto& [name, tensor] : inputs) FOVEA_RETURN_IF_ERROR(session.set_input(name, tensor));
  FOVEA_RETURN_IF_ERROR(session.run());
  std::map<std::string, Tensor> outputs;
  for (const TensorInfo& info : engine.outputs()) {
    FOVEA_ASSIGN(const Tensor tensor, session.output(info.name));
    FOVEA_ASSIGN(outputs[info.name], tensor.clone());
  }
  return outputs;
}

std::vector<Row> compare_all(const std::map<std::string, Tensor>& actual, const std::map<std::string, Tensor>& expected, double max_error) {
  std::vector<Row> rows;
  for (const auto& [name, wanted] : expected) {
    Row row{name, {}, false, {}};
    const auto found = actual.find(name);
    if (found == actual.end()) {
      row.problem = "missing";
    } else if (auto difference = compare_tensors(found->second, wanted); !difference.ok()) {
      row.problem = difference.status().message();
    } else {
      row.difference = *difference;
      // Quantised outputs: one step on at most one value in a hundred; other integers must be equal.
      const bool quantised = size_of(wanted.type()) == 1 && is_integer(wanted.type());
      row.ok = is_floating(wanted.type()) ? difference->max_abs <= max_error * std::max(difference->range, 1e-30)
                                          : difference->different == 0 || (quantised && difference->max_abs <= 1 && difference->different * 100 <= difference->elements);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

void print_rows(const std::string& title, const std::vector<Row>& rows) {
  std::printf("%s\n%-24s %12s %12s %12s %12s %12s\n", title.c_str(), "output", "max_abs", "max_rel", "rms", "cosine", "range");
  for (const Row& row : rows) {
    if (!row.problem.empty()) {
      std::printf("%-24s %s\n", row.name.c_str(), row.problem.c_str());
      continue;
    }
    const Difference& d = row.difference;
    std::printf("%-24s %12.4g %12.4g %12.4g %12.8f %12.4g  %s\n", row.name.c_str(), d.max_abs, d.max_rel, d.rms, d.cosine, d.range, row.ok ? "ok" : "OVER THE LIMIT");
  }
}

nlohmann::json to_json(const std::vector<Row>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const Row& row : rows) {
    const Difference& d = row.difference;
    nlohmann::json item = {{"name", row.name}, {"max_abs", d.max_abs}, {"max_rel", d.max_rel}, {"rms", d.rms}, {"cosine", d.cosine}, {"range", d.range}, {"ok", row.ok}};
    if (!row.problem.empty()) item["problem"] = row.problem;
    list.push_back(std::move(item));
  }
  return list;
}

void print_layers(const Plan& plan, double max_error) {
  const CertificateEntry* first = nullptr;
  for (const CertificateEntry& entry : plan.certificate) {
    if (!first && entry.range > 0 && entry.max_abs > max_error * entry.range) first = &entry;
  }
  if (first) {
    std::printf("first layer over the limit: %s (%s), max error %.4g of range %.4g\n", first->step.c_str(), first->kernel.c_str(), first->max_abs, first->range);
  } else {
    std::printf("no layer over the limit (%zu layers in the certificate)\n", plan.certificate.size());
  }
}

Result<bool> compare_networks(const Arguments& arguments) {
  FOVEA_ASSIGN(const Model model, import_onnx(arguments.model));
  BuildOptions options;
  options.threads = arguments.common.threads;
  options.progress = progress_bar(arguments.common.quiet);
  FOVEA_ASSIGN(options.shapes, arguments.shapes.ranges());
  std::vector<std::pair<std::string, Engine>> engines;
  for (const std::string& file : arguments.engines) {
    FOVEA_ASSIGN(Engine engine, Engine::load(file));
    engines.emplace_back(file, std::move(engine));
  }
  if (engines.empty()) {
    auto engine = build(model, options);
    if (!engine.ok()) return std::move(engine).status().with_context(arguments.model);
    engines.emplace_back("fresh build", *std::move(engine));
  }
  FOVEA_ASSIGN(const auto shapes, parse_shapes(arguments.shapes.shapes));
  FOVEA_ASSIGN(const auto inputs, load_inputs(engines[0].second, arguments.inputs, shapes, arguments.seed));
  std::map<std::string, Tensor> expected;
  if (arguments.expected.empty()) {
    FOVEA_ASSIGN(Plan reference, compiler::compile_reference(model.graph()));
    FOVEA_ASSIGN(expected, run_engine(Engine(std::make_shared<const Plan>(std::move(reference))), inputs, arguments.common.threads));
  } else {
    FOVEA_ASSIGN(expected, read_npz(arguments.expected));
  }
  bool all = true;
  nlohmann::json json;
  for (const auto& [file, engine] : engines) {
    FOVEA_ASSIGN(const auto actual, run_engine(engine, inputs, arguments.common.threads));
    const std::vector<Row> rows = compare_all(actual, expected, arguments.max_error);
    bool ok = true;
    for (const Row& row : rows) ok = ok && row.ok;
    all = all && ok;
    if (arguments.common.json != "-" && !arguments.common.quiet) {
      print_rows(file + " against " + (arguments.expected.empty() ? "the reference kernels" : arguments.expected), rows);
      if (arguments.layers) print_layers(engine.plan(), arguments.max_error);
    }
    nlohmann::json item = {{"outputs", to_json(rows)}, {"ok", ok}};
    if (engines.size() > 1) item["engine"] = file;
    if (engines.size() == 1) json = std::move(item);
    else json.push_back(std::move(item));
  }
  if (!arguments.common.json.empty()) FOVEA_RETURN_IF_ERROR(write_json(arguments.common.json, json.dump(2)));
  return all;
}

}  // namespace

int compare(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Runs engines (or a fresh build) and the reference kernels on the same inputs and compares the outputs.",
                   "fovea compare net.onnx net.fovea --input images=photo.jpg --json -");
  line.option("model", arguments.model, "ONNX file").required();
  line.option("engines", arguments.engines, "engine files; none: build one now");
  line.option("--expected", arguments.expected, "npz with the expected outputs instead of the reference kernels");
  line.option("--input", arguments.inputs, "name=file.(npy|npz|jpg|png), repeatable; others are seeded data");
  line.option("--seed", arguments.seed, "seed of inputs that are not given");
  line.option("--max-error", arguments.max_error, "limit, relative to the range of an output").zero_or_more().with_default();
  line.flag("--layers", arguments.layers, "name the first layer over the limit, from the engine's certificate");
  arguments.shapes.add_to(line);
  arguments.common.add_to(line, true);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  catch_interrupts();
  const auto ok = compare_networks(arguments);
  if (!ok.ok()) return fail(ok.status());
  return *ok ? kDone : kNo;
}

}  // namespace fovea::cli
