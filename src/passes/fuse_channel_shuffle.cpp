// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_channel_shuffle.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "ops/kernel_context.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// Shuffles have three to five steps; the limits keep odd graphs from costing minutes.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 20;
constexpr std::size_t kMaxSteps = 8;

// Moves elements of its first input as constants say.
bool is_movement(const Graph& graph, const Node& node) {
  constexpr std::string_view kMoves[] = {"Reshape",   "Flatten", "Transpose", "Squeeze",
                                         "Unsqueeze", "Slice",   "Gather",    "Split"};
  if (std::find(std::begin(kMoves), std::end(kMoves), node.op) == std::end(kMoves)) return false;
  return std::all_of(node.inputs.begin() + 1, node.inputs.end(),
                     [&](ValueId v) { return v == kNone || constant_of(graph, v); });
}

struct Chain {
  ValueId x = kNone;
  std::vector<NodeId> nodes;  // first to last
};

// The longest chain of movement that ends in `value`.
Chain chain_to(const Graph& graph, ValueId value) {
  Chain chain{value, {}};
  while (chain.nodes.size() < kMaxSteps) {
    const NodeId id = graph.value(chain.x).producer;
    if (id == kNone || !is_movement(graph, graph.node(id))) break;
    chain.nodes.insert(chain.nodes.begin(), id);
    chain.x = graph.node(id).inputs[0];
  }
  return chain;
}

bool has_transpose(const Graph& graph, const Chain& chain) {
  return std::any_of(chain.nodes.begin(), chain.nodes.end(),
                     [&](NodeId id) { return graph.node(id).op == "Transpose"; });
}

// The chain applied to 0, 1, 2 ... in the shape of x.
std::optional<Tensor> run_on_numbers(const Graph& graph, const Chain& chain, ValueId end, const Shape& shape) {
  if (shape.elements() > kMaxElements) return std::nullopt;
  auto numbers = Tensor::allocate(DataType::i32, shape);
  if (!numbers.ok()) return std::nullopt;
  std::iota(numbers->data<std::int32_t>(), numbers->data<std::int32_t>() + shape.elements(), 0);
  Datum current(*numbers);
  for (std::size_t step = 0; step < chain.nodes.size(); ++step) {
    const Node& node = graph.node(chain.nodes[step]);
    const ops::ReferenceKernel kernel = ops::find_reference(node.op);
    std::vector<Datum> inputs = {current}, outputs(node.outputs.size());
    for (std::size_t i = 1; i < node.inputs.size(); ++i)
      inputs.push_back(node.inputs[i] == kNone ? Datum() : Datum(graph.value(node.inputs[i]).constant));
    ops::KernelContext context(node.op, node.attributes, inputs, outputs);
    if (!kernel || !kernel(context).ok()) return std::nullopt;
    const ValueId next = step + 1 == chain.nodes.size() ? end : graph.node(chain.nodes[step + 1]).inputs[0];
    const auto at = std::find(node.outputs.begin(), node.outputs.end(), next) - node.outputs.begin();
    current = outputs[static_cast<std::size_t>(at)];
  }
  return current.tensor;
}

// The channel of x that each channel of the result is, if it is whole channels that moved.
std::optional<std::vector<std::int64_t>> channels_of(const Tensor& result, const Shape& x) {
  if (result.rank() != x.rank() || result.dim(0) != x[0]) return std::nullopt;
  std::int64_t inner = 1;
  for (int axis = 2; axis < x.rank(); ++axis) {
    if (result.dim(axis) != x[axis]) return std::nullopt;
    inner *= x[axis];
  }
  const std::int64_t channels = result.dim(1);
  if (inner == 0 || channels == 0 || x[0] == 0) return std::nullopt;
  const std::int32_t* at = result.data<std::int32_t>();
  std::vector<std::int64_t> from;
  for (std::int64_t c = 0; c < channels; ++c) from.push_back(at[c * inner] / inner);
  for (std::int64_t n = 0; n < x[0]; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = 0; i < inner; ++i, ++at) {
        if (*at != (n * x[1] + from[static_cast<std::size_t>(c)]) * inner + i) return std::nullopt;
      }
    }
  }
  return from;
}

