// SPDX-License-Identifier: Apache-2.0
#include "passes/channel_map_plan.h"

#include <algorithm>

#include "passes/channel_map.h"
#include "passes/post_ops.h"
#include "passes/rows_product.h"
#include "passes/spatial_resize.h"

namespace fovea::passes {

namespace {

constexpr double kMove = 32;
/// Gains below a tenth are not worth a graph that looks less like the model.
constexpr double kWorthIt = 0.9;
/// The weights of all steps together may grow by this factor: four addends, a map each.
constexpr double kMaxWeightGrowth = 4;
constexpr int kMaxDepth = 12;

/// Sums of `terms` products for `out` channels, from `in` channels.
double layer_work(double pixels, double terms, double in, double out) {
  return pixels * (terms * out + kMove * (in + out));
}
/// A pair is read and one written; for each of a Resize's pixels too, which lie on two rows.
double pair_work(double pixels, double channels) { return kMove * 3 * pixels * channels; }

/// `inner` / `outer` where the ratio is sure.
std::optional<double> ratio(const Dim& inner, const Dim& outer) {
  if (inner == outer) return 1;
  if (inner.is_constant() && outer.is_constant() && outer.constant() > 0)
    return static_cast<double>(inner.constant()) / static_cast<double>(outer.constant());
  for (std::int64_t k = 2; k <= 64; ++k) {
    if (inner * Dim(k) == outer) return 1.0 / static_cast<double>(k);
    if (outer * Dim(k) == inner) return static_cast<double>(k);
  }
  return std::nullopt;
}

class MapPlanner {
 public:
  MapPlanner(const Graph& graph, std::int64_t out, DataType type, int rank)
      : graph_(graph), out_(static_cast<double>(out)), type_(type), rank_(rank) {}

  /// `pixels`: of the value, in units of the map's own result.
  MapBranch best(ValueId value, double pixels, std::int64_t channels, int depth) const {
    const auto c = static_cast<double>(channels);
    MapBranch stay{.value = value, .with_map = layer_work(pixels, c, c, out_), .weights = c * out_};
    if (depth == kMaxDepth || !is_used_once(graph_, value) || !graph_.producer(value)) return stay;
    std::optional<MapBranch> moved = moved_through(value, pixels, channels, depth);
    if (!moved) return stay;
    stay.existing = moved->existing;
    stay.with_map += moved->existing;
    return moved->with_map < stay.with_map ? *std::move(moved) : stay;
  }

 private:
  std::optional<MapBranch> moved_through(ValueId value, double pixels, std::int64_t channels, int depth) const {
    const std::string_view op = graph_.producer(value)->op;
    if (op == "Resize") return through_resize(value, pixels, channels, depth);
    if (op == "Add") return through_sum(value, pixels, channels, depth);
    if (op == "Concat") return through_concat(value, pixels, channels, depth);
    if (op == "Conv") return into_convolution(value, pixels, channels);
    if (op == "Transpose") return into_product(value, pixels, channels);
    return std::nullopt;
  }

  bool is_picture(ValueId value, std::int64_t channels) const {
    return rank_of(graph_, value) == rank_ && channels_of(graph_, value) == channels &&
           type_of(graph_, value) == type_ && !constant_of(graph_, value);
  }

  /// Elements of `inner` for each of `outer` on all axes but the channels.
  std::optional<double> pixel_ratio(ValueId inner, ValueId outer) const {
    double product = 1;
    for (std::size_t axis = 0; axis < static_cast<std::size_t>(rank_); ++axis) {
      if (axis == 1) continue;
      const auto one = ratio((*shape_of(graph_, inner))[axis], (*shape_of(graph_, outer))[axis]);
      if (!one) return std::nullopt;
      product *= *one;
    }
    return product;
  }

  static void add_part(MapBranch& branch, MapBranch part) {
    branch.existing += part.existing;
    branch.with_map += part.with_map;
    branch.weights += part.weights;
    branch.replaced_weights += part.replaced_weights;
    branch.parts.push_back(std::move(part));
  }

  std::optional<MapBranch> through_resize(ValueId value, double pixels, std::int64_t channels, int depth) const {
    const NodeId resize = graph_.value(value).producer;
    if (!is_spatial_average(graph_, resize)) return std::nullopt;
    const ValueId x = graph_.node(resize).inputs[0];
    const auto smaller = pixel_ratio(x, value);
    if (!smaller || !is_picture(x, channels)) return std::nullopt;
    const auto resize_work = [&](double c) { return kMove * *smaller * pixels * c + pair_work(pixels, c); };
    MapBranch branch{MapBranch::Kind::Resize, value};
    add_part(branch, best(x, *smaller * pixels, channels, depth + 1));
    branch.existing += resize_work(static_cast<double>(channels));
    branch.with_map += resize_work(out_);
    return branch;
  }

