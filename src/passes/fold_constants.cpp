// SPDX-License-Identifier: Apache-2.0
#include "passes/fold_constants.h"

#include <algorithm>

#include "base/checked_math.h"
#include "ops/kernel_context.h"
#include "ops/schema.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

constexpr std::int64_t kAlwaysSmall = std::int64_t{16} << 20, kHeavyInput = std::int64_t{1} << 20;

std::int64_t input_bytes(const Graph& graph, const Node& node) {
  std::int64_t bytes = 0;
  for (ValueId input : node.inputs) {
    if (input != kNone) bytes += static_cast<std::int64_t>(graph.value(input).constant.bytes());
  }
  return bytes;
}

// A tiny input can ask for any amount of memory, so the result's shape must be known, or never larger than the input.
bool results_are_small(const Graph& graph, const Node& node) {
  const std::int64_t given = input_bytes(graph, node);
  for (ValueId output : node.outputs) {
    if (output == kNone) continue;
    const auto shape = concrete_shape_of(graph, output);
    if (!shape && is_any(node.op, {"NonZero", "Unique", "Compress", "NonMaxSuppression"}) && given <= kHeavyInput)
      continue;
    const auto elements =
        shape ? checked_elements(shape->dims()) : Result<std::int64_t>(Status(ErrorCode::Unsupported, ""));
    std::int64_t bytes = 0;
    if (!elements.ok() || !checked_mul(*elements, static_cast<std::int64_t>(size_of(type_of(graph, output))), bytes))
      return false;
    if (bytes > std::max(kAlwaysSmall, 4 * given)) return false;
  }
  return true;
}

// Reference kernels are plain loops: a large product would take minutes here and runs tuned later.
bool is_quick(const Graph& graph, const Node& node) {
  const bool heavy = is_any(node.op, {"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "DeformConv", "MatMul",
                                      "MatMulInteger", "QLinearMatMul", "Gemm", "Einsum", "LSTM", "GRU", "RNN", "DFT",
                                      "STFT", "Attention", "fovea::conv", "fovea::matmul"});
  return !heavy || input_bytes(graph, node) <= kHeavyInput;
}

bool can_fold(const Graph& graph, const Node& node) {
  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  if (!schema || !ops::find_reference(node.op)) return false;
  if ((schema->traits & (ops::kNonDeterministic | ops::kHasBodies)) || !node.bodies.empty()) return false;
  for (ValueId output : node.outputs) {
    if (output != kNone && graph.value(output).type.kind != ValueType::Kind::Tensor) return false;
  }
  const auto is_given = [&](ValueId v) { return v == kNone || graph.value(v).is_constant(); };
  return std::all_of(node.inputs.begin(), node.inputs.end(), is_given) && results_are_small(graph, node) &&
         is_quick(graph, node);
}

// Values of a failed or sequence-valued run stay as they are: the node then reports at run time.
bool fold(Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<Datum> inputs, outputs(node.outputs.size());
  for (ValueId input : node.inputs) inputs.push_back(input == kNone ? Datum() : Datum(graph.value(input).constant));
  ops::KernelContext context(node.op, node.attributes, inputs, outputs);
  if (!ops::find_reference(node.op)(context).ok()) return false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] != kNone && outputs[i].kind != Datum::Kind::Tensor) return false;
  }
  const std::vector<ValueId> results = node.outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] != kNone) graph.make_constant(results[i], outputs[i].tensor);
  }
  graph.remove_node(id);
  return true;
}

Result<bool> fold_all(Graph& graph, bool keep_quantized) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (keep_quantized && graph.node(id).op == "DequantizeLinear") continue;
    if (can_fold(graph, graph.node(id))) changed = fold(graph, id) || changed;
  }
  return changed;
}

}  // namespace

Result<bool> fold_constants(Graph& graph) { return fold_all(graph, false); }
Result<bool> fold_constants_keep_quantized(Graph& graph) { return fold_all(graph, true); }

}  // namespace fovea::passes
