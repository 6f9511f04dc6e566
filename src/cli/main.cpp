// SPDX-License-Identifier: Apache-2.0
// The command `fovea`: one row per sub-command.
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/guard.h"
#include "cli/command.h"

namespace {

using fovea::cli::Command;

constexpr Command kCommands[] = {
    {"bench", "time a network: throughput, latency percentiles, by layer", fovea::cli::bench},
    {"build", "ONNX in, tuned and verified engine file out", fovea::cli::build},
    {"compare", "engines against the reference kernels on the same inputs", fovea::cli::compare},
    {"conformance", "run ONNX test folders", fovea::cli::conformance},
    {"doctor", "devices and libraries found, reasons for what is absent", fovea::cli::doctor},
    {"fuse", "chosen rewrites of an ONNX file: DCNv4's value and offset, LayerNorm", fovea::cli::fuse},
    {"inspect", "what is inside an ONNX file or an engine", fovea::cli::inspect},
    {"ops", "the operators, their types and kernels", fovea::cli::ops},
    {"predict", "pictures in, detections, labels or masks out", fovea::cli::predict},
    {"run", "run a network once", fovea::cli::run},
    {"simplify", "fold away what is known: ONNX in, ONNX out", fovea::cli::simplify},
    {"split", "cut a network at tensors into several ONNX files", fovea::cli::split},
    {"surgeon", "edit an ONNX file: extract, rename, fix shapes, remove outputs", fovea::cli::surgeon},
    {"val", "score a network on pictures whose answers are known", fovea::cli::val},
};

void print_help(std::FILE* out) {
  std::fputs("Usage: fovea COMMAND [OPTIONS]\n\n", out);
  for (const Command& command : kCommands) std::fprintf(out, "  %-12s %s\n", command.name, command.help);
  std::fputs("\n'fovea COMMAND --help' shows a command's options with an example.\n", out);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is a failed write with a message, not a sudden death
  if (argc < 2) {
    print_help(stderr);
    return fovea::cli::kUsage;
  }
  const char* name = argv[1];
  if (std::strcmp(name, "--help") == 0 || std::strcmp(name, "-h") == 0) {
    print_help(stdout);
    return fovea::cli::kDone;
  }
  if (std::strcmp(name, "--version") == 0) {
    std::puts("fovea " FOVEA_VERSION);
    return fovea::cli::kDone;
  }
  for (const Command& command : kCommands) {
    if (std::strcmp(command.name, name) != 0) continue;
    const auto code = fovea::guarded([&]() -> fovea::Result<int> { return command.run(argc - 1, argv + 1); });
    return fovea::cli::finish(code.ok() ? *code : fovea::cli::fail(code.status()));
  }
  return fovea::cli::fail(fovea::Status(fovea::ErrorCode::InvalidArgument, std::string("command line: unknown command '") + name + "'",
                                        "'fovea --help' lists the commands"));
}
