// SPDX-License-Identifier: Apache-2.0
// Thousands of damaged models and engines: each must end in a Status. Built with AddressSanitizer and UBSan by the
// tests (tests/errors/CMakeLists.txt); a crash, a hang or an absurd allocation prints the mutant's number, and
// `mutation_test --only NUMBER` repeats it; with `--dump FILE` it also writes the mutant.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/file.h"
#include "engine/plan_file.h"
#include "errors/mutate.h"
#include "errors/mutate_plan.h"
#include "fovea/fovea.h"
#include "passes/infer_shapes.h"
#include "support/engine_bytes.h"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __sanitizer_set_death_callback(void (*)());
#endif

namespace fovea::test {
namespace {

constexpr unsigned kHangSeconds = 60;
constexpr const char* kModels[] = {"classifier.onnx", "control_flow.onnx", "detector.onnx"};

std::uint64_t g_number = 0;  // of the mutant at work
const char* g_what = "";

void say_which() {
  char text[160];
  const int length = std::snprintf(text, sizeof text, "\nmutant %llu (%s); repeat it with --only %llu\n", static_cast<unsigned long long>(g_number),
                                   g_what, static_cast<unsigned long long>(g_number));
  static_cast<void>(!::write(2, text, static_cast<std::size_t>(length)));
}

void on_signal(int) {
  say_which();
  ::_exit(1);
}

struct Counts {
  std::uint64_t models = 0, imported = 0, built = 0, engines = 0, loaded = 0, ran = 0;
};

/// Extents for inputs that leave them open; nothing to learn from large ones.
Result<Tensor> small_input(const TensorInfo& info) {
  Shape shape;
  for (const std::string& extent : info.shape) {
    const long value = std::strtol(extent.c_str(), nullptr, 10);
    shape.push_back(value > 0 ? value : shape.rank() == 0 ? 1 : 16);
  }
  FOVEA_RETURN_IF_ERROR(shape.rank() > 6 ? unsupported("rank") : Status());
  double elements = 1;
  for (std::int64_t extent : shape) elements *= static_cast<double>(extent);
  if (elements > 1e6) return unsupported("large");
  return Tensor::allocate(info.type, shape);
}

bool has_bodies(const Plan& plan) { return !plan.bodies.empty(); }

/// Prepares and runs, unless control flow could make that endless.
Status run(const Engine& engine) {
  FOVEA_ASSIGN(Session session, Session::create(engine, {.threads = 1}));
  for (const TensorInfo& info : engine.inputs()) {
    FOVEA_ASSIGN(const Tensor tensor, small_input(info));
    FOVEA_RETURN_IF_ERROR(session.set_input(info.name, tensor));
  }
  FOVEA_RETURN_IF_ERROR(session.prepare());
  if (session.planned_bytes() > (std::int64_t{256} << 20)) return unsupported("large");
  return has_bodies(engine.plan()) ? Status() : session.run();
}

class MutationTest {
 public:
  Status load_seeds(const std::filesystem::path& folder) {
    for (const char* name : kModels) {
      FOVEA_ASSIGN(const std::string text, read_file(folder / name));
      const auto bytes = std::as_bytes(std::span(text));
      models_.emplace_back(bytes.begin(), bytes.end());
      FOVEA_ASSIGN(const Model model, import_onnx(bytes));
      FOVEA_ASSIGN(const Engine engine, build(model, options()));
      const Status ran = run(engine);
      if (!ran.ok()) return ran;
      FOVEA_ASSIGN(Bytes engine_bytes, engine::write_plan(engine.plan()));
      engines_.push_back(std::move(engine_bytes));
    }
    return {};
  }

  void run_mutant(std::uint64_t number) {
    g_number = number;
    ::alarm(kHangSeconds);
    Mutator mutator(number * 0x9e3779b97f4a7c15ull + 1);
    const std::size_t which = number / 2 % models_.size();
    if (number % 2 == 0) {
      g_what = kModels[which];
      try_model(mutator.mutate(models_[which]));
    } else {
      g_what = "engine";
      try_engine(damaged_engine(mutator, engines_[which]));
    }
    ::alarm(0);
  }

  const Counts& counts() const { return counts_; }
  void dump_to(std::string file) { dump_ = std::move(file); }

 private:
  static BuildOptions options() {
    BuildOptions options;
    options.threads = 1;
    options.tuning = Tuning::None;
    options.verify = false;
    return options;
  }

