// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower_in_order.h"

#include <algorithm>

#include "base/checked_math.h"
#include "compiler/cut_into_strips.h"

namespace fovea::compiler {

namespace {

/// What schedule() weighs: bytes at the typical extents of the symbols.
BytesOf bytes_at(const ir::Graph& graph, const Bindings& typical) {
  return [&](ir::ValueId id) -> std::int64_t {
    const ir::Value& value = graph.value(id);
    if (value.type.kind != ValueType::Kind::Tensor || value.type.element == DataType::undefined || !value.shape) return 0;
    const auto shape = evaluate(*value.shape, typical);
    const auto elements = shape.ok() ? checked_elements(shape->dims()) : Result<std::int64_t>(shape.status());
    constexpr std::int64_t kMost = std::int64_t{1} << 40;  // no machine holds it, and sums of it stay far from overflow
    return elements.ok() ? std::min(*elements, kMost) * static_cast<std::int64_t>(size_of(value.type.element)) : 0;
  };
}

Status decide_order(const ir::Graph& graph, const BytesOf& bytes, Observed observed, Decisions& decisions) {
  auto order = schedule(graph, decisions, bytes, observed);
  if (!order) return invalid_model("graph '", graph.name, "' has a cycle");
  decisions.order = *std::move(order);
  return {};
}

}  // namespace

Result<Plan> lower_in_order(const ir::Graph& graph, const Bindings& typical, Observed observed, Decisions decisions) {
  FOVEA_RETURN_IF_ERROR(decide_order(graph, bytes_at(graph, typical), observed, decisions));
  return lower(graph, decisions);
}

Result<Plan> lower_reference(const ir::Graph& graph, const Bindings& typical) {
  Decisions decisions;
  const BytesOf bytes = bytes_at(graph, typical);
  FOVEA_RETURN_IF_ERROR(decide_order(graph, bytes, Observed::No, decisions));
  cut_into_strips(graph, bytes, decisions);
  return lower(graph, decisions);
}

}  // namespace fovea::compiler
