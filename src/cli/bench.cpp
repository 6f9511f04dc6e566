// SPDX-License-Identifier: Apache-2.0
// `fovea bench`: warms up, then times runs; the statistics of trtexec and a JSON twin.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "engine/plan.h"
#include "fovea/session.h"
#include "runtime/thread_count.h"

namespace fovea::cli {

namespace {

using Clock = std::chrono::steady_clock;

struct Arguments {
  std::string network;
  int streams = 1, iterations = 10;
  double duration = 3, warm_up = 0.2;
  bool profile = false;
  std::vector<std::string> inputs;
  std::uint64_t seed = 0;
  ShapeArguments shapes;
  CommonArguments common;
};

struct Figures {
  double throughput = 0, first_run_ms = 0, load_ms = 0;
  std::vector<double> latency_ms;  // sorted
  std::int64_t peak_memory_bytes = 0, planned_bytes = 0;
  std::vector<StepProfile> layers;
  nlohmann::json shapes;
};

double ms_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

double percentile(const std::vector<double>& sorted, double p) {
  const auto rank = static_cast<std::size_t>(p / 100 * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

nlohmann::json statistics(const std::vector<double>& sorted) {
  if (sorted.empty()) return nullptr;
  double sum = 0;
  for (double ms : sorted) sum += ms;
  return {{"min", sorted.front()}, {"max", sorted.back()}, {"mean", sum / static_cast<double>(sorted.size())},
          {"median", percentile(sorted, 50)}, {"p90", percentile(sorted, 90)}, {"p95", percentile(sorted, 95)}, {"p99", percentile(sorted, 99)}};
}

Result<Figures> measure(const Arguments& arguments) {
  Figures figures;
  BuildOptions build_options;
  build_options.threads = arguments.common.threads;
  build_options.progress = progress_bar(arguments.common.quiet);
  FOVEA_ASSIGN(build_options.shapes, arguments.shapes.ranges());
  const auto load_start = Clock::now();
  FOVEA_ASSIGN(const Engine engine, load_or_build(arguments.network, build_options));
  FOVEA_ASSIGN(const auto shapes, parse_shapes(arguments.shapes.shapes));
  FOVEA_ASSIGN(const auto inputs, load_inputs(engine, arguments.inputs, shapes, arguments.seed));
  std::vector<Session> sessions;
  for (int s = 0; s < arguments.streams; ++s) {
    FOVEA_ASSIGN(Session session, Session::create(engine, {arguments.common.threads, 4, arguments.profile}));
    for (const auto& [name, tensor] : inputs) FOVEA_RETURN_IF_ERROR(session.set_input(name, tensor));
    FOVEA_RETURN_IF_ERROR(session.prepare());
    sessions.push_back(std::move(session));
  }
  figures.load_ms = ms_since(load_start);
  for (const auto& [name, tensor] : inputs) figures.shapes[name] = tensor.shape().to_vector();

  const auto first = Clock::now();
  FOVEA_RETURN_IF_ERROR(sessions[0].run());
  figures.first_run_ms = ms_since(first);
  for (const auto start = Clock::now(); ms_since(start) < arguments.warm_up * 1e3;) {
    for (Session& session : sessions) FOVEA_RETURN_IF_ERROR(session.run());
  }

  std::vector<std::vector<double>> times(sessions.size());
  std::vector<Status> errors(sessions.size());
  const auto start = Clock::now();
  const auto loop = [&](std::size_t s) {
    times[s].reserve(1 << 16);
    while ((ms_since(start) < arguments.duration * 1e3 || static_cast<int>(times[s].size()) < arguments.iterations) && !interrupted()) {
      const auto begin = Clock::now();
      errors[s] = sessions[s].run();
      if (!errors[s].ok()) return;
      times[s].push_back(ms_since(begin));
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t s = 1; s < sessions.size(); ++s) threads.emplace_back(loop, s);
  loop(0);
  for (std::thread& thread : threads) thread.join();
  const double seconds = ms_since(start) / 1e3;
  if (interrupted()) return Status(ErrorCode::Cancelled, "bench: cancelled");
  for (const Status& status : errors) FOVEA_RETURN_IF_ERROR(status);
  for (const auto& list : times) figures.latency_ms.insert(figures.latency_ms.end(), list.begin(), list.end());
  std::sort(figures.latency_ms.begin(), figures.latency_ms.end());
  figures.throughput = static_cast<double>(figures.latency_ms.size()) / seconds;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  figures.peak_memory_bytes = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
  figures.planned_bytes = sessions[0].planned_bytes();
  if (arguments.profile) figures.layers = sessions[0].profile();
  return figures;
}

nlohmann::json to_json(const Arguments& arguments, const Figures& figures) {
  const nlohmann::json zero = statistics({0.0});
  nlohmann::json layers = nlohmann::json::array();
  for (const StepProfile& layer : figures.layers) {
    const double seconds = layer.milliseconds / 1e3;
    layers.push_back({{"name", layer.name}, {"op", layer.op}, {"kernel", layer.kernel}, {"ms", layer.milliseconds},
                      {"gflops", seconds > 0 ? layer.flops / seconds / 1e9 : 0}, {"gbps", seconds > 0 ? layer.bytes / seconds / 1e9 : 0}});
  }
  // On the CPU nothing is queued or copied between memories: those figures are zero by nature.
  return {{"model", arguments.network}, {"device", "cpu"}, {"precision", "fp32"}, {"threads", resolve_thread_count(arguments.common.threads)},
          {"shapes", figures.shapes}, {"throughput_qps", figures.throughput}, {"latency_ms", statistics(figures.latency_ms)}, {"enqueue_ms", zero},
          {"h2d_ms", zero}, {"compute_ms", statistics(figures.latency_ms)}, {"d2h_ms", zero}, {"first_run_ms", figures.first_run_ms},
          {"load_ms", figures.load_ms}, {"peak_memory_bytes", figures.peak_memory_bytes}, {"layers", layers}};
}

void print_figures(const Arguments& arguments, const Figures& figures) {
  const auto& t = figures.latency_ms;
  double sum = 0;
  for (double ms : t) sum += ms;
  std::printf("%s on cpu, %d thread%s, %d stream%s\n", arguments.network.c_str(), resolve_thread_count(arguments.common.threads),
              resolve_thread_count(arguments.common.threads) == 1 ? "" : "s", arguments.streams, arguments.streams == 1 ? "" : "s");
  std::printf("throughput: %.2f qps (%zu runs)\n", figures.throughput, t.size());
  std::printf("latency: min = %.4g ms, max = %.4g ms, mean = %.4g ms, median = %.4g ms, p90 = %.4g ms, p95 = %.4g ms, p99 = %.4g ms\n", t.front(), t.back(),
              sum / static_cast<double>(t.size()), percentile(t, 50), percentile(t, 90), percentile(t, 95), percentile(t, 99));
  std::printf("first run: %.4g ms; load: %.4g ms; arena: %.2f MB; peak memory of the process: %.1f MB\n", figures.first_run_ms, figures.load_ms,
              static_cast<double>(figures.planned_bytes) / 1e6, static_cast<double>(figures.peak_memory_bytes) / 1e6);
  if (figures.layers.empty()) return;
  double total = 0;
  for (const StepProfile& layer : figures.layers) total += layer.milliseconds;
  std::printf("\n%10s %6s %9s %8s  %-26s %s\n", "ms", "%", "GFLOP/s", "GB/s", "kernel", "layer");
  for (const StepProfile& layer : figures.layers) {
    const double seconds = layer.milliseconds / 1e3;
    std::printf("%10.4f %6.2f %9.1f %8.2f  %-26s %s (%s)\n", layer.milliseconds, total > 0 ? 100 * layer.milliseconds / total : 0,
                seconds > 0 ? layer.flops / seconds / 1e9 : 0, seconds > 0 ? layer.bytes / seconds / 1e9 : 0, layer.kernel.c_str(), layer.name.c_str(), layer.op.c_str());
  }
}

}  // namespace

int bench(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Times a network: throughput and latency percentiles, by layer with --profile.",
                   "fovea bench net.fovea --threads 2 --duration 5 --profile --json -");
  line.option("network", arguments.network, "engine or ONNX file").required();
  line.option("--streams", arguments.streams, "sessions that run at the same time").between(1, 256);
  line.option("--iterations", arguments.iterations, "at least so many runs per stream").between(1, 100000000);
  line.option("--duration", arguments.duration, "at least so many seconds").zero_or_more();
  line.option("--warm-up", arguments.warm_up, "seconds of runs that do not count").zero_or_more();
  line.flag("--profile", arguments.profile, "time per layer");
  line.option("--input", arguments.inputs, "name=file.(npy|npz|jpg|png), repeatable; others are seeded data");
  line.option("--seed", arguments.seed, "seed of inputs that are not given");
  arguments.shapes.add_to(line);
  arguments.common.add_to(line, true);
  if (const auto code = parse(line, argc, argv, arguments.common.plugins)) return *code;
  catch_interrupts();
  const auto figures = measure(arguments);
  if (!figures.ok()) return fail(figures.status());
  if (arguments.common.json != "-" && !arguments.common.quiet) print_figures(arguments, *figures);
  if (!arguments.common.json.empty()) {
    const Status status = write_json(arguments.common.json, to_json(arguments, *figures).dump(2));
    if (!status.ok()) return fail(status);
  }
  return kDone;
}

}  // namespace fovea::cli
