// SPDX-License-Identifier: Apache-2.0
#include "passes/pass_runner.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "ir/text.h"
#include "ir/verify.h"

namespace fovea::passes {

namespace {

constexpr std::int64_t kDumpedElements = 16;

// Bodies first: what gets constant there can help the node that owns them.
Result<bool> run_everywhere(const Pass& pass, ir::Graph& graph) {
  bool changed = false;
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id) || pass.descends) continue;
    for (ir::Graph& body : graph.node(id).bodies) {
      FOVEA_ASSIGN(const bool body_changed, run_everywhere(pass, body));
      changed = changed || body_changed;
    }
  }
  FOVEA_ASSIGN(const bool here, pass.run(graph));
  return changed || here;
}

int count_nodes(const ir::Graph& graph) {
  int count = graph.num_nodes();
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    for (const ir::Graph& body : graph.node(id).bodies) count += count_nodes(body);
  }
  return count;
}

class Runner {
 public:
  Runner(ir::Graph& graph, const PassOptions& options) : graph_(graph), options_(options) {}

  Status run(const PassGroup& group) {
    for (int round = 0; round < group.max_rounds; ++round) {
      bool changed = false;
      for (const Pass& pass : group.passes) {
        if (std::find(options_.disabled.begin(), options_.disabled.end(), pass.name) != options_.disabled.end())
          continue;
        if (options_.stop_after >= 0 && report.executed >= options_.stop_after) return {};
        FOVEA_ASSIGN(const bool this_changed, run(pass));
        changed = changed || this_changed;
      }
      if (!changed) return {};
    }
    return {};
  }

  Status refresh(std::string_view after) {
    if (!options_.refresh) return {};
    return options_.refresh(graph_).with_context(str_cat("shape inference after ", after));
  }

  PassReport report;

 private:
  Result<bool> run(const Pass& pass) {
    PassRun& record = record_of(pass);
    const int nodes_before = count_nodes(graph_);
    const auto start = std::chrono::steady_clock::now();
    auto changed = run_everywhere(pass, graph_);
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    if (!changed.ok()) return std::move(changed).status().with_context(str_cat("pass ", pass.name));
    ++report.executed;
    ++record.runs;
    record.changes += *changed ? 1 : 0;
    record.milliseconds += elapsed.count();
    if (*changed) {
      record.nodes_removed += nodes_before - count_nodes(graph_);
      if (options_.verify)
        FOVEA_RETURN_IF_ERROR(ir::verify(graph_).with_context(str_cat("pass ", pass.name, " left a broken graph")));
      FOVEA_RETURN_IF_ERROR(refresh(str_cat("pass ", pass.name)));
    }
    if (options_.dump)
      options_.dump(pass.name, *changed ? ir::print(graph_, {true, true, kDumpedElements}) : "(unchanged)\n");
    return changed;
  }

  PassRun& record_of(const Pass& pass) {
    for (PassRun& record : report.passes) {
      if (record.name == pass.name) return record;
    }
    report.passes.push_back({});
    report.passes.back().name = std::string(pass.name);
    return report.passes.back();
  }

  ir::Graph& graph_;
  const PassOptions& options_;
};

}  // namespace

Result<PassReport> run_passes(ir::Graph& graph, std::span<const PassGroup> groups, const PassOptions& options) {
  for (const std::string& name : options.disabled) {
    if (!find_pass(name)) return Status(ErrorCode::InvalidArgument, str_cat("no pass is named '", name, "'"));
  }
  Runner runner(graph, options);
  FOVEA_RETURN_IF_ERROR(runner.refresh("import"));
  for (const PassGroup& group : groups) FOVEA_RETURN_IF_ERROR(runner.run(group));
  return std::move(runner.report);
}

}  // namespace fovea::passes
