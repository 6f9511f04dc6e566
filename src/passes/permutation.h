// SPDX-License-Identifier: Apache-2.0
// Permutations of axes as Transpose uses them: axis i of the result is axis perm[i] of the input.
#pragma once

#include <optional>
#include <vector>

#include "passes/match.h"

namespace fovea::passes {

using Permutation = std::vector<std::int64_t>;

/// The permutation of a Transpose node; nothing if it has none and the rank is unknown.
std::optional<Permutation> permutation_of(const Graph& graph, NodeId transpose);
Permutation inverse(const Permutation& perm);
/// The one that does `first` and then `second`.
Permutation then(const Permutation& first, const Permutation& second);
bool is_identity(const Permutation& perm);
/// The last two axes swap, all others stay.
bool swaps_last_two(const Permutation& perm);
SymbolicShape permuted(const SymbolicShape& shape, const Permutation& perm);
/// The constant transposed by `perm`, which has its rank.
Result<Tensor> permuted(const Tensor& tensor, const Permutation& perm);

}  // namespace fovea::passes
