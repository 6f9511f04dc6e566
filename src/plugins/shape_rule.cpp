// SPDX-License-Identifier: Apache-2.0
// The other side of fovea_infer: extents are handles into a list, so nothing a rule does with them can go wrong here. What
// makes no sense (an axis beyond the rank, somebody's own number as a handle) is remembered and fails the rule.
#include <deque>

#include "ops/concrete_infer.h"
#include "plugins/adapters.h"
#include "plugins/border.h"

namespace fovea::plugins {

namespace {

constexpr std::size_t kMaxHandles = 100'000;  // a rule that makes more runs in circles

class Rule {
 public:
  Rule(const Description& description, ops::InferContext& context) : context_(context), attributes_(description, context.attributes()) {}

  fovea_infer plain() {
    fovea_infer node = {};
    node.struct_size = sizeof node;
    node.num_inputs = context_.num_inputs();
    node.num_outputs = context_.num_outputs();
    node.num_attributes = attributes_.size();
    node.attributes = attributes_.data();
    node.host = this;
    node.input_present = [](void* host, std::int32_t input) { return self(host).has_input(input) ? 1 : 0; };
    node.input_type = [](void* host, std::int32_t input) { return self(host).input_type(input); };
    node.input_rank = [](void* host, std::int32_t input) { return self(host).input_rank(input); };
    node.input_extent = [](void* host, std::int32_t input, std::int32_t axis) { return self(host).input_extent(input, axis); };
    node.input_elements = [](void* host, std::int32_t input) { return self(host).input_elements(input); };
    node.input_element = [](void* host, std::int32_t input, std::int64_t index) { return self(host).input_element(input, index); };
    node.input_constant = [](void* host, std::int32_t input) { return self(host).input_constant(input); };
    node.number = [](void* host, std::int64_t value) { return self(host).add(Dim(value)); };
    node.number_of = [](void* host, fovea_dim dim, std::int64_t* value) { return self(host).number_of(dim, value); };
    node.combine = [](void* host, std::int32_t operation, fovea_dim a, fovea_dim b) { return self(host).combine(operation, a, b); };
    node.scale = [](void* host, fovea_dim a, double factor) { return self(host).scale(a, factor); };
    node.set_type = [](void* host, std::int32_t output, std::int32_t type) { self(host).set_type(output, type); };
    node.set_shape = [](void* host, std::int32_t output, std::int32_t rank, const fovea_dim* extents) { self(host).set_shape(output, rank, extents); };
    return node;
  }

  /// The first thing that made no sense; empty when all did.
  const std::string& misuse() const { return misuse_; }

 private:
  static Rule& self(void* host) { return *static_cast<Rule*>(host); }

  template <class... Args>
  void note(const Args&... args) {
    if (misuse_.empty()) misuse_ = str_cat(args...);
  }

  bool has_input(std::int32_t i) const { return i >= 0 && i < context_.num_inputs() && context_.has_input(i); }
  const SymbolicShape* shape(std::int32_t i) const { return has_input(i) ? context_.input_shape(i) : nullptr; }

  std::int32_t input_type(std::int32_t i) const { return has_input(i) ? static_cast<std::int32_t>(context_.input_element(i)) : FOVEA_UNDEFINED; }
  std::int32_t input_rank(std::int32_t i) const { return shape(i) ? static_cast<std::int32_t>(shape(i)->size()) : -1; }

  fovea_dim input_extent(std::int32_t i, std::int32_t axis) {
    const SymbolicShape* known = shape(i);
    if (!known) return note("asks for an extent of input ", i, ", whose rank is not known"), FOVEA_NO_DIM;
    if (axis < 0 || axis >= static_cast<std::int32_t>(known->size())) return note("asks for axis ", axis, " of input ", i, " of rank ", known->size()), FOVEA_NO_DIM;
    return add((*known)[static_cast<std::size_t>(axis)]);
  }

  const std::vector<Dim>* elements(std::int32_t i) const { return has_input(i) ? context_.input_value(i) : nullptr; }
  std::int64_t input_elements(std::int32_t i) const { return elements(i) ? static_cast<std::int64_t>(elements(i)->size()) : -1; }
  fovea_dim input_element(std::int32_t i, std::int64_t index) {
    const auto* known = elements(i);
    if (!known || index < 0 || index >= static_cast<std::int64_t>(known->size())) return note("asks for element ", index, " of input ", i, ", which is not known"), FOVEA_NO_DIM;
    return add((*known)[static_cast<std::size_t>(index)]);
  }

  const fovea_tensor* input_constant(std::int32_t i) {
    const Tensor* tensor = has_input(i) ? context_.input_constant(i) : nullptr;
    if (!tensor || tensor->type() == DataType::string) return nullptr;
    return &constants_.emplace_back(plain_tensor(TensorDesc::dense(tensor->type(), tensor->shape()), tensor->raw()));
  }