  void try_model(const Bytes& bytes) {
    ++counts_.models;
    dump(bytes);
    const auto model = import_onnx(bytes, {.max_weight_bytes = std::int64_t{64} << 20});
    if (!model.ok()) return;
    ++counts_.imported;
    if (asks_for_much(model->graph())) return;
    const auto engine = build(*model, options());
    if (!engine.ok()) return;
    ++counts_.built;
    static_cast<void>(run(*engine).ok());
  }

  /// A billion pixels of padding are well-defined: such models are not built, they only take time.
  static bool asks_for_much(ir::Graph graph) {
    if (!passes::infer_shapes(graph).ok()) return false;
    for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
      const auto shape = graph.value(id).shape ? to_concrete(*graph.value(id).shape) : std::nullopt;
      double elements = 1;
      for (std::int64_t extent : shape.value_or(Shape())) elements *= static_cast<double>(extent);
      if (elements > 4e6) return true;
    }
    return false;
  }

  /// A quarter keeps its wrong hashes, a quarter is damaged behind right ones, half are well-formed nonsense.
  Bytes damaged_engine(Mutator& mutator, const Bytes& engine) {
    const std::uint64_t kind = mutator.below(4);
    if (kind == 0) return mutator.mutate(engine);
    if (kind > 1) {
      Plan plan = Engine::load(engine).value().plan();
      PlanMutator(mutator).mutate(plan);
      const auto bytes = engine::write_plan_unchecked(plan);
      return bytes.ok() ? *bytes : engine;
    }
    const auto [offset, size] = section_of(engine, 0);
    Bytes bytes = mutator.mutate(engine, offset, offset + size);
    if (bytes.size() != engine.size()) bytes.resize(engine.size());  // the table's offsets stay right
    rehash(bytes);
    return bytes;
  }

  void dump(const Bytes& bytes) const {
    const std::span<const std::byte> piece(bytes);
    if (!dump_.empty()) static_cast<void>(write_file_atomically(dump_, std::span(&piece, 1)).ok());
  }

  void try_engine(const Bytes& bytes) {
    ++counts_.engines;
    dump(bytes);
    const auto engine = Engine::load(bytes);
    if (!engine.ok()) return;
    ++counts_.loaded;
    counts_.ran += run(*engine).ok() ? 1 : 0;
  }

  std::vector<Bytes> models_, engines_;
  Counts counts_;
  std::string dump_;
};

int run_all(double seconds, std::uint64_t first, bool only, const char* dump) {
  MutationTest test;
  test.dump_to(dump);
  const Status status = test.load_seeds(FOVEA_TEST_MODELS);
  if (!status.ok()) {
    std::fprintf(stderr, "error: %s\n", status.to_string().c_str());
    return 1;
  }
  ::signal(SIGALRM, on_signal);
  ::signal(SIGABRT, on_signal);
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_set_death_callback(say_which);
#else
  ::signal(SIGSEGV, on_signal);
#endif
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::uint64_t number = first;
  double slowest = 0;
  std::uint64_t slowest_number = 0;
  do {
    const double before = elapsed();
    test.run_mutant(number);
    if (elapsed() - before > slowest) slowest = elapsed() - before, slowest_number = number;
    ++number;
  } while (!only && elapsed() < seconds);
  const Counts& c = test.counts();
  std::printf("%llu mutants of models: %llu imported, %llu built; %llu of engines: %llu loaded, %llu ran; %.0f s, the slowest (%llu) %.1f s\n",
              static_cast<unsigned long long>(c.models), static_cast<unsigned long long>(c.imported), static_cast<unsigned long long>(c.built),
              static_cast<unsigned long long>(c.engines), static_cast<unsigned long long>(c.loaded), static_cast<unsigned long long>(c.ran), elapsed(),
              static_cast<unsigned long long>(slowest_number), slowest);
  if (!only && c.models + c.engines < 2000) {
    std::fprintf(stderr, "error: fewer than 2000 mutants in %.0f s\n", seconds);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace fovea::test

int main(int argc, char** argv) {
  double seconds = 10;
  unsigned long long first = 0;
  bool only = false;
  const char* dump = "";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::atof(argv[i + 1]);
    if (std::strcmp(argv[i], "--dump") == 0) dump = argv[i + 1];
    if (std::strcmp(argv[i], "--first") == 0) first = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--only") == 0) first = std::strtoull(argv[i + 1], nullptr, 10), only = true;
  }
  return fovea::test::run_all(seconds, first, only, dump);
}
