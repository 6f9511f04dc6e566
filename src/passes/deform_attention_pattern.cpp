// SPDX-License-Identifier: Apache-2.0
#include "passes/deform_attention_pattern.h"

#include <algorithm>
#include <numeric>

#include "passes/strided_view.h"

namespace fovea::passes {

namespace {

/// Kernels hold the levels in a table of their own.
constexpr std::int64_t kMostLevels = 32;

Dim product_of(const SymbolicShape& shape) {
  Dim product(1);
  for (const Dim& dim : shape) product = product * dim;
  return product;
}

bool only_reshapes(const Graph& graph, ValueId value) {
  const Node* node = graph.producer(value);
  return node && (node->op == "Reshape" || node->op == "Squeeze" || node->op == "Unsqueeze" || node->op == "Flatten" || node->op == "Identity");
}

/// Walks back over reshapes of values that nothing else uses.
ValueId before_reshapes(const Graph& graph, ValueId value, std::vector<NodeId>& nodes) {
  while (only_reshapes(graph, value) && is_used_once(graph, value)) {
    nodes.push_back(graph.value(value).producer);
    value = graph.producer(value)->inputs[0];
  }
  return value;
}

bool samples_as_attention_does(const Node& node) {
  return node.op == "GridSample" && node.attributes.get_string("mode", "linear") == "linear" &&
         node.attributes.get_string("padding_mode", "zeros") == "zeros" && node.attributes.get_int("align_corners", 0) == 0;
}

/// Adds the GridSample that `value` is a reshape of. All of it must be of use only here.
bool add_sample(const Graph& graph, ValueId value, AttentionPattern& found) {
  const ValueId sampled = before_reshapes(graph, value, found.nodes);
  const Node* node = graph.producer(sampled);
  if (!node || !is_used_once(graph, sampled) || !samples_as_attention_does(*node) || rank_of(graph, sampled) != 4) return false;
  found.samples.push_back(graph.value(sampled).producer);
  found.nodes.push_back(found.samples.back());
  return true;
}

/// `summed`: the factor of the product that holds the samples, [N*M, D, Q, levels and points ...].
bool match_samples(const Graph& graph, ValueId summed, AttentionPattern& found) {
  const ValueId joined = before_reshapes(graph, summed, found.nodes);
  const NodeId concat = producer_of(graph, joined, "Concat");
  if (concat == kNone) return add_sample(graph, summed, found);
  if (!is_used_once(graph, joined)) return false;
  found.nodes.push_back(concat);
  const Node& node = graph.node(concat);
  for (const ValueId part : node.inputs) {
    if (!add_sample(graph, part, found)) return false;
  }
  // Everything from the joined axis on is one level's points: the levels follow each other point block by point block.
  std::int64_t axis = node.attributes.get_int("axis", 0);
  for (std::size_t l = 0; l < node.inputs.size(); ++l) {
    const SymbolicShape *part = shape_of(graph, node.inputs[l]), *sampled = shape_of(graph, graph.node(found.samples[l]).outputs[0]);
    if (!part || !sampled) return false;
    if (axis < 0) axis += static_cast<std::int64_t>(part->size());
    if (axis < 0 || axis >= static_cast<std::int64_t>(part->size())) return false;
    if (!(product_of({part->begin() + axis, part->end()}) == (*sampled)[3])) return false;
  }
  return true;
}

/// The extents that GridSample's operands have alike on all levels.
bool match_extents(const Graph& graph, AttentionPattern& found) {
  for (const NodeId id : found.samples) {
    const Node& node = graph.node(id);
    const SymbolicShape *x = shape_of(graph, node.inputs[0]), *grid = shape_of(graph, node.inputs[1]);
    if (!x || !grid || x->size() != 4 || grid->size() != 4) return false;
    if (!(*x)[1].is_constant() || !(*x)[2].is_constant() || !(*x)[3].is_constant() || !(*grid)[2].is_constant()) return false;
    if (type_of(graph, node.inputs[0]) != type_of(graph, node.inputs[1]) || !is_floating(type_of(graph, node.inputs[0]))) return false;
    if (id == found.samples[0]) {
      found.d = (*x)[1].constant();
      found.q = (*grid)[1];
    }
    if ((*x)[1].constant() != found.d || (*grid)[2].constant() < 1 || !((*grid)[1] == found.q)) return false;
    found.heights.push_back((*x)[2].constant());
    found.widths.push_back((*x)[3].constant());
    found.counts.push_back((*grid)[2].constant());
    found.total += found.counts.back();
    found.rows += (*x)[2].constant() * (*x)[3].constant();
  }
  return found.d > 0 && found.rows > 0 && found.levels() <= kMostLevels;
}

/// If `value` is factor * x + summand of another value of its shape: that value, and `map` after it.
ValueId affine_from(const Graph& graph, ValueId value, Affine& map) {
  const Node* node = graph.producer(value);
  if (!node || node->inputs.size() != 2) return kNone;
  for (const std::size_t i : {0u, 1u}) {
    const ValueId x = node->inputs[i];
    const auto c = uniform_of(graph, node->inputs[1 - i]);
    if (!c || !have_same_shape(graph, x, value)) continue;
    if (node->op == "Mul") map.factor *= *c;
    else if (node->op == "Div" && i == 0 && *c != 0) map.factor /= *c;
    else if (node->op == "Add") map.summand += map.factor * *c;
    else if (node->op == "Sub" && i == 0) map.summand -= map.factor * *c;
    else return kNone;
    return x;
  }
  return kNone;
}

/// A value with all that its elements are moved from, nearest first, and the affine map from each to the first.
struct Chain {
  std::vector<ValueId> values;
  std::vector<Affine> maps;

