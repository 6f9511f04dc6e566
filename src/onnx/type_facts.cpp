// SPDX-License-Identifier: Apache-2.0
#include "onnx/type_facts.h"

namespace fovea::onnx {

namespace {

constexpr std::int64_t kMaxTrackedElements = 64;
constexpr std::size_t kMaxDimText = 2048;  // longer expressions (of hostile models) are forgotten

std::optional<std::vector<Dim>> small_integers(const Tensor& tensor) {
  const bool wide = tensor.type() == DataType::i64;
  if ((!wide && tensor.type() != DataType::i32) || tensor.rank() > 1 || tensor.elements() > kMaxTrackedElements) return std::nullopt;
  std::vector<Dim> values;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) values.emplace_back(wide ? tensor.data<std::int64_t>()[i] : tensor.data<std::int32_t>()[i]);
  return values;
}

class Context final : public ops::InferContext {
 public:
  Context(const ir::Graph& graph, const ir::Node& node, TypeFacts& facts, int& fresh_symbols)
      : graph_(graph), node_(node), facts_(facts), fresh_symbols_(fresh_symbols), found_(node.outputs.size()) {
    for (const ir::ValueId id : node.inputs) inputs_.push_back(id == ir::kNone ? TypeFacts::Fact() : facts.of(id));
  }

  std::string_view op() const override { return node_.op; }
  const Attributes& attributes() const override { return node_.attributes; }
  int num_inputs() const override { return static_cast<int>(node_.inputs.size()); }
  int num_outputs() const override { return static_cast<int>(node_.outputs.size()); }
  bool has_input(int i) const override { return node_.has_input(i); }
  ValueType input_type(int i) const override { return has_input(i) ? input(i).type : ValueType(); }
  const SymbolicShape* input_shape(int i) const override { return has_input(i) && input(i).shape ? &*input(i).shape : nullptr; }
  const Tensor* input_constant(int i) const override {
    if (!has_input(i)) return nullptr;
    const ir::Value& value = graph_.value(node_.inputs[static_cast<std::size_t>(i)]);
    return value.is_constant() ? &value.constant : nullptr;
  }
  const std::vector<Dim>* input_value(int i) const override { return has_input(i) && input(i).value ? &*input(i).value : nullptr; }

  void set_output_type(int i, ValueType type) override {
    if (auto* fact = output(i)) fact->type = type;
  }
  void set_output_shape(int i, SymbolicShape shape) override {
    if (auto* fact = output(i)) fact->shape = std::move(shape);
  }
  void set_output_value(int i, std::vector<Dim> value) override {
    if (auto* fact = output(i)) fact->value = std::move(value);
  }
  Dim fresh_symbol(std::string_view) override { return Dim::symbol("?" + std::to_string(fresh_symbols_++)); }

  void keep() {
    for (std::size_t i = 0; i < found_.size(); ++i) {
      const ir::ValueId id = node_.outputs[i];
      if (id == ir::kNone) continue;
      TypeFacts::Fact merged = facts_.of(id);
      if (found_[i].type.element != DataType::undefined) merged.type = found_[i].type;
      if (found_[i].shape) merged.shape = std::move(found_[i].shape);
      merged.value = std::move(found_[i].value);
      if (merged.value && merged.value->size() > kMaxTrackedElements) merged.value.reset();
      for (auto* dims : {merged.shape ? &*merged.shape : nullptr, merged.value ? &*merged.value : nullptr}) {
        if (!dims) continue;
        for (Dim& dim : *dims) {
          if (!dim.is_constant() && dim.to_string().size() > kMaxDimText) dim = fresh_symbol("long");
        }
      }
      facts_.set(id, std::move(merged));
    }
  }

 private:
  const TypeFacts::Fact& input(int i) const { return inputs_[static_cast<std::size_t>(i)]; }
  TypeFacts::Fact* output(int i) { return i >= 0 && i < num_outputs() ? &found_[static_cast<std::size_t>(i)] : nullptr; }

  const ir::Graph& graph_;
  const ir::Node& node_;
  TypeFacts& facts_;
  int& fresh_symbols_;
  std::vector<TypeFacts::Fact> inputs_, found_;
};

}  // namespace

TypeFacts::Fact& TypeFacts::slot(ir::ValueId id) {
  const auto index = static_cast<std::size_t>(id);
  if (index >= facts_.size()) facts_.resize(index + 1 + index / 2);
  return facts_[index];
}

const TypeFacts::Fact& TypeFacts::of(ir::ValueId id) {
  Fact& fact = slot(id);
  const ir::Value& value = graph_.value(id);
  if (value.is_constant()) {
    if (!fact.shape) fact = {value.type, value.shape, small_integers(value.constant)};
  } else if (fact.type.element == DataType::undefined) {
    fact.type = value.type;
  }
  return fact;
}

void TypeFacts::infer(const ir::Node& node, const ops::OperatorSchema& schema) {
  if (!schema.infer) return;
  Context context(graph_, node, *this, fresh_symbols_);
  if (schema.infer(context).ok()) context.keep();
}

}  // namespace fovea::onnx
