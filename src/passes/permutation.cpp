// SPDX-License-Identifier: Apache-2.0
#include "passes/permutation.h"

#include <algorithm>
#include <cstring>

namespace fovea::passes {

std::optional<Permutation> permutation_of(const Graph& graph, NodeId transpose) {
  Permutation perm = graph.node(transpose).attributes.get_ints("perm");
  if (!perm.empty()) return perm;
  const int rank = rank_of(graph, graph.node(transpose).inputs[0]);
  if (rank < 0) return std::nullopt;
  for (int axis = rank - 1; axis >= 0; --axis) perm.push_back(axis);
  return perm;
}

Permutation inverse(const Permutation& perm) {
  Permutation back(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) back[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return back;
}

Permutation then(const Permutation& first, const Permutation& second) {
  Permutation both;
  for (std::int64_t axis : second) both.push_back(first[static_cast<std::size_t>(axis)]);
  return both;
}

bool is_identity(const Permutation& perm) { return std::is_sorted(perm.begin(), perm.end()); }

bool swaps_last_two(const Permutation& perm) {
  const std::size_t rank = perm.size();
  if (rank < 2) return false;
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  }
  return perm[rank - 1] == static_cast<std::int64_t>(rank) - 2;
}

SymbolicShape permuted(const SymbolicShape& shape, const Permutation& perm) {
  SymbolicShape out;
  for (std::int64_t axis : perm) out.push_back(shape[static_cast<std::size_t>(axis)]);
  return out;
}

Result<Tensor> permuted(const Tensor& tensor, const Permutation& perm) {
  if (tensor.type() == DataType::string)
    return Status(ErrorCode::Unsupported, "strings are not transposed at build time");
  Shape shape;
  for (std::int64_t axis : perm) shape.push_back(tensor.dim(static_cast<int>(axis)));
  auto result = Tensor::allocate(tensor.type(), shape);
  if (!result.ok()) return result;
  const std::size_t size = size_of(tensor.type());
  std::vector<std::int64_t> strides(perm.size(), 1);
  for (int axis = tensor.rank() - 2; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = strides[static_cast<std::size_t>(axis) + 1] * tensor.dim(axis + 1);
  }
  const auto* src = static_cast<const std::byte*>(tensor.raw());
  auto* dst = static_cast<std::byte*>(result->raw());
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    std::int64_t rest = i, from = 0;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      from += rest % shape[axis] * strides[static_cast<std::size_t>(perm[static_cast<std::size_t>(axis)])];
      rest /= shape[axis];
    }
    std::memcpy(dst + static_cast<std::size_t>(i) * size, src + static_cast<std::size_t>(from) * size, size);
  }
  return result;
}

}  // namespace fovea::passes
