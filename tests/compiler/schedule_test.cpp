// SPDX-License-Identifier: Apache-2.0
#include "compiler/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ir/text.h"

namespace fovea::compiler {
namespace {

/// The number of elements: the extents here are constants.
BytesOf elements_of(const ir::Graph& graph) {
  return [&graph](ir::ValueId id) { return to_concrete(*graph.value(id).shape)->elements(); };
}

bool is_topological(const ir::Graph& graph, const std::vector<ir::NodeId>& order) {
  const auto place = [&](ir::NodeId id) { return std::find(order.begin(), order.end(), id) - order.begin(); };
  return std::all_of(order.begin(), order.end(), [&](ir::NodeId id) {
    return std::all_of(graph.node(id).inputs.begin(), graph.node(id).inputs.end(), [&](ir::ValueId v) {
      return graph.value(v).producer == ir::kNone || place(graph.value(v).producer) < place(id);
    });
  });
}

// Two heads whose first nodes stand before the trunk's rest, as rewrites leave them: in the order of the numbers all wide
// values are there at once.
constexpr const char* kHeads = R"(graph g(x: f32[8]) -> (p, q) {
  a1: f32[1000] = Tile(x, x)
  b1: f32[1000] = Tile(x, x)
  a2: f32[1000] = Relu(a1)
  b2: f32[1000] = Relu(b1)
  p: f32[1] = ReduceSum(a2)
  q: f32[1] = ReduceSum(b2)
})";

TEST(Schedule, FinishesOneHeadBeforeTheNext) {
  const ir::Graph graph = ir::parse(kHeads).value();
  const auto bytes = elements_of(graph);
  EXPECT_EQ(peak_bytes(graph, {}, bytes, graph.topological_order()), 3000);
  const auto order = schedule(graph, {}, bytes);
  ASSERT_TRUE(order && is_topological(graph, *order));
  EXPECT_EQ(order->size(), 6u);
  EXPECT_EQ(peak_bytes(graph, {}, bytes, *order), 2000);
}

// Both branches must wait for each other; the one that swells before it shrinks goes first.
TEST(Schedule, LargerBranchFirst) {
  const ir::Graph graph = ir::parse(R"(graph g(x: f32[8]) -> (y) {
    a: f32[400] = Tile(x, x)
    wide: f32[1000] = Tile(x, x)
    narrow: f32[10] = ReduceSum(wide)
    s: f32[410] = Concat(a, narrow) {axis=0}
    y: f32[1] = ReduceSum(s)
  })").value();
  const auto bytes = elements_of(graph);
  EXPECT_EQ(peak_bytes(graph, {}, bytes, graph.topological_order()), 1410);
  EXPECT_EQ(peak_bytes(graph, {}, bytes, schedule(graph, {}, bytes).value()), 1010);
}

TEST(Schedule, EqualOrdersStayAsInTheFile) {
  const ir::Graph graph = ir::parse(R"(graph g(x: f32[8]) -> (p, q) {
    q: f32[8] = Relu(x)
    p: f32[8] = Relu(x)
  })").value();
  EXPECT_EQ(schedule(graph, {}, elements_of(graph)), graph.topological_order());
}

TEST(Schedule, ViewsCountOnceAndElidedNodesNotAtAll) {
  const ir::Graph graph = ir::parse(R"(graph g(x: f32[8]) -> (y) {
    a: f32[100] = Tile(x, x)
    r: f32[10,10] = Reshape(a, x)
    y: f32[10,10] = Relu(r)
  })").value();
  Decisions decisions;
  const ir::ValueId a = graph.find_value("a"), r = graph.find_value("r");
  EXPECT_EQ(peak_bytes(graph, decisions, elements_of(graph), graph.topological_order()), 200);
  decisions.views[r].base = a;
  decisions.elided.insert(graph.value(r).producer);
  const auto order = schedule(graph, decisions, elements_of(graph));
  ASSERT_TRUE(order);
  EXPECT_EQ(*order, (std::vector<ir::NodeId>{graph.value(a).producer, graph.value(graph.find_value("y")).producer}));
  EXPECT_EQ(peak_bytes(graph, decisions, elements_of(graph), *order), 100);
}

}  // namespace
}  // namespace fovea::compiler
