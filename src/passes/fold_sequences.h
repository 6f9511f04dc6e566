// SPDX-License-Identifier: Apache-2.0
// Sequences whose items are known when the network is built disappear: SequenceConstruct, SequenceEmpty and
// SequenceInsert are followed to whoever reads them.
//
//   s = SequenceConstruct(a, b); y = ConcatFromSequence(s) {axis=1}        =>        y = Concat(a, b) {axis=1}
//   s = SequenceConstruct(a, b); y = SequenceAt(s, 1)                      =>        y = b
//   s = SplitToSequence(x, sizes); y = SequenceAt(s, 0)                    =>        y, _ = Split(x, sizes)   (constant
//   sizes)
//
// Must not fire on positions that are not constants or on sequences that come from a graph input, a Loop or an If.
#pragma once

#include "ir/graph.h"

namespace fovea::passes {

Result<bool> fold_sequences(ir::Graph& graph);

}  // namespace fovea::passes
