// SPDX-License-Identifier: Apache-2.0
// Runs the models of hostile_nodes.py through the whole road (import, build, session) in one process, under
// AddressSanitizer and UBSan. Each must end in a Status whose message names the node; what is nonsense must be refused.
// `hostile_nodes_test FOLDER [NUMBER]`; NUMBER is the only one to run.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/npz.h"
#include "fovea/fovea.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*)());
#endif

namespace fovea::test {
namespace {

namespace fs = std::filesystem;

constexpr unsigned kHangSeconds = 60;
constexpr std::int64_t kLargeBytes = std::int64_t{256} << 20;
constexpr const char* kNode = "hostile_node";

std::string g_line;  // of the list, at work

void say_which() {
  static_cast<void>(!::write(2, "\nat ", 4));
  static_cast<void>(!::write(2, g_line.data(), g_line.size()));
  static_cast<void>(!::write(2, "\n", 1));
}

void on_signal(int) {
  say_which();
  ::_exit(1);
}

struct Outcome {
  Status status;       ///< of the step that failed, if one did
  bool ran = false;    ///< false also where it was only built, or asks for much memory
};

Status run(const Engine& engine, const NamedTensors& inputs, bool& ran) {
  FOVEA_ASSIGN(Session session, Session::create(engine, {.threads = 2}));
  for (const TensorInfo& info : engine.inputs()) {
    const auto found = inputs.find(info.name);
    if (found == inputs.end()) return not_found(info.name);
    FOVEA_RETURN_IF_ERROR(session.set_input(info.name, found->second));
  }
  FOVEA_RETURN_IF_ERROR(session.prepare());
  if (session.planned_bytes() > kLargeBytes) return {};
  ran = true;
  return session.run();
}

Outcome try_model(const fs::path& stem) {
  Outcome outcome;
  const auto model = import_onnx(stem.string() + ".onnx");
  if (!model.ok()) return outcome.status = model.status(), outcome;
  BuildOptions options;
  options.threads = 2;
  options.tuning = Tuning::None;
  options.verify = false;
  const auto engine = build(*model, options);
  if (!engine.ok()) return outcome.status = engine.status(), outcome;
  if (!fs::exists(stem.string() + ".npz")) return outcome;
  const auto inputs = read_npz(stem.string() + ".npz");
  outcome.status = inputs.ok() ? run(*engine, *inputs, outcome.ran) : inputs.status();
  return outcome;
}

/// Empty if all is well.
std::string complaint(const std::string& expected, const Outcome& outcome) {
  if (outcome.status.ok()) return expected.starts_with("refused") ? "accepted" : "";
  const std::string& message = outcome.status.message();
  if (outcome.status.code() == ErrorCode::Internal) return "internal error: " + message;
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
    ::alarm(kHangSeconds);
    const Outcome outcome = try_model(folder / number);
    ::alarm(0);
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
  ::signal(SIGALRM, fovea::test::on_signal);
  ::signal(SIGABRT, fovea::test::on_signal);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(fovea::test::say_which);
#else
  ::signal(SIGSEGV, fovea::test::on_signal);
  ::signal(SIGFPE, fovea::test::on_signal);
#endif
  return fovea::test::run_all(argv[1], argc > 2 ? argv[2] : "");
}
