// SPDX-License-Identifier: Apache-2.0
// `fovea run`: runs a network once and shows or saves its outputs.
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/check.h"
#include "base/file.h"
#include "base/npz.h"
#include "base/number_reader.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/session.h"

namespace fovea::cli {

namespace {

struct Arguments {
  std::string network, output;
  std::vector<std::string> inputs;
  std::uint64_t seed = 0;
  ShapeArguments shapes;
  CommonArguments common;
};

void print_tensor(const std::string& name, const Tensor& tensor) {
  double low = std::numeric_limits<double>::infinity(), high = -low, sum = 0;
  const std::int64_t count = tensor.type() == DataType::string ? 0 : tensor.elements();
  for (std::int64_t i = 0; i < count; ++i) {
    const double value = read_number(tensor, i);
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  std::printf("%s: %s %s", name.c_str(), std::string(fovea::name(tensor.type())).c_str(), tensor.shape().to_string().c_str());
  if (count > 0) std::printf("  min %.6g  mean %.6g  max %.6g", low, sum / static_cast<double>(count), high);
  std::printf("\n");
}

Status run_network(const Arguments& arguments) {
  BuildOptions build_options;
  build_options.threads = arguments.common.threads;
  build_options.progress = progress_bar(arguments.common.quiet);
  if (!arguments.output.empty()) FOVEA_RETURN_IF_ERROR(check_writable(arguments.output));
  FOVEA_ASSIGN(build_options.shapes, arguments.shapes.ranges());
  FOVEA_ASSIGN(const Engine engine, load_or_build(arguments.network, build_options));
  FOVEA_ASSIGN(const auto shapes, parse_shapes(arguments.shapes.shapes));
  FOVEA_ASSIGN(const auto inputs, load_inputs(engine, arguments.inputs, shapes, arguments.seed));
  FOVEA_ASSIGN(Session session, Session::create(engine, {arguments.common.threads}));
  for (const auto& [name, tensor] : inputs) FOVEA_RETURN_IF_ERROR(session.set_input(name, tensor));
  FOVEA_RETURN_IF_ERROR(session.run());
  std::map<std::string, Tensor> outputs;
  for (const TensorInfo& info : engine.outputs()) {
    FOVEA_ASSIGN(const Tensor tensor, session.output(info.name));
    if (!arguments.common.quiet) print_tensor(info.name, tensor);
    outputs[info.name] = tensor;
  }
  if (!arguments.output.empty()) FOVEA_RETURN_IF_ERROR(write_npz(arguments.output, outputs));
  return {};
}

}  // namespace

int run(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Runs an engine or an ONNX file once and prints shape, type, min, mean and max of each output.",
                   "fovea run net.fovea --input images=photo.jpg --output out.npz");
  line.option("network", arguments.network, "engine or ONNX file").required();
  line.option("--input", arguments.inputs, "name=file.(npy|npz|jpg|png), repeatable; others are seeded data");
  line.option("--output", arguments.output, "write the outputs to this npz file");
  line.option("--seed", arguments.seed, "seed of inputs that are not given");
  arguments.shapes.add_to(line);
  arguments.common.add_to(line, false);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  catch_interrupts();
  const Status status = run_network(arguments);
  return status.ok() ? kDone : fail(status);
}

}  // namespace fovea::cli
