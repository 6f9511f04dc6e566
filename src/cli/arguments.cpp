// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "base/npz.h"
#include "cli/command.h"
#include "cli/picture_input.h"
#include "compiler/samples.h"
#include "engine/plan.h"
#include "fovea/load_plugin.h"

namespace fovea::cli {

namespace {

volatile std::sig_atomic_t g_interrupts = 0;

void on_interrupt(int) {
  g_interrupts = g_interrupts + 1;
  if (g_interrupts > 1) _exit(130);  // the second Ctrl-C does not wait
}

Result<Shape> parse_shape(std::string_view text, std::string_view whole) {
  Shape shape;
  while (!text.empty()) {
    std::int64_t extent = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), extent);
    if (code != std::errc() || extent < 0 || shape.rank() == kMaxRank) return invalid_argument("shapes: expected name:1x3x224x224, found '", whole, "'");
    shape.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.empty()) break;
    if (text[0] != 'x' || text.size() == 1) return invalid_argument("shapes: expected name:1x3x224x224, found '", whole, "'");
    text.remove_prefix(1);
  }
  return shape;
}

/// A tensor from name=file: an .npy file, or the entry `name` (or the only one) of an .npz file.
Result<Tensor> load_tensor(const std::string& file, const std::string& name) {
  if (file.ends_with(".npy")) return read_npy(file);
  if (!file.ends_with(".npz")) return invalid_argument(file, ": expected a .npy, .npz, .jpg or .png file");
  FOVEA_ASSIGN(const NamedTensors tensors, read_npz(file));
  if (const auto it = tensors.find(name); it != tensors.end()) return it->second;
  if (tensors.size() == 1) return tensors.begin()->second;
  return invalid_argument(file, ": holds ", tensors.size(), " arrays, none named '", name, "'");
}

}  // namespace

void PluginArguments::add_to(CommandLine& line) {
  line.option("--plugin", libraries, "library with operators of your own, repeatable").one_each_time("LIB.so");
}

Status PluginArguments::load() const {
  for (const std::string& library : libraries) FOVEA_RETURN_IF_ERROR(load_plugin(library).status());
  return {};
}

std::optional<int> parse(CommandLine& line, int argc, char** argv, const PluginArguments& plugins) {
  if (const auto code = line.parse(argc, argv)) return code;
  const Status loaded = plugins.load();
  return loaded.ok() ? std::nullopt : std::optional<int>(fail(loaded));
}

void ShapeArguments::add_to(CommandLine& line) {
  line.option("--shapes", shapes, "fixed input shapes, e.g. images:1x3x224x224,other:1x10");
  line.option("--min-shapes", min_shapes, "smallest shapes of dynamic inputs");
  line.option("--opt-shapes", opt_shapes, "typical shapes: tuned and verified for");
  line.option("--max-shapes", max_shapes, "largest shapes");
}

Result<std::map<std::string, Shape>> parse_shapes(const std::string& text) {
  std::map<std::string, Shape> shapes;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view item = std::string_view(text).substr(begin, end - begin);
    const std::size_t colon = item.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return invalid_argument("shapes: expected name:1x3x224x224, found '", item, "'");
    FOVEA_ASSIGN(const Shape shape, parse_shape(item.substr(colon + 1), item));
    shapes[std::string(item.substr(0, colon))] = shape;
    begin = end + 1;
  }
  return shapes;
}

Result<std::map<std::string, ShapeRange>> ShapeArguments::ranges() const {
  if (!shapes.empty() && !(min_shapes + opt_shapes + max_shapes).empty()) {
    return invalid_argument("command line: --shapes fixes shapes; it cannot go together with --min-shapes, --opt-shapes or --max-shapes");
  }
  std::map<std::string, ShapeRange> ranges;
  FOVEA_ASSIGN(const auto fixed, parse_shapes(shapes));
  for (const auto& [name, shape] : fixed) ranges[name] = {shape, shape, shape};
  FOVEA_ASSIGN(const auto low, parse_shapes(min_shapes));
  FOVEA_ASSIGN(const auto typical, parse_shapes(opt_shapes));
  FOVEA_ASSIGN(const auto high, parse_shapes(max_shapes));
  for (const auto& [name, shape] : high) ranges[name] = {shape, shape, shape};
  for (const auto& [name, shape] : typical) {
    ranges[name].opt = shape;
    if (!high.contains(name)) ranges[name].max = ranges[name].min = shape;
  }
  for (const auto& [name, shape] : low) {
    if (!ranges.contains(name)) return invalid_argument("command line: --min-shapes names '", name, "': give --max-shapes for it too");
    ranges[name].min = shape;
  }
  return ranges;
}

void CommonArguments::add_to(CommandLine& line, bool with_json) {
  line.option("--threads", threads, "threads to use; 0: all cores of this process").between(0, 1024);
  plugins.add_to(line);
  line.flag("-v,--verbose", verbose, "say more");
  line.flag("-q,--quiet", quiet, "say only what was asked for");
  if (with_json) line.option("--json", json, "write the figures as JSON to a file, '-' for stdout");
}

Result<bool> is_engine_file(const std::string& file) {
  if (std::filesystem::is_directory(file)) return Status(ErrorCode::NotFound, file + ": expected an .onnx or .fovea file, found a folder");
  std::ifstream in(file, std::ios::binary);
  if (!in) return not_found(file, ": cannot open: no such file, or not readable");
  char magic[6] = {};
  in.read(magic, sizeof magic);
  return std::string_view(magic, 5) == "FOVEA";
}

