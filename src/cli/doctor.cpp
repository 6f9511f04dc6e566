// SPDX-License-Identifier: Apache-2.0
// `fovea doctor`: what this machine and this build offer, with a reason for what is absent.
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <google/protobuf/stubs/common.h>
#include <nlohmann/json.hpp>
#include <oneapi/dnnl/dnnl.hpp>
#include <sodium.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/load_plugin.h"
#include "ops/schema.h"
#include "runtime/thread_count.h"

namespace fovea::cli {

namespace {

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string isa_name() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::avx512_core_amx: return "AVX-512 with AMX";
    case dnnl::cpu_isa::avx512_core_bf16: return "AVX-512 with BF16";
    case dnnl::cpu_isa::avx512_core_vnni: return "AVX-512 with VNNI";
    case dnnl::cpu_isa::avx512_core: return "AVX-512";
    case dnnl::cpu_isa::avx2_vnni: return "AVX2 with VNNI";
    case dnnl::cpu_isa::avx2: return "AVX2";
    case dnnl::cpu_isa::avx: return "AVX";
    default: return "SSE4.1";
  }
}

std::string version(int number) {  // 3021012 -> 3.21.12
  return std::to_string(number / 1000000) + "." + std::to_string(number / 1000 % 1000) + "." + std::to_string(number % 1000);
}

}  // namespace

int doctor(int argc, char** argv) {
  std::string json;
  PluginArguments plugins;
  CommandLine line("Lists devices and libraries found, with versions, and why something is absent.", "fovea doctor --json -");
  line.option("--json", json, "write the facts as JSON to a file, '-' for stdout");
  plugins.add_to(line);
  if (const auto code = parse(line, argc, argv, plugins)) return *code;
  const dnnl_version_t* onednn = dnnl_version();
  const std::string onednn_version = std::to_string(onednn->major) + "." + std::to_string(onednn->minor) + "." + std::to_string(onednn->patch);
  const double memory_gb = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE)) / 1e9;
  nlohmann::json facts = {
      {"version", FOVEA_VERSION},
      {"devices",
       {{{"name", "cpu"}, {"available", true}, {"model", cpu_name()}, {"isa", isa_name()}, {"cores", resolve_thread_count(0)}, {"memory_gb", memory_gb}},
        {{"name", "cuda"}, {"available", false}, {"reason", "this version has no CUDA backend"}},
        {{"name", "dla"}, {"available", false}, {"reason", "this version has no DLA backend"}}}},
      {"libraries",
       {{"onednn", onednn_version}, {"protobuf", version(GOOGLE_PROTOBUF_VERSION)}, {"libsodium", sodium_version_string()}}},
      {"operators", ops::all_schemas().size()}};
  for (const PluginInfo& plugin : loaded_plugins()) {
    facts["plugins"].push_back({{"name", plugin.name}, {"library", plugin.library.string()}, {"operators", plugin.operators.size()}});
  }
  if (!json.empty()) {
    const Status status = write_json(json, facts.dump(2));
    if (!status.ok()) return fail(status);
    if (json == "-") return kDone;
  }
  std::printf("fovea %s, %zu operators\n", FOVEA_VERSION, ops::all_schemas().size());
  for (const auto& device : facts["devices"]) {
    if (device["available"].get<bool>()) {
      std::printf("  %-5s %s, %s, %d cores, %.1f GB\n", device["name"].get<std::string>().c_str(), device["model"].get<std::string>().c_str(),
                  device["isa"].get<std::string>().c_str(), device["cores"].get<int>(), device["memory_gb"].get<double>());
    } else {
      std::printf("  %-5s not available: %s\n", device["name"].get<std::string>().c_str(), device["reason"].get<std::string>().c_str());
    }
  }
  for (const auto& [library, text] : facts["libraries"].items()) std::printf("  %-10s %s\n", library.c_str(), text.get<std::string>().c_str());
  for (const PluginInfo& plugin : loaded_plugins()) {
    std::printf("  %-10s plugin, %zu operator%s, %s\n", plugin.name.c_str(), plugin.operators.size(), plugin.operators.size() == 1 ? "" : "s", plugin.library.c_str());
  }
  return kDone;
}

}  // namespace fovea::cli
