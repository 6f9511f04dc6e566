// SPDX-License-Identifier: Apache-2.0
#include "passes/fuse_layer_norm.h"

#include <algorithm>

#include "base/check.h"
#include "base/onnx_data_type.h"
#include "passes/rewrite.h"

namespace fovea::passes {

namespace {

// All ways to write y = a / Sqrt(v + eps), with `a` and the variance `v` filled in.
std::vector<Expression> quotients(const std::string& a, const std::vector<std::string>& variances) {
  std::vector<Expression> all;
  for (const std::string& v : variances) {
    const std::string sum = "Add(" + v + ", eps)";
    for (const std::string& spelling :
         {"Div(" + a + ", Sqrt(" + sum + "))", "Mul(" + a + ", Reciprocal(Sqrt(" + sum + ")))", "Mul(" + a + ", Div(1, Sqrt(" + sum + ")))",
          "Mul(" + a + ", Pow(" + sum + ", -0.5))", "Div(" + a + ", Pow(" + sum + ", 0.5))"}) {
      all.emplace_back(spelling, Expression::Casts::Ignored);
    }
  }
  return all;
}

const std::vector<Expression>& layer_norm_spellings() {
  static const std::vector<Expression> spellings = [] {
    const std::string difference = "d:Sub(x, m:ReduceMean(x, axes))", again = "e:Sub(x, m2:ReduceMean(x, axes3))";
    // The last two are for exporters that write the difference twice, of one mean or of two.
    return quotients(difference, {"w:ReduceMean(Pow(d, 2), axes2)", "w:ReduceMean(Mul(d, d), axes2)", "w:ReduceMean(Pow(" + again + ", 2), axes2)",
                                  "w:ReduceMean(Mul(" + again + ", e), axes2)"});
  }();
  return spellings;
}

const std::vector<Expression>& rms_norm_spellings() {
  static const std::vector<Expression> spellings =
      quotients("x", {"w:ReduceMean(Pow(x, 2), axes)", "w:ReduceMean(Mul(x, x), axes)"});
  return spellings;
}

// TensorFlow: r = Rsqrt(v + eps) * scale; x * r + (bias - m * r).
const std::vector<Expression>& tensorflow_spellings() {
  static const std::vector<Expression> spellings = [] {
    std::vector<Expression> all;
    for (const char* square : {"Mul(d:Sub(x, m:ReduceMean(x, axes)), d)", "Pow(d:Sub(x, m:ReduceMean(x, axes)), 2)"}) {
      for (const char* root : {"Reciprocal(Sqrt(", "Div(1, Sqrt("}) {
        all.emplace_back(str_cat("Add(Mul(x, r:Mul(scale, ", root, "Add(w:ReduceMean(", square,
                                 ", axes2), eps))))), Sub(bias, Mul(m, r)))"));
      }
    }
    return all;
  }();
  return spellings;
}

bool keeps_dims(const Graph& graph, ValueId mean) {
  return graph.producer(mean)->attributes.get_int("keepdims", 1) != 0;
}

// Axes counted from the front and sorted.
std::optional<std::vector<std::int64_t>> axes_of(const Graph& graph, ValueId axes, int rank) {
  auto list = integers_of(graph, axes);
  if (!list || list->empty()) return std::nullopt;
  for (std::int64_t& axis : *list) axis += axis < 0 ? rank : 0;
  std::sort(list->begin(), list->end());
  return list;
}

bool is_run(const std::vector<std::int64_t>& axes, std::int64_t first, int rank) {
  if (static_cast<std::int64_t>(axes.size()) != rank - first) return false;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != first + static_cast<std::int64_t>(i)) return false;
  }
  return true;
}

struct Normalization {
  ValueId x = kNone;
  double epsilon = 0;
  std::vector<std::int64_t> axes;
  std::vector<NodeId> nodes;
};

std::optional<Normalization> read(const Graph& graph, const Match& match) {
  Normalization norm{match.value("x"), 0, {}, match.nodes()};
  const int rank = rank_of(graph, norm.x);
  const auto epsilon = scalar_of(graph, match.value("eps"));
  if (rank < 1 || !epsilon) return std::nullopt;
  norm.epsilon = *epsilon;
  bool same_axes = true;
  for (const char* name : {"axes", "axes2", "axes3"}) {
    const ValueId value = match.value(name);
    if (value == kNone) continue;
    auto axes = axes_of(graph, value, rank);
    if (!axes) return std::nullopt;
    same_axes = same_axes && (norm.axes.empty() || norm.axes == *axes);
    norm.axes = *std::move(axes);
  }
  for (const char* mean : {"m", "m2", "w"}) {
    if (match.value(mean) != kNone && !keeps_dims(graph, match.value(mean))) return std::nullopt;
  }
  return same_axes && !norm.axes.empty() ? std::optional(norm) : std::nullopt;
}

std::optional<Shape> extents(const Graph& graph, ValueId x, std::int64_t first, std::int64_t count) {
  Shape shape;
  for (std::int64_t axis = first; axis < first + count; ++axis) {
    const Dim& dim = (*shape_of(graph, x))[static_cast<std::size_t>(axis)];
    if (!dim.is_constant() || dim.constant() < 1) return std::nullopt;
    shape.push_back(dim.constant());
  }
  return shape;
}

