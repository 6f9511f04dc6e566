// SPDX-License-Identifier: Apache-2.0
#include "passes/channel_map.h"

#include <algorithm>
#include <cmath>

#include "ops/matmul/wide_product.h"

namespace fovea::passes {

namespace {

bool are_all(const std::vector<std::int64_t>& list, std::int64_t value) {
  return std::all_of(list.begin(), list.end(), [&](std::int64_t v) { return v == value; });
}

// a [m, k] times b [k, n] in f64.
std::vector<double> times(const std::vector<double>& a, const std::vector<double>& b, std::int64_t m, std::int64_t k,
                          std::int64_t n) {
  std::vector<double> y(static_cast<std::size_t>(m * n));
  ops::wide_product(
      {.m = m, .k = k, .n = n},
      [&](std::int64_t, std::int64_t i, std::int64_t p, std::int64_t count, double* dst) {
        std::copy_n(a.data() + i * k + p, count, dst);
      },
      [&](std::int64_t, std::int64_t p, std::int64_t j, std::int64_t count, double* dst) {
        std::copy_n(b.data() + p * n + j, count, dst);
      },
      [&](std::int64_t, std::int64_t i, std::int64_t j, std::int64_t count, const double* sums) {
        std::copy_n(sums, count, y.data() + i * n + j);
      });
  return y;
}

std::vector<double> transposed(const std::vector<double>& a, std::int64_t rows, std::int64_t columns) {
  std::vector<double> y(a.size());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j)
      y[static_cast<std::size_t>(j * rows + i)] = a[static_cast<std::size_t>(i * columns + j)];
  }
  return y;
}

std::vector<double> numbers_of(const Graph& graph, ValueId constant) {
  return to_doubles(*constant_of(graph, constant));
}

// Named after the constant it replaces, rounded once to its type.
ValueId constant_like(Graph& graph, ValueId like, const Shape& shape, const std::vector<double>& numbers) {
  return graph.add_constant(graph.value(like).name, from_doubles(type_of(graph, like), shape, numbers));
}

}  // namespace

std::optional<ChannelMap> channel_map_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op != "Conv") return std::nullopt;
  const Tensor* w = constant_of(graph, node.inputs[1]);
  if (!w || (w->type() != DataType::f32 && w->type() != DataType::f64) || w->rank() < 3 || w->elements() == 0)
    return std::nullopt;
  const bool one_pixel = w->elements() == w->dim(0) * w->dim(1) && node.attributes.get_int("group", 1) == 1;
  if (!one_pixel || !are_all(node.attributes.get_ints("strides"), 1) || !are_all(node.attributes.get_ints("pads"), 0))
    return std::nullopt;
  const ChannelMap map{node.inputs[1], node.has_input(2) ? node.inputs[2] : kNone, w->dim(1), w->dim(0)};
  if (!can_be_composed(graph, map.weights, map.bias)) return std::nullopt;
  if (map.bias != kNone && constant_of(graph, map.bias)->elements() != map.out) return std::nullopt;
  return rank_of(graph, node.inputs[0]) == w->rank() && channels_of(graph, node.inputs[0]) == map.in
             ? std::optional(map)
             : std::nullopt;
}

bool can_be_composed(const Graph& graph, ValueId weights, ValueId bias) {
  constexpr double kLargest = 1e15;  // squared and summed over a million channels it still fits f32
  for (const ValueId value : {weights, bias}) {
    if (value == kNone) continue;
    if (!constant_of(graph, value)) return false;
    const std::vector<double> numbers = numbers_of(graph, value);
    if (numbers.empty() ||
        !std::all_of(numbers.begin(), numbers.end(), [](double v) { return std::abs(v) <= kLargest; }))
      return false;
  }
  return true;
}

ChannelMap restricted(Graph& graph, const ChannelMap& map, const std::vector<ChannelRun>& runs) {
  ChannelMap part{kNone, map.bias, 0, map.out};
  for (const ChannelRun& run : runs) part.in += run.count;
  if (part.in == map.in) return map;
  const std::vector<double> whole = numbers_of(graph, map.weights);
  std::vector<double> numbers;
  for (std::int64_t o = 0; o < map.out; ++o) {
    for (const ChannelRun& run : runs) {
      const auto first = whole.begin() + o * map.in + run.first;
      numbers.insert(numbers.end(), first, first + run.count);
    }
  }
  Shape shape = constant_of(graph, map.weights)->shape();
  shape[1] = part.in;
  part.weights = constant_like(graph, map.weights, shape, numbers);
  return part;
}

ValueId composed_with_convolution(Graph& graph, const ChannelMap& map, ValueId inner) {
  Shape shape = constant_of(graph, inner)->shape();
  const std::int64_t sum = shape.elements() / shape[0];
  shape[0] = map.out;
  return constant_like(graph, inner, shape,
                       times(numbers_of(graph, map.weights), numbers_of(graph, inner), map.out, map.in, sum));
}

ValueId composed_with_product(Graph& graph, const ChannelMap& map, ValueId inner) {
  const std::int64_t k = constant_of(graph, inner)->dim(0);
  const std::vector<double> by_channel = transposed(numbers_of(graph, inner), k, map.in);
  return constant_like(graph, inner, {map.out, k, 1, 1},
                       times(numbers_of(graph, map.weights), by_channel, map.out, map.in, k));
}

ValueId composed_bias(Graph& graph, const ChannelMap& map, ValueId inner) {
  if (inner == kNone) return map.bias;
  std::vector<double> bias = times(numbers_of(graph, map.weights), numbers_of(graph, inner), map.out, map.in, 1);
  if (map.bias != kNone) {
    const std::vector<double> own = numbers_of(graph, map.bias);
    std::transform(bias.begin(), bias.end(), own.begin(), bias.begin(), std::plus<>());
  }
  return constant_like(graph, inner, {map.out}, bias);
}

}  // namespace fovea::passes