  std::optional<MapBranch> through_sum(ValueId value, double pixels, std::int64_t channels, int depth) const {
    MapBranch branch{MapBranch::Kind::Sum, value};
    for (const ValueId addend : graph_.producer(value)->inputs) {
      if (!is_picture(addend, channels)) return std::nullopt;
      // Symbols that are not known to be equal either are, or one of them is 1.
      const double part = pixel_ratio(addend, value).value_or(1);
      add_part(branch, best(addend, part * pixels, channels, depth + 1));
    }
    branch.existing += pair_work(pixels, static_cast<double>(channels));
    branch.with_map += pair_work(pixels, out_);
    return branch;
  }

  /// A concatenation itself counts nothing: mostly its parts are written in place.
  std::optional<MapBranch> through_concat(ValueId value, double pixels, std::int64_t channels, int depth) const {
    const Node& concat = *graph_.producer(value);
    const std::int64_t axis = concat.attributes.get_int("axis");
    if (axis != 1 && axis != 1 - rank_) return std::nullopt;
    MapBranch branch{MapBranch::Kind::Concat, value};
    double staying = 0, moving = 0;
    for (const ValueId input : concat.inputs) {
      const std::int64_t own = channels_of(graph_, input);
      if (own < 1 || !is_picture(input, own)) return std::nullopt;
      const auto c = static_cast<double>(own);
      MapBranch part = best(input, pixels, own, depth + 1);
      const double in_place = part.existing + pixels * c * (out_ + kMove);
      if (part.kind == MapBranch::Kind::Stay || part.with_map + pair_work(pixels, out_) >= in_place) {
        staying += c;
        part = MapBranch{.value = input, .existing = part.existing, .with_map = part.existing, .weights = c * out_};
      } else {
        ++moving;
      }
      add_part(branch, std::move(part));
    }
    if (moving == 0 || branch.parts.size() < 2) return std::nullopt;
    if (staying > 0) branch.with_map += layer_work(pixels, staying, staying, out_);
    branch.with_map += (moving - (staying > 0 ? 0 : 1)) * pair_work(pixels, out_);
    return channels == total(branch) ? std::optional(std::move(branch)) : std::nullopt;
  }

  std::int64_t total(const MapBranch& concat) const {
    std::int64_t sum = 0;
    for (const MapBranch& part : concat.parts) sum += channels_of(graph_, part.value);
    return sum;
  }

  std::optional<MapBranch> into_layer(MapBranch::Kind kind, ValueId value, double pixels, double terms, double in,
                                      double channels) const {
    return MapBranch{.kind = kind,
                     .value = value,
                     .existing = layer_work(pixels, terms, in, channels),
                     .with_map = layer_work(pixels, terms, in, out_),
                     .weights = terms * out_,
                     .replaced_weights = terms * channels};
  }

  std::optional<MapBranch> into_convolution(ValueId value, double pixels, std::int64_t channels) const {
    const Node& conv = *graph_.producer(value);
    if (conv.attributes.get_int("group", 1) != 1 ||
        !can_be_composed(graph_, conv.inputs[1], conv.has_input(2) ? conv.inputs[2] : kNone))
      return std::nullopt;
    const Tensor& w = *constant_of(graph_, conv.inputs[1]);
    const bool fits = w.type() == type_ && w.rank() == rank_ && w.dim(0) == channels &&
                      (!conv.has_input(2) || constant_of(graph_, conv.inputs[2])->elements() == channels);
    if (!fits) return std::nullopt;
    const double terms = static_cast<double>(w.elements() / channels);
    return into_layer(MapBranch::Kind::Convolution, value, pixels, terms, static_cast<double>(w.dim(1)),
                      static_cast<double>(channels));
  }

  std::optional<MapBranch> into_product(ValueId value, double pixels, std::int64_t channels) const {
    const auto product = rows_product_of(graph_, value);
    if (!product || !can_be_composed(graph_, product->weights, product->bias) ||
        type_of(graph_, product->weights) != type_)
      return std::nullopt;
    const auto k = static_cast<double>(constant_of(graph_, product->weights)->dim(0));
    return into_layer(MapBranch::Kind::Product, value, pixels, k, k, static_cast<double>(channels));
  }

  const Graph& graph_;
  double out_;
  DataType type_;
  int rank_;
};

}  // namespace

MapBranch plan_channel_map(const Graph& graph, ValueId value, std::int64_t channels, std::int64_t out,
                           NodeId follower) {
  const MapPlanner planner(graph, out, type_of(graph, value), rank_of(graph, value));
  MapBranch branch = planner.best(value, 1, channels, 0);
  const auto c = static_cast<double>(channels), o = static_cast<double>(out);
  const double before = branch.existing + layer_work(1, c, c, o);
  double after = branch.with_map;
  // The convolution would have taken in an activation or a sum that a Resize leaves to a step of its own.
  const bool taken_in = follower != kNone && (graph.node(follower).op == "Add" || activation_of(graph, follower));
  if (branch.kind == MapBranch::Kind::Resize && taken_in) after += kMove * 2 * o;
  const bool pays = after < kWorthIt * before && branch.weights <= kMaxWeightGrowth * (c * o + branch.replaced_weights);
  return pays ? branch : MapBranch{.value = value};
}

}  // namespace fovea::passes