  fovea_dim add(Dim dim) {
    if (dims_.size() >= kMaxHandles) return note("computes more than ", kMaxHandles, " extents"), FOVEA_NO_DIM;
    dims_.push_back(std::move(dim));
    return static_cast<fovea_dim>(dims_.size() - 1);
  }
  const Dim* find(fovea_dim dim) {
    if (dim >= 0 && dim < static_cast<fovea_dim>(dims_.size())) return &dims_[static_cast<std::size_t>(dim)];
    return note("uses an extent (", dim, ") that nobody gave it"), nullptr;
  }

  std::int32_t number_of(fovea_dim handle, std::int64_t* value) {
    const Dim* dim = find(handle);
    if (!dim || !dim->is_constant()) return 0;
    if (value) *value = dim->constant();
    return 1;
  }

  fovea_dim combine(std::int32_t operation, fovea_dim a, fovea_dim b) {
    const Dim *left = find(a), *right = find(b);
    if (!left || !right) return FOVEA_NO_DIM;
    if ((operation == FOVEA_FLOOR_DIV || operation == FOVEA_CEIL_DIV || operation == FOVEA_MOD) && *right == Dim(0)) return note("divides an extent by 0"), FOVEA_NO_DIM;
    switch (operation) {
      case FOVEA_ADD: return add(*left + *right);
      case FOVEA_SUB: return add(*left - *right);
      case FOVEA_MUL: return add(*left * *right);
      case FOVEA_FLOOR_DIV: return add(floor_div(*left, *right));
      case FOVEA_CEIL_DIV: return add(ceil_div(*left, *right));
      case FOVEA_MOD: return add(mod(*left, *right));
      case FOVEA_MIN: return add(min(*left, *right));
      case FOVEA_MAX: return add(max(*left, *right));
      default: return note("combines extents by the unknown operation ", operation), FOVEA_NO_DIM;
    }
  }

  fovea_dim scale(fovea_dim a, double factor) {
    const Dim* dim = find(a);
    if (!dim) return FOVEA_NO_DIM;
    if (!(factor >= 0 && factor < 1e15)) return note("scales an extent by ", factor), FOVEA_NO_DIM;
    return add(floor_scale(*dim, factor));
  }

  bool is_output(std::int32_t output) {
    // One that the node leaves away is no mistake of the rule's.
    return output >= 0 && output < context_.num_outputs();
  }

  void set_type(std::int32_t output, std::int32_t type) {
    if (type <= FOVEA_UNDEFINED || type > FOVEA_U2 || type == static_cast<int>(DataType::string)) return note("sets output ", output, " to the unknown type ", type);
    if (is_output(output)) context_.set_output_element(output, static_cast<DataType>(type));
  }

  void set_shape(std::int32_t output, std::int32_t rank, const fovea_dim* extents) {
    if (rank < 0 || rank > FOVEA_MAX_RANK || (rank > 0 && !extents)) return note("sets output ", output, " to rank ", rank);
    SymbolicShape found;
    for (std::int32_t axis = 0; axis < rank; ++axis) {
      const Dim* dim = find(extents[axis]);
      if (!dim) return;
      if (dim->is_constant() && dim->constant() < 0) return note("sets axis ", axis, " of output ", output, " to ", dim->constant());
      found.push_back(*dim);
    }
    if (is_output(output)) context_.set_output_shape(output, std::move(found));
  }

  ops::InferContext& context_;
  AttributeList attributes_;
  std::deque<Dim> dims_;
  std::deque<fovea_tensor> constants_;
  std::string misuse_;
};

}  // namespace

Status infer(ops::InferContext& context) {
  const Description& description = description_of(context.op());
  for (int i = 0; i < context.num_inputs(); ++i) {
    if (context.has_input(i)) FOVEA_RETURN_IF_ERROR(check_input_type(description, i, context.input_type(i)));
  }
  Rule rule(description, context);
  const fovea_infer node = rule.plain();
  const Status status = call(description, "the shape rule", [&](fovea_message* why) { return description.callbacks.infer(&node, why); });
  // What the rule did wrong explains what it says, so it comes first.
  if (!rule.misuse().empty()) return invalid_model("plugin '", description.plugin, "': the shape rule ", rule.misuse());
  return status;
}

Result<std::vector<std::optional<TensorDesc>>> infer_concrete(const Problem& problem) {
  ops::ConcreteInfer context(problem);
  FOVEA_RETURN_IF_ERROR(infer(context));
  std::vector<std::optional<TensorDesc>> outputs(problem.outputs.size());
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    const auto shape = context.found[o] ? to_concrete(*context.found[o]) : std::nullopt;
    if (shape && context.types[o].element != DataType::undefined) outputs[o] = TensorDesc::dense(context.types[o].element, *shape);
  }
  return outputs;
}

}  // namespace fovea::plugins