Result<Engine> load_or_build(const std::string& file, const BuildOptions& options) {
  FOVEA_ASSIGN(const bool engine, is_engine_file(file));
  if (engine) return Engine::load(file);
  FOVEA_ASSIGN(const Model model, import_onnx(file));
  auto built = build(model, options);
  if (!built.ok()) return std::move(built).status().with_context(file);
  return built;
}

Result<std::map<std::string, Tensor>> load_inputs(const Engine& engine, const std::vector<std::string>& arguments,
                                                  const std::map<std::string, Shape>& shapes, std::uint64_t seed) {
  std::map<std::string, Tensor> inputs;
  const Plan& plan = engine.plan();
  const auto declared = [&](const std::string& name) -> const PlanValue* {
    for (int v : plan.inputs) if (plan.values[static_cast<std::size_t>(v)].name == name) return &plan.values[static_cast<std::size_t>(v)];
    return nullptr;
  };
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    const std::string file = equals == std::string::npos ? argument : argument.substr(equals + 1);
    if (equals == std::string::npos && file.ends_with(".npz")) {
      FOVEA_ASSIGN(auto tensors, read_npz(file));
      for (auto& [name, tensor] : tensors) inputs[name] = std::move(tensor);
      continue;
    }
    if (equals == std::string::npos && plan.inputs.size() != 1) return invalid_argument("--input: the network has ", plan.inputs.size(), " inputs; write name=", file);
    const std::string name = equals == std::string::npos ? plan.values[static_cast<std::size_t>(plan.inputs[0])].name : argument.substr(0, equals);
    const PlanValue* value = declared(name);
    if (!value) return invalid_argument("--input: no input named '", name, "'");
    if (is_picture_file(file)) {
      const auto given = shapes.find(name);
      FOVEA_ASSIGN(inputs[name], load_picture_input(engine, name, file, given == shapes.end() ? Shape() : given->second));
      continue;
    }
    FOVEA_ASSIGN(inputs[name], load_tensor(file, name));
  }
  for (const auto& [name, shape] : shapes) {
    if (!declared(name)) return invalid_argument("--shapes: no input named '", name, "'");
  }
  for (const auto& [name, tensor] : inputs) {
    if (!declared(name)) return invalid_argument("--input: no input named '", name, "'");
  }
  Bindings symbols;
  for (int v : plan.inputs) {
    const PlanValue& value = plan.values[static_cast<std::size_t>(v)];
    if (!value.shape) continue;
    for (std::size_t axis = 0; axis < value.shape->size(); ++axis) {
      const Dim& dim = (*value.shape)[axis];
      if (!dim.is_symbol()) continue;
      const auto range = plan.symbols.find(dim.symbol_name());
      std::int64_t extent = range != plan.symbols.end() ? range->second.opt : axis == 0 ? 1 : 320;
      if (const auto given = inputs.find(value.name); given != inputs.end() && static_cast<int>(axis) < given->second.rank()) {
        symbols[dim.symbol_name()] = given->second.dim(static_cast<int>(axis));
        continue;
      }
      if (const auto given = shapes.find(value.name); given != shapes.end() && static_cast<int>(axis) < given->second.rank()) {
        symbols[dim.symbol_name()] = given->second[static_cast<int>(axis)];
        continue;
      }
      symbols.emplace(dim.symbol_name(), extent);
    }
  }
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    const PlanValue& value = plan.values[static_cast<std::size_t>(plan.inputs[i])];
    if (inputs.contains(value.name)) continue;
    if (value.type.kind != ValueType::Kind::Tensor) return unsupported("input '", value.name, "' is not a tensor; give it from C++");
    Shape shape;
    if (const auto given = shapes.find(value.name); given != shapes.end()) {
      shape = given->second;
    } else if (value.shape) {
      FOVEA_ASSIGN(shape, evaluate(*value.shape, symbols));
    } else {
      return invalid_argument("input '", value.name, "': its rank is not known; give --shapes or --input");
    }
    FOVEA_ASSIGN(inputs[value.name], make_sample(value.type.element, shape, seed + i));
  }
  return inputs;
}

std::function<bool(std::string_view, double)> progress_bar(bool quiet) {
  const bool terminal = !quiet && ::isatty(STDERR_FILENO) == 1;
  const auto begin = std::chrono::steady_clock::now();
  return [terminal, begin, shown = false](std::string_view phase, double fraction) mutable {
    if (interrupted()) {
      if (shown) std::fputs("\r\033[K", stderr);
      return false;
    }
    if (!terminal || std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)) return true;
    shown = true;
    const int filled = static_cast<int>(fraction * 30);
    std::fprintf(stderr, "\r\033[K[%.*s%.*s] %3d%% %.*s", filled, "##############################", 30 - filled, "..............................",
                 static_cast<int>(fraction * 100), static_cast<int>(phase.size()), phase.data());
    if (fraction >= 1) std::fputs("\r\033[K", stderr);
    return true;
  };
}

void catch_interrupts() { std::signal(SIGINT, on_interrupt); }

bool interrupted() { return g_interrupts > 0; }

}  // namespace fovea::cli
