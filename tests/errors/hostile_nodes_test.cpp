// SPDX-License-Identifier: Apache-2.0
// Runs the models of hostile_nodes.py through the whole road (import, build, session) in one process, under
// AddressSanitizer and UBSan. Each must end in a Status whose message names the node; what is nonsense must be refused.
// `hostile_nodes_test FOLDER [NUMBER]`; NUMBER is the only one to run.
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/npz.h"
#include "compiler/compile.h"
#include "fovea/fovea.h"
#include "ir/graph.h"
#include "passes/infer_shapes.h"
#include "runtime/executor.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*)());
#endif

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

constexpr long kHangSeconds = 30;  // of processor time: the machine may be busy with other tests
constexpr double kLargeElements = 4e6;
constexpr const char* kNode = "hostile_node";

std::string g_line;  // of the list, at work

void say_which() {
  static_cast<void>(!::write(2, "\nat ", 4));
  static_cast<void>(!::write(2, g_line.data(), g_line.size()));
  static_cast<void>(!::write(2, "\n", 1));
}

void set_alarm(long seconds) {
  const itimerval when{{0, 0}, {seconds, 0}};
  ::setitimer(ITIMER_PROF, &when, nullptr);
}

void on_signal(int) {
  say_which();
  ::_exit(1);
}

struct Outcome {
  Status status;     ///< of the step that failed, if one did
  bool ran = false;  ///< false also where it was only built or imported
};

/// A region of a billion bins is well-defined: such models are only imported, they take time.
bool asks_for_much(ir::Graph graph) {
  if (!passes::infer_shapes(graph).ok()) return false;
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
    const auto shape = graph.value(id).shape ? to_concrete(*graph.value(id).shape) : std::nullopt;
    double elements = 1;
    for (std::int64_t extent : shape.value_or(Shape())) elements *= static_cast<double>(extent);
    if (elements > kLargeElements) return true;
  }
  return false;
}

Status run(const ir::Graph& graph, const BuildOptions& options, const NamedTensors& named, bool& ran) {
  std::vector<Datum> inputs;
  for (ir::ValueId id : graph.inputs) inputs.emplace_back(named.at(graph.value(id).name));
  if (asks_for_much(graph)) return {};
  FOVEA_ASSIGN(const Plan plan, compiler::compile(graph, options, &inputs));
  Executor executor(plan, {options.threads});
  ran = true;
  return executor.run(inputs);
}

Outcome try_model(const fs::path& stem) {
  Outcome outcome;
  BuildOptions options;
  options.threads = 2;
  options.tuning = Tuning::None;
  options.verify = false;
  const auto model = import_onnx(stem.string() + ".onnx");
  if (!model.ok()) return outcome.status = model.status(), outcome;
  if (!fs::exists(stem.string() + ".npz")) return outcome.status = build(*model, options).status(), outcome;
  const auto inputs = read_npz(stem.string() + ".npz");
  outcome.status = inputs.ok() ? run(model->graph(), options, *inputs, outcome.ran) : inputs.status();
  return outcome;
}

/// Empty if all is well.
std::string complaint(const std::string& expected, const Outcome& outcome) {
  if (outcome.status.ok()) return expected.starts_with("refused") ? "accepted" : "";
  const std::string& message = outcome.status.message();
  if (outcome.status.code() == ErrorCode::Internal) return "internal error: " + message;
  if (message.find("tensor: ") == 0) return "";  // an input that fits into no memory
  if (message.find(kNode) == std::string::npos) return "does not name the node: " + message;
  const std::string attribute = expected.starts_with("refused:") ? expected.substr(8) : "";
  if (message.find(attribute) == std::string::npos) return "does not name the attribute: " + message;
  return "";
}

int run_all(const fs::path& folder, const std::string& only) {
  std::ifstream list(folder / "list.txt");
  int models = 0, refused = 0, ran = 0, wrong = 0;
  for (std::string line; std::getline(list, line);) {
    const std::string number = line.substr(0, line.find(' '));
    if (!only.empty() && number != only) continue;
    const std::size_t start = number.size() + 1, end = line.find(' ', start);
    g_line = line;
    set_alarm(kHangSeconds);
    const Outcome outcome = try_model(folder / number);
    set_alarm(0);
    ++models;
    refused += outcome.status.ok() ? 0 : 1;
    ran += outcome.ran && outcome.status.ok() ? 1 : 0;
    if (const std::string text = complaint(line.substr(start, end - start), outcome); !text.empty()) {
      ++wrong;
      std::printf("FAIL %s\n     %s\n", line.c_str(), text.c_str());
    } else if (!only.empty()) {
      std::printf("%s\n", outcome.status.ok() ? "accepted" : outcome.status.message().c_str());
    }
    std::fflush(stdout);
  }
  std::printf("%d models: %d refused, %d ran, %d wrong\n", models, refused, ran, wrong);
  return wrong == 0 && (models > 1000 || !only.empty()) ? 0 : 1;
}

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  ::signal(SIGPROF, fovea::test::on_signal);
  ::signal(SIGABRT, fovea::test::on_signal);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(fovea::test::say_which);
#else
  ::signal(SIGSEGV, fovea::test::on_signal);
  ::signal(SIGFPE, fovea::test::on_signal);
#endif
  return fovea::test::run_all(argv[1], argc > 2 ? argv[2] : "");
}
