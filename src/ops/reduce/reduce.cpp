// SPDX-License-Identifier: Apache-2.0
// Schemas of the Reduce family, ArgMax and ArgMin.
#include "ops/reduce/reduce_axes.h"
#include "ops/schema.h"

namespace fovea::ops {

namespace {

constexpr TypeSet kReducible = kFloatTypes | types(DataType::i32, DataType::i64, DataType::u32, DataType::u64);

/// Shape arithmetic: Prod, Sum, Max and Min of a whole vector of extents.
void propagate(InferContext& context) {
  const std::vector<Dim>* value = context.input_value(0);
  if (!value || value->empty()) return;
  const std::string_view op = context.op();
  Dim result = value->front();
  for (std::size_t i = 0; i < value->size(); ++i) {
    const Dim& next = (*value)[i];
    if (next.is_constant() && (next.constant() > INT32_MAX || next.constant() < INT32_MIN)) return;
    if (i == 0) continue;
    if (op == "ReduceProd") result = result * next;
    else if (op == "ReduceSum") result = result + next;
    else if (op == "ReduceMax") result = max(result, next);
    else if (op == "ReduceMin") result = min(result, next);
    else return;
  }
  const DataType type = context.input_element(0);
  const bool wide = type == DataType::i64 || (result.is_constant() && result.constant() < (1 << 24) && result.constant() > -(1 << 24));
  const bool known = op == "ReduceProd" || op == "ReduceSum" || op == "ReduceMax" || op == "ReduceMin";
  if (known && wide) context.set_output_value(0, {result});
}

Status infer_reduce(InferContext& context) {
  context.set_output_element(0, context.input_element(0));
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  const bool keepdims = context.attributes().get_int("keepdims", 1) != 0;
  const bool noop = context.attributes().get_int("noop_with_empty_axes", 0) != 0;
  std::vector<std::int64_t> axes;
  if (context.has_input(1)) {
    const std::vector<Dim>* value = context.input_value(1);
    if (!value) return {};
    for (const Dim& axis : *value) {
      if (!axis.is_constant()) return {};
      axes.push_back(axis.constant());
    }
  }
  FOVEA_ASSIGN(const AxisSet set, reduced_axes(context.op(), axes, noop, static_cast<int>(shape->size())));
  context.set_output_shape(0, reduced_shape(*shape, set, keepdims));
  if (shape->size() == 1 && set[0]) propagate(context);
  return {};
}

Status infer_arg(InferContext& context) {
  context.set_output_element(0, DataType::i64);
  const SymbolicShape* shape = context.input_shape(0);
  if (!shape) return {};
  const std::int64_t axis[] = {context.attributes().get_int("axis", 0)};
  FOVEA_ASSIGN(const AxisSet set, reduced_axes(context.op(), axis, false, static_cast<int>(shape->size())));
  context.set_output_shape(0, reduced_shape(*shape, set, context.attributes().get_int("keepdims", 1) != 0));
  return {};
}

OperatorSchema reduce(std::string_view name, std::string_view summary, TypeSet types = kReducible) {
  return {.name = name, .max_inputs = 2, .types = types,
          .attributes = {{"keepdims", AttributeType::Int, false, "1"}, {"noop_with_empty_axes", AttributeType::Int, false, "0"}},
          .infer = infer_reduce, .summary = summary};
}

OperatorSchema arg(std::string_view name, std::string_view summary) {
  return {.name = name, .types = kNumericTypes,
          .attributes = {{"axis", AttributeType::Int, false, "0"}, {"keepdims", AttributeType::Int, false, "1"},
                         {"select_last_index", AttributeType::Int, false, "0"}},
          .infer = infer_arg, .summary = summary};
}

constexpr TypeSet kOrdered = kReducible | types(DataType::i8, DataType::u8, DataType::boolean);

}  // namespace

OperatorSchema reduce_l1_schema() { return reduce("ReduceL1", "sum of absolute values over axes"); }
OperatorSchema reduce_l2_schema() { return reduce("ReduceL2", "root of the sum of squares over axes"); }
OperatorSchema reduce_log_sum_schema() { return reduce("ReduceLogSum", "logarithm of the sum over axes"); }
OperatorSchema reduce_log_sum_exp_schema() { return reduce("ReduceLogSumExp", "logarithm of the sum of exponentials over axes"); }
OperatorSchema reduce_max_schema() { return reduce("ReduceMax", "largest element over axes", kOrdered); }
OperatorSchema reduce_mean_schema() { return reduce("ReduceMean", "mean over axes"); }
OperatorSchema reduce_min_schema() { return reduce("ReduceMin", "smallest element over axes", kOrdered); }
OperatorSchema reduce_prod_schema() { return reduce("ReduceProd", "product over axes"); }
OperatorSchema reduce_sum_schema() { return reduce("ReduceSum", "sum over axes"); }
OperatorSchema reduce_sum_square_schema() { return reduce("ReduceSumSquare", "sum of squares over axes"); }

OperatorSchema arg_max_schema() { return arg("ArgMax", "index of the largest element along an axis"); }
OperatorSchema arg_min_schema() { return arg("ArgMin", "index of the smallest element along an axis"); }

}  // namespace fovea::ops