ValueId filled(Graph& graph, std::string_view hint, DataType type, const Shape& shape, double value) {
  return graph.add_constant(
      hint, from_doubles(type, shape, std::vector<double>(static_cast<std::size_t>(shape.elements()), value)));
}

bool is_half(DataType type) { return type == DataType::f16 || type == DataType::bf16; }

// The node whose place the operator takes, and its input, of one type. Work in a narrow type rounds between the steps
// and is left alone, unless the variance at least is found in f32.
struct Place {
  NodeId root = kNone;
  ValueId x = kNone;
};
Place find_place(Graph& graph, NodeId root, const Match& match) {
  const ValueId y = graph.node(root).outputs[0], written = match.value("x"), source = behind_casts(graph, written);
  const DataType result = type_of(graph, y);
  const auto of_type = [&](DataType type) { return type_of(graph, written) == type ? written : type_of(graph, source) == type ? source : kNone; };
  if (is_half(result)) return {is_half(type_of(graph, match.value("w"))) ? kNone : root, of_type(result)};
  if (result == DataType::f64) {
    // PyTorch's way of exporting half networks: f64 for a moment. What is cast back loses it again.
    const NodeId back = is_used_once(graph, y) ? graph.users(y)[0] : kNone;
    const ValueId x = back != kNone && graph.node(back).op == "Cast" ? of_type(type_of(graph, graph.node(back).outputs[0])) : kNone;
    return x != kNone ? Place{back, x} : Place{root, type_of(graph, written) == result ? written : kNone};
  }
  if (result != DataType::f32 || type_of(graph, written) == result) return {root, written};
  if (!is_half(type_of(graph, written))) return {};
  Attributes attributes;
  attributes.set("to", onnx_number(result));
  return {root, add_typed_node(graph, "Cast", graph.value(written).name + ".f32", {written}, std::move(attributes), result, graph.value(written).shape)};
}

bool replace(Graph& graph, NodeId root, const Match& match, const Normalization& norm, bool rms) {
  const int rank = rank_of(graph, norm.x);
  const std::int64_t first = norm.axes[0];
  Attributes attributes;
  attributes.set("epsilon", norm.epsilon);
  // [batch, rows, width] is text or patches: the last axis is normalised as such, not as a picture of one row.
  const bool picture = !rms && rank >= 4 && is_run(norm.axes, 2, rank);
  const auto channels = picture ? extents(graph, norm.x, 1, 1) : std::nullopt;
  if (picture ? !channels : !is_run(norm.axes, first, rank)) return false;
  const Place place = find_place(graph, root, match);
  if (place.root == kNone || place.x == kNone) return false;
  const DataType type = type_of(graph, place.x);
  std::vector<NodeId> nodes = norm.nodes;
  if (place.root != root) nodes.push_back(root);
  if (picture) {
    const ValueId ones = filled(graph, "scale", type, *channels, 1), zeros = filled(graph, "bias", type, *channels, 0);
    replace_node(graph, place.root, "InstanceNormalization", {place.x, ones, zeros}, std::move(attributes), nodes);
    return true;
  }
  // Where an extent is not known, one number is scale for all.
  const auto shape = extents(graph, norm.x, first, rank - first);
  attributes.set("axis", first - rank);
  const ValueId ones = filled(graph, "scale", type, shape.value_or(Shape{1}), 1);
  replace_node(graph, place.root, rms ? "RMSNormalization" : "LayerNormalization", {place.x, ones}, std::move(attributes), nodes);
  return true;
}

bool fuse_tensorflow(Graph& graph, NodeId root) {
  const auto match = match_first(graph, graph.node(root).outputs[0], tensorflow_spellings());
  const auto norm = match ? read(graph, *match) : std::nullopt;
  if (!norm) return false;
  const int rank = rank_of(graph, norm->x);
  const std::int64_t first = norm->axes[0];
  const Tensor* scale = constant_of(graph, match->value("scale"));
  const Tensor* bias = constant_of(graph, match->value("bias"));
  const auto shape = is_run(norm->axes, first, rank) ? extents(graph, norm->x, first, rank - first) : std::nullopt;
  if (type_of(graph, norm->x) != DataType::f32 || !shape || !scale || !bias || !(scale->shape() == *shape) ||
      !(bias->shape() == *shape))
    return false;
  Attributes attributes;
  attributes.set("epsilon", norm->epsilon);
  attributes.set("axis", first - rank);
  replace_node(graph, root, "LayerNormalization", {norm->x, match->value("scale"), match->value("bias")},
               std::move(attributes), norm->nodes);
  return true;
}

bool fuse_layer_norm_at(Graph& graph, NodeId root) {
  const ValueId y = graph.node(root).outputs[0];
  for (const bool rms : {false, true}) {
    const auto match = match_first(graph, y, rms ? rms_norm_spellings() : layer_norm_spellings());
    const auto norm = match ? read(graph, *match) : std::nullopt;
    if (norm && replace(graph, root, *match, *norm, rms)) return true;
  }
  return false;
}

}  // namespace

Result<bool> fuse_layer_norm(Graph& graph) {
  bool changed = false;
  for (NodeId id : graph.topological_order()) {
    if (!graph.alive(id)) continue;
    const std::string op = graph.node(id).op;
    if (op == "Div" || op == "Mul") changed = fuse_layer_norm_at(graph, id) || changed;
    if (op == "Add") changed = fuse_tensorflow(graph, id) || changed;
  }
  return changed;
}

}  // namespace fovea::passes
