// SPDX-License-Identifier: Apache-2.0
// `fovea fuse`: chosen rewrites of an ONNX file, for tools and engines that know the fused operators.
#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "fovea/surgery.h"
#include "ir/graph.h"
#include "passes/fuse_layer_norm.h"
#include "passes/fuse_norm_affine.h"
#include "passes/fuse_sliced_offset.h"
#include "passes/fuse_value_and_offset.h"
#include "passes/infer_shapes.h"
#include "passes/lower_layer_norm.h"
#include "passes/pass_runner.h"

namespace fovea::cli {

namespace {

struct Arguments {
  RewriteArguments files;
  std::string layer_norm;
  bool value_offset = false;
};

constexpr passes::Pass kValueOffset[] = {
    {"fuse_sliced_offset", "DCNv4's value and offset cut out of one tensor", passes::fuse_sliced_offset},
    {"fuse_value_and_offset", "the projections of DCNv4's value and offset", passes::fuse_value_and_offset},
};
constexpr passes::PassGroup kValueOffsetGroup[] = {{"value_offset", kValueOffset, 4}};
constexpr passes::Pass kLayerNorm[] = {
    {"fuse_layer_norm", "LayerNorm in all its spellings", passes::fuse_layer_norm},
    {"fuse_norm_affine", "factor and summand into a normalisation", passes::fuse_norm_affine},
};
constexpr passes::PassGroup kLayerNormGroup[] = {{"layer_norm", kLayerNorm, 4}};

int count(const ir::Graph& graph, std::string_view op) {
  const auto order = graph.topological_order();
  return static_cast<int>(std::count_if(order.begin(), order.end(), [&](ir::NodeId id) { return graph.node(id).op == op; }));
}

Status run(ir::Graph& graph, std::span<const passes::PassGroup> groups) {
  passes::PassOptions options;
  options.refresh = passes::infer_shapes;
  return passes::run_passes(graph, groups, options).status();
}

/// Both rewrites report what they did and what they left, and give the number of what they found.
Result<int> fuse_value_offset(ir::Graph& graph, bool quiet) {
  const int before = count(graph, "custom_op::DCNv4_Plugin");
  FOVEA_RETURN_IF_ERROR(run(graph, kValueOffsetGroup));
  const int left = count(graph, "custom_op::DCNv4_Plugin");
  if (!quiet) std::printf("value and offset: %d of %d DCNv4 operators read one tensor now, %d left\n", before - left, before, left);
  for (const ir::NodeId id : graph.topological_order()) {
    if (!quiet && graph.node(id).op == "custom_op::DCNv4_Plugin") std::printf("  left: %s\n", graph.node(id).name.c_str());
  }
  return before - left;
}

/// Square roots of sums with a small constant look like a normalisation that no pattern took.
int suspected_norms(const ir::Graph& graph) {
  int found = 0;
  for (const ir::NodeId id : graph.topological_order()) {
    const ir::Node& node = graph.node(id);
    const ir::Node* sum = node.op == "Sqrt" && node.has_input(0) ? graph.producer(node.inputs[0]) : nullptr;
    if (!sum || sum->op != "Add") continue;
    found += std::any_of(sum->inputs.begin(), sum->inputs.end(), [&](ir::ValueId value) {
      const ir::Node* mean = graph.producer(value);
      return mean && mean->op == "ReduceMean";
    });
  }
  return found;
}

Result<int> fuse_norms(ir::Graph& graph, const std::string& form, bool quiet) {
  const int native = count(graph, "LayerNormalization");
  FOVEA_RETURN_IF_ERROR(run(graph, kLayerNormGroup));
  const int fused = count(graph, "LayerNormalization"), left = suspected_norms(graph);
  if (!quiet) std::printf("layer norm: %d found (%d were LayerNormalization already), %d that look like one left\n", fused, native, left);
  if (form == "opset17") return fused;
  const passes::LoweredNorms lowered =
      passes::lower_layer_norm(graph, form == "v1" ? passes::LayerNormPlugin::V1 : passes::LayerNormPlugin::V2);
  if (!quiet) {
    std::printf("layer norm: %d as plugin LayerNorm %s with factor and summand behind it\n", lowered.lowered, form.c_str());
    for (const std::string& reason : lowered.left) std::printf("  left: %s\n", reason.c_str());
  }
  return fused;
}

Result<int> fuse_file(const Arguments& arguments) {
  FOVEA_ASSIGN(const Model before, import_onnx(arguments.files.model));
  ir::Graph graph = before.graph();
  // Shape arithmetic of exporters stands between the operators that belong together; simplified, it is gone.
  FOVEA_RETURN_IF_ERROR(run(graph, passes::simplification_passes()));
  int found = 0;
  if (arguments.value_offset) {
    FOVEA_ASSIGN(const int pairs, fuse_value_offset(graph, arguments.files.quiet));
    found += pairs;
  }
  if (!arguments.layer_norm.empty()) {
    FOVEA_ASSIGN(const int norms, fuse_norms(graph, arguments.layer_norm, arguments.files.quiet));
    found += norms;
  }
  if (found == 0) {
    fail(unsupported(arguments.files.model, ": nothing to fuse was found; nothing was written").with_hint("'fovea inspect FILE' lists the operators of a network"));
    return kNo;
  }
  graph.compact();
  return arguments.files.check_and_write(before, Model(std::move(graph)));
}

}  // namespace

int fuse(int argc, char** argv) {
  Arguments arguments;
  CommandLine line("Rewrites chosen parts of an ONNX file as fused operators, after simplifying it, and says what was left.",
                   "fovea fuse dab_detr.onnx -o dab_detr_ln.onnx --layer-norm opset17");
  arguments.files.add_files_to(line);
  line.flag("--value-offset", arguments.value_offset, "DCNv4 reads value and offset from one projection (DCNv4FuseOffset_Plugin)");
  line.option("--layer-norm", arguments.layer_norm, "every spelling of LayerNorm as plugin v1 or v2, or as ONNX's own operator of opset 17")
      .one_of({"v1", "v2", "opset17"});
  arguments.files.add_check_to(line);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!arguments.value_offset && arguments.layer_norm.empty()) {
    return fail(invalid_argument("command line: expected --value-offset or --layer-norm, found neither"));
  }
  const Result<int> result = fuse_file(arguments);
  return result.ok() ? *result : fail(result.status());
}

}  // namespace fovea::cli
