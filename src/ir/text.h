// SPDX-License-Identifier: Apache-2.0
// The text form of a Graph: what dumps show and what pass tests are written in. print() and parse() round-trip.
//
//   # a comment
//   graph tiny(x: f32[1,3,H,W]) -> (y) {
//     meta "producer" = "hand"
//     const w: f32[8,3,3,3] = rand(1, -1, 1)
//     const axes: i64[2] = [2, 3]
//     c: f32[1,8,H,W] = Conv(x, w) {pads=[1,1,1,1]}
//     top, _ = TopK(c, k) {axis=1, largest=1} as "node/name" from ["model node"]
//     y = If(cond, top) {captures=1}
//       graph then_branch(a) -> (b) { b = Relu(a) }
//       graph else_branch(a) -> (b) { b = Neg(a) }
//   }
//
// Types: `f32[2,N]`, `f32` (rank unknown), `f32[]` (scalar), `?`, `seq(f32)`, `optional(f32)`, `optional_seq(f32)`;
// `@nhwc` behind a type is the layout. `_` is a missing input or output. Names that are not made of letters, digits,
// `_ . / -` and `::` are quoted like JSON strings. Attributes: 1, 1.5, "s", lists of these, `tensor(f32[2], [1,2])`; a
// number is a float if it has a point or an exponent; `floats[]` and `strings[]` are empty lists.
// Constants: a flat list, one number for a scalar, `zeros`, `ones`, `fill(v)`, `rand(seed, lo, hi)` (uniform, the same
// on every machine). 8-bit and 4-bit floats are listed as their bits.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "ir/graph.h"

namespace fovea::ir {

struct TextOptions {
  bool types = true;       ///< types and shapes of node outputs, where known
  bool node_names = true;  ///< `as "name"` where the node's name differs from its first output, and `from [...]`
  /// Constants with more elements are printed as `elided(hash)`, which parse() refuses.
  std::int64_t max_elements = std::numeric_limits<std::int64_t>::max();
};

std::string print(const Graph& graph, const TextOptions& options = {});
/// One node on one line, without bodies: for messages.
std::string print_node(const Graph& graph, NodeId node);

/// Reads one graph. Errors are InvalidModel: "line 3, column 7: expected ..., found ...".
Result<Graph> parse(std::string_view text);

/// The tensor that `rand(seed, lo, hi)` stands for: uniform floats, or integers of [lo, hi], or bools.
Result<Tensor> seeded_tensor(DataType type, const Shape& shape, std::uint64_t seed, double lo, double hi);

}  // namespace fovea::ir
