// SPDX-License-Identifier: Apache-2.0
// fovea::pointwise: interprets the program for one element after the other.
#include "base/checked_math.h"
#include "ops/fused/broadcast.h"
#include "ops/fused/pointwise_program.h"
#include "ops/kernel_context.h"

namespace fovea::ops {

Status fused_pointwise_reference(KernelContext& context) {
  FOVEA_ASSIGN(const PointwiseProgram program, PointwiseProgram::parse(context.attributes().get_string("program")));
  const std::vector<DataType> types = program.input_types();
  if (static_cast<int>(types.size()) > context.num_inputs() || static_cast<int>(program.outputs.size()) != context.num_outputs()) {
    return invalid_argument("program has ", types.size(), " inputs and ", program.outputs.size(), " outputs, the node ", context.num_inputs(),
                            " and ", context.num_outputs());
  }
  Shape shape;
  for (int i = 0; i < context.num_inputs(); ++i) {
    FOVEA_ASSIGN(shape, broadcast(shape, context.input(i).shape()));
    const DataType wanted = i < static_cast<int>(types.size()) ? types[static_cast<std::size_t>(i)] : DataType::undefined;
    if (wanted != DataType::undefined && context.input(i).type() != wanted) {
      return invalid_argument("input ", i, ": the program expects ", name(wanted), ", found ", name(context.input(i).type()));
    }
  }
  FOVEA_ASSIGN(const std::int64_t elements, checked_elements(shape.dims()));
  std::vector<Tensor> outputs;
  for (int i = 0; i < context.num_outputs(); ++i) {
    FOVEA_ASSIGN(Tensor y, context.output(i, program.type_of(program.outputs[static_cast<std::size_t>(i)]), shape));
    outputs.push_back(std::move(y));
  }

  // Row by row of the last axis; an input's elements lie `step` apart along it, 0 where it is stretched.
  const std::int64_t row = shape.rank() > 0 ? shape[shape.rank() - 1] : 1, rows = row > 0 ? elements / row : 0;
  const auto first_of_row = [&](const Tensor& input, std::int64_t r) {
    std::int64_t index = 0, stride = input.rank() > 0 ? input.dim(input.rank() - 1) : 1;
    for (int axis = shape.rank() - 2; axis >= 0; --axis) {
      const int own = axis - (shape.rank() - input.rank());
      if (own >= 0) index += (input.dim(own) == 1 ? 0 : r % shape[axis]) * stride, stride *= input.dim(own);
      r /= shape[axis];
    }
    return index;
  };
#pragma omp parallel if (elements > 4096)
  {
    std::vector<PointwiseScalar> arguments(types.size()), values(program.code.size());
    std::vector<std::int64_t> at(types.size());
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::size_t i = 0; i < types.size(); ++i) at[i] = first_of_row(context.input(static_cast<int>(i)), r);
      for (std::int64_t c = 0; c < row; ++c) {
        for (std::size_t i = 0; i < types.size(); ++i) {
          const Tensor& input = context.input(static_cast<int>(i));
          arguments[i] = load_scalar(input.type(), input.raw(), at[i]);
          at[i] += input.rank() > 0 && input.dim(input.rank() - 1) != 1 ? 1 : 0;
        }
        program.evaluate(arguments.data(), values.data());
        for (std::size_t i = 0; i < outputs.size(); ++i) {
          store_scalar(outputs[i].type(), outputs[i].raw(), r * row + c, values[static_cast<std::size_t>(program.outputs[i])]);
        }
      }
    }
  }
  return {};
}

}  // namespace fovea::ops
