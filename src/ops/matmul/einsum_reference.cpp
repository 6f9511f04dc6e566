// SPDX-License-Identifier: Apache-2.0
// Einsum: for every output index, the sum over all other labels of the product of the operands, in f64.
#include <map>

#include "base/checked_math.h"
#include "ops/matmul/einsum_equation.h"
#include "ops/wide.h"

namespace fovea::ops {

namespace {

/// Labels in loop order (output's first) with their extents and each operand's stride along them.
struct Loop {
  std::string labels;
  std::vector<std::int64_t> extents;
  std::vector<std::vector<std::int64_t>> strides;  // [operand][label]
};

Result<Loop> make_loop(const EinsumEquation& equation, const std::vector<Tensor>& inputs) {
  Loop loop;
  loop.labels = equation.output;
  std::map<char, std::int64_t> extents;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (int axis = 0; axis < inputs[i].rank(); ++axis) {
      const char label = equation.operands[i][static_cast<std::size_t>(axis)];
      if (loop.labels.find(label) == std::string::npos) loop.labels += label;
      const auto [at, fresh] = extents.emplace(label, inputs[i].dim(axis));
      if (at->second == 1) at->second = inputs[i].dim(axis);
      if (inputs[i].dim(axis) != at->second && inputs[i].dim(axis) != 1) {
        return invalid_argument("Einsum: label '", std::string(1, label), "' is ", at->second, " and ", inputs[i].dim(axis), " long");
      }
    }
  }
  for (const char label : loop.labels) loop.extents.push_back(extents.at(label));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<std::int64_t> strides(loop.labels.size(), 0);
    std::int64_t stride = 1;
    for (int axis = inputs[i].rank() - 1; axis >= 0; --axis) {
      // A repeated label walks along the diagonal: its strides add up.
      if (inputs[i].dim(axis) != 1) strides[loop.labels.find(equation.operands[i][static_cast<std::size_t>(axis)])] += stride;
      stride *= inputs[i].dim(axis);
    }
    loop.strides.push_back(std::move(strides));
  }
  return loop;
}

}  // namespace

Status einsum_reference(KernelContext& context) {
  std::vector<Tensor> inputs;
  std::vector<int> ranks;
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (!context.has_input(i)) return invalid_argument("Einsum: input ", i, " is missing");
    FOVEA_ASSIGN(Tensor wide, widen(context, i));
    ranks.push_back(wide.rank());
    inputs.push_back(std::move(wide));
  }
  FOVEA_ASSIGN(const EinsumEquation equation, parse_einsum(context.attributes().get_string("equation"), ranks));
  FOVEA_ASSIGN(const Loop loop, make_loop(equation, inputs));
  FOVEA_RETURN_IF_ERROR(checked_elements(loop.extents).status());
  if (equation.output.size() > kMaxRank) return unsupported("Einsum: an output of rank ", equation.output.size());
  Shape shape;
  for (std::size_t i = 0; i < equation.output.size(); ++i) shape.push_back(loop.extents[i]);
  FOVEA_ASSIGN(Tensor y, Tensor::allocate(DataType::f64, shape));
  std::int64_t summed = 1;
  for (std::size_t i = equation.output.size(); i < loop.labels.size(); ++i) summed *= loop.extents[i];
  std::vector<std::int64_t> index(loop.labels.size(), 0), offsets(inputs.size(), 0);
  for (std::int64_t o = 0; o < y.elements(); ++o) {
    double sum = 0;
    for (std::int64_t s = 0; s < summed; ++s) {
      double product = 1;
      for (std::size_t k = 0; k < inputs.size(); ++k) product *= inputs[k].data<double>()[offsets[k]];
      sum += product;
      for (std::size_t axis = loop.labels.size(); axis-- > 0;) {  // odometer
        for (std::size_t k = 0; k < inputs.size(); ++k) offsets[k] += loop.strides[k][axis];
        if (++index[axis] < loop.extents[axis]) break;
        for (std::size_t k = 0; k < inputs.size(); ++k) offsets[k] -= loop.strides[k][axis] * loop.extents[axis];
        index[axis] = 0;
      }
    }
    y.data<double>()[o] = sum;
  }
  return store(context, 0, context.input(0).type(), y);
}

}  // namespace fovea::ops