  Chain(const Graph& graph, ValueId value, bool through_affine) : values{value}, maps{{}} {
    for (;;) {
      Affine map = maps.back();
      ValueId from = moved_from(graph, values.back());
      if (from == kNone && through_affine) from = affine_from(graph, values.back(), map);
      if (from == kNone) return;
      values.push_back(from);
      maps.push_back(map);
    }
  }
  /// Place of `value` in the chain, or -1.
  int find(ValueId value) const {
    const auto at = std::find(values.begin(), values.end(), value);
    return at == values.end() ? -1 : static_cast<int>(at - values.begin());
  }
  /// The view that the head of the chain is of its value number `from`.
  std::optional<StridedView> view(const Graph& graph, int from) const {
    const SymbolicShape* shape = shape_of(graph, values[static_cast<std::size_t>(from)]);
    if (!shape) return std::nullopt;
    StridedView view = StridedView::dense(*shape);
    for (int i = from - 1; i >= 0; --i) {
      const ValueId value = values[static_cast<std::size_t>(i)];
      if (moved_from(graph, value) != kNone && !follow_move(graph, value, view)) return std::nullopt;
    }
    return view;
  }
};

/// Batch and heads from the first axis of GridSample's input, a view of value [N, rows, M, D].
bool split_heads(const StridedView& view, std::int64_t d, Dim& n, Dim& m) {
  const ViewAxis axis = view.simple_axis(0);
  n = m = Dim(1);
  if (axis.empty()) return true;
  const bool ends_with_heads = axis.back().stride == Dim(d);
  if (axis.size() > (ends_with_heads ? 2u : 1u)) return false;
  if (ends_with_heads) m = axis.back().extent;
  if (axis.size() == 2 || !ends_with_heads) n = axis.front().extent;
  return m.is_constant();
}

/// Finds the deepest source from which all levels arrive as the operator reads them; `arrives` judges one.
template <class Judge>
bool match_source(const std::vector<Chain>& chains, const Judge& arrives) {
  const auto& candidates = chains[0].values;
  for (std::size_t i = candidates.size(); i-- > 0;) {
    std::vector<int> places;
    for (const Chain& chain : chains) places.push_back(chain.find(candidates[i]));
    if (std::find(places.begin(), places.end(), -1) == places.end() && arrives(candidates[i], places)) return true;
  }
  return false;
}

bool match_value(const Graph& graph, AttentionPattern& found) {
  std::vector<Chain> chains;
  for (const NodeId id : found.samples) chains.emplace_back(graph, graph.node(id).inputs[0], false);
  return match_source(chains, [&](ValueId source, const std::vector<int>& places) {
    found.starts.clear();
    const SymbolicShape* shape = shape_of(graph, source);
    if (!shape) return false;
    for (std::size_t l = 0; l < chains.size(); ++l) {
      const auto view = chains[l].view(graph, places[l]);
      if (!view || (l == 0 && !split_heads(*view, found.d, found.n, found.m))) return false;
      const Dim row = found.m * Dim(found.d), height(found.heights[l]), width(found.widths[l]);
      const auto start = exact_quotient(view->offset(), row);
      if (!start || !start->is_constant() || start->constant() + height.constant() * width.constant() > found.rows) return false;
      const StridedView expected({{{found.n, Dim(found.rows) * row}, {found.m, Dim(found.d)}}, {{Dim(found.d), Dim(1)}}, {{height, width * row}}, {{width, row}}},
                                 view->offset());
      if (!(*view == expected)) return false;
      found.starts.push_back(start->constant());
    }
    found.value = source;
    return product_of(*shape) == found.n * Dim(found.rows) * found.m * Dim(found.d);
  });
}

bool match_locations(const Graph& graph, AttentionPattern& found) {
  std::vector<Chain> chains;
  for (const NodeId id : found.samples) chains.emplace_back(graph, graph.node(id).inputs[1], true);
  const Dim head(2 * found.total), query = found.m * head;
  return match_source(chains, [&](ValueId source, const std::vector<int>& places) {
    const SymbolicShape* shape = shape_of(graph, source);
    if (!shape || !(product_of(*shape) == found.n * found.q * query)) return false;
    std::int64_t first = 0;  // of the level's points
    for (std::size_t l = 0; l < chains.size(); first += found.counts[l++]) {
      const auto view = chains[l].view(graph, places[l]);
      const StridedView expected({{{found.n, found.q * query}, {found.m, head}}, {{found.q, query}}, {{Dim(found.counts[l]), Dim(2)}}, {{Dim(2), Dim(1)}}},
                                 Dim(2 * first));
      const Affine& map = chains[l].maps[static_cast<std::size_t>(places[l])];
      if (!view || !(*view == expected)) return false;
      if (l == 0) found.grid = map;
      if (map.factor != found.grid.factor || map.summand != found.grid.summand) return false;
    }
    found.locations = source;
    return true;
  });
}

bool match_weights(const Graph& graph, AttentionPattern& found) {
  const std::vector<Chain> chains = {Chain(graph, found.weights_operand, false)};
  const Dim head(found.total), query = found.m * head;
  return match_source(chains, [&](ValueId source, const std::vector<int>& places) {
    const SymbolicShape* shape = shape_of(graph, source);
    auto view = chains[0].view(graph, places[0]);
    if (!shape || !view || !(product_of(*shape) == found.n * found.q * query)) return false;
    if (!view->reshape({found.n * found.m, Dim(1), found.q, head})) return false;
    found.weights = source;
    return *view == StridedView({{{found.n, found.q * query}, {found.m, head}}, {}, {{found.q, query}}, {{head, Dim(1)}}});
  });
}

/// ReduceSum over the last axes of [N*M, D, Q, levels and points ...].
bool sums_points(const Graph& graph, const Node& node) {
  const int rank = rank_of(graph, node.inputs[0]);
  if (rank < 4 || !node.has_input(1)) return false;
  auto axes = integers_of(graph, node.inputs[1]);
  if (!axes || static_cast<int>(axes->size()) != rank - 3) return false;
  for (std::int64_t& axis : *axes) axis += axis < 0 ? rank : 0;
  std::sort(axes->begin(), axes->end());
  for (int i = 3; i < rank; ++i) {
    if ((*axes)[static_cast<std::size_t>(i - 3)] != i) return false;
  }
  return true;
}

}  // namespace

std::int64_t AttentionPattern::points() const {
  std::int64_t common = 0;
  for (const std::int64_t count : counts) common = std::gcd(common, count);
  return common;
}

std::optional<AttentionPattern> match_deform_attention(const Graph& graph, NodeId sum) {
  const Node& node = graph.node(sum);
  const NodeId product = producer_of(graph, node.inputs[0], "Mul");
  if (product == kNone || !is_used_once(graph, node.inputs[0]) || !sums_points(graph, node)) return std::nullopt;
  for (const std::size_t i : {0u, 1u}) {
    AttentionPattern found;
    found.sum = sum;
    found.nodes = {sum, product};
    const ValueId samples = graph.node(product).inputs[i];
    found.weights_operand = graph.node(product).inputs[1 - i];
    if (!have_same_shape(graph, samples, node.inputs[0]) || type_of(graph, samples) != type_of(graph, found.weights_operand)) continue;
    if (!match_samples(graph, samples, found) || !match_extents(graph, found)) continue;
    // The product's axes are [N*M, D, Q, points of all levels ...]; the weights have no channels.
    const SymbolicShape *s = shape_of(graph, samples), *w = shape_of(graph, found.weights_operand);
    if (!w || w->size() != s->size() || !((*w)[1] == Dim(1)) || !((*s)[1] == Dim(found.d)) || !((*s)[2] == found.q)) continue;
    if (match_value(graph, found) && match_locations(graph, found) && match_weights(graph, found)) return found;
  }
  return std::nullopt;
}

}  // namespace fovea::passes