Shape bound_shape(const SymbolicShape& shape, std::int64_t first) {
  constexpr std::int64_t kPrimes[] = {2, 3, 5, 7, 11, 13};
  std::vector<std::string> symbols;
  for (const Dim& dim : shape) dim.collect_symbols(symbols);
  Bindings bindings;
  for (std::size_t i = 0; i < symbols.size(); ++i)
    bindings[symbols[i]] = kPrimes[(i + static_cast<std::size_t>(first)) % 6];
  auto bound = evaluate(shape, bindings);
  return bound.ok() ? *bound : Shape();
}

std::optional<std::vector<std::int64_t>> channel_map(const Graph& graph, const Chain& chain, ValueId end) {
  const SymbolicShape* shape = shape_of(graph, chain.x);
  if (!shape || shape->size() < 3 || !(*shape)[1].is_constant()) return std::nullopt;
  std::optional<std::vector<std::int64_t>> map;
  const bool symbolic = !to_concrete(*shape);
  for (int trial = 0; trial < (symbolic ? 2 : 1); ++trial) {
    const Shape bound = bound_shape(*shape, trial);
    const auto result = bound.rank() > 0 ? run_on_numbers(graph, chain, end, bound) : std::nullopt;
    auto now = result ? channels_of(*result, bound) : std::nullopt;
    if (!now || (map && *map != *now)) return std::nullopt;
    map = std::move(now);
  }
  return map;
}

void replace(Graph& graph, const Chain& chain, ValueId end, const std::vector<std::int64_t>& channels) {
  const NodeId last = chain.nodes.back();
  bool is_run = true;
  for (std::size_t i = 1; i < channels.size(); ++i) is_run = is_run && channels[i] == channels[i - 1] + 1;
  Node fresh;
  fresh.name = graph.node(last).name;
  for (NodeId id : chain.nodes) {
    for (std::string& source : sources_of(graph.node(id))) fresh.sources.push_back(std::move(source));
  }
  if (is_run) {
    fresh.op = "Slice";
    fresh.inputs = {chain.x, graph.add_constant("starts", from_integers({channels.front()})),
                    graph.add_constant("ends", from_integers({channels.back() + 1})),
                    graph.add_constant("axes", from_integers({1}))};
  } else {
    fresh.op = "Gather";
    fresh.inputs = {chain.x, graph.add_constant("channels", from_integers(channels))};
    fresh.attributes.set("axis", std::int64_t{1});
  }
  // The last node of the chain (a Split) may have other outputs that live on.
  const auto& outputs = graph.node(last).outputs;
  const auto index = static_cast<int>(std::find(outputs.begin(), outputs.end(), end) - outputs.begin());
  if (outputs.size() == 1) {
    fresh.outputs.clear();
    replace_node(graph, last, std::move(fresh));
    return;
  }
  graph.set_output(last, index, kNone);
  fresh.outputs = {end};
  graph.add_node(std::move(fresh));
  remove_if_dead(graph, last);
}

bool fuse_channel_shuffle_at(Graph& graph, ValueId end) {
  // From the longest chain on: what stands in front of a shuffle may be a reshape of its own.
  for (Chain chain = chain_to(graph, end); chain.nodes.size() >= 2 && has_transpose(graph, chain);) {
    if (const auto channels = channel_map(graph, chain, end)) {
      replace(graph, chain, end, *channels);
      return true;
    }
    chain.nodes.erase(chain.nodes.begin());
    chain.x = graph.node(chain.nodes.front()).inputs[0];
  }
  return false;
}

}  // namespace

Result<bool> fuse_channel_shuffle(Graph& graph) {
  bool changed = false;
  const std::vector<NodeId> order = graph.topological_order();
  // From the end, so that the slices behind a shuffle are part of its chain.
  for (auto id = order.rbegin(); id != order.rend(); ++id) {
    if (!graph.alive(*id) || !is_movement(graph, graph.node(*id))) continue;
    const std::vector<ValueId> outputs = graph.node(*id).outputs;
    for (ValueId output : outputs) {
      if (output != kNone && is_used(graph, output)) changed = fuse_channel_shuffle_at(graph, output) || changed;
      if (!graph.alive(*id)) break;
    }
  }
  return changed;
}

}  // namespace fovea::passes
