// SPDX-License-Identifier: Apache-2.0
#include "passes/infer_shapes.h"

#include <cmath>
#include <set>

#include "base/element_types.h"
#include "ops/schema.h"

namespace fovea::passes {

namespace {

using ir::Graph;
using ir::kNone;
using ir::Node;
using ir::NodeId;
using ir::Value;
using ir::ValueId;
using BodyValue = ops::InferContext::BodyValue;
using Symbols = std::map<std::string, Dim, std::less<>>;

constexpr std::size_t kMaxElements = 64;   // of a tensor whose elements are followed
constexpr std::size_t kMaxDimText = 2048;  // longer expressions (of hostile models) become symbols
constexpr int kMaxBodyDepth = 16;

/// Names for extents that depend on data, unique over the graph and its bodies.
class FreshSymbols {
 public:
  explicit FreshSymbols(const Graph& graph) { collect(graph); }

  Dim next(std::string_view hint) {
    std::string name;
    do {
      name = str_cat(hint, "_", counters_[std::string(hint)]++);
    } while (!taken_.insert(name).second);
    mine_.insert(name);
    return Dim::symbol(name);
  }
  bool is_mine(const Dim& dim) const { return dim.is_symbol() && mine_.contains(dim.symbol_name()); }

 private:
  void collect(const Graph& graph) {
    std::vector<std::string> names;
    for (ValueId id = 0; id < graph.num_values(); ++id) {
      if (!graph.value(id).shape) continue;
      for (const Dim& dim : *graph.value(id).shape) {
        if (!dim.is_constant()) dim.collect_symbols(names);
      }
    }
    taken_.insert(names.begin(), names.end());
    for (NodeId id = 0; id < graph.num_node_slots(); ++id) {
      for (const Graph& body : graph.node(id).bodies) collect(body);
    }
  }

  std::set<std::string, std::less<>> taken_, mine_;
  std::map<std::string, int, std::less<>> counters_;
};

/// Elements of a small integer tensor (or of a float one that holds integers).
std::optional<std::vector<Dim>> elements_of(const Tensor& tensor) {
  if (tensor.rank() > 1 || tensor.elements() > static_cast<std::int64_t>(kMaxElements)) return std::nullopt;
  std::vector<Dim> dims;
  const auto add = [&]<class T>(TypeTag<T>) -> Status {
    for (const T& element : tensor.values<T>()) {
      if constexpr (kIsFloat<T>) {
        const auto value = static_cast<double>(element);
        if (!(std::abs(value) < 0x1p53) || value != std::floor(value)) return unsupported("not an integer");
        dims.emplace_back(static_cast<std::int64_t>(value));
      } else if constexpr (std::is_same_v<T, Bool>) {
        dims.emplace_back(element.value ? 1 : 0);
      } else {
        dims.emplace_back(static_cast<std::int64_t>(element));
      }
    }
    return {};
  };
  const Status status = tensor.type() == DataType::boolean
                            ? add(TypeTag<Bool>())
                            : dispatch<std::int64_t, std::int32_t, std::int16_t, std::int8_t, std::uint8_t, std::uint16_t, std::uint32_t, float,
                                       double, Half, BFloat16>(tensor.type(), "value", add);
  if (!status.ok()) return std::nullopt;
  return dims;
}

/// What is known of one graph's values during the walk besides what the graph itself stores.
struct Known {
  std::vector<std::optional<std::vector<Dim>>> elements;  ///< per value
  std::vector<std::optional<std::vector<ops::InferContext::Fraction>>> fractions;  ///< per value, where there are no elements
  std::vector<Tensor> constants;                          ///< of body inputs that stand for outer constants
};

class Walk {
 public:
  explicit Walk(FreshSymbols& symbols, bool fold) : symbols_(symbols), fold_(fold) {}

  /// `inputs`: what is known of the inputs of a body; empty for the outermost graph.
  Status run(Graph& graph, std::span<const BodyValue> inputs, int depth, std::vector<BodyValue>* outputs = nullptr);
  int folded() const { return folded_; }

 private:
  friend class NodeContext;
  Status infer_node(Graph& graph, Known& known, NodeId id, int depth);
  void fold(Graph& graph, const Known& known);

  FreshSymbols& symbols_;
  bool fold_;
  int folded_ = 0;
};

/// One node as its shape rule sees it. Findings are merged into the graph when the rule is done.
class NodeContext final : public ops::InferContext {
 public:
  NodeContext(Walk& walk, Graph& graph, const Known& known, NodeId id, int depth)
      : walk_(walk), graph_(graph), known_(known), node_(graph.node(id)), depth_(depth), found_(node_.outputs.size()) {}

  std::string_view op() const override { return node_.op; }
  const Attributes& attributes() const override { return node_.attributes; }
  int num_inputs() const override { return static_cast<int>(node_.inputs.size()); }
  int num_outputs() const override { return static_cast<int>(node_.outputs.size()); }
  bool has_input(int i) const override { return i >= 0 && node_.has_input(i); }
  ValueType input_type(int i) const override { return has_input(i) ? input(i).type : ValueType(); }
  const SymbolicShape* input_shape(int i) const override { return has_input(i) && input(i).shape ? &*input(i).shape : nullptr; }
  const Tensor* input_constant(int i) const override {
    if (!has_input(i)) return nullptr;
    if (input(i).is_constant()) return &input(i).constant;
    const Tensor& outer = known_.constants[index(i)];
    return outer.defined() ? &outer : nullptr;
  }
  const std::vector<Dim>* input_value(int i) const override {
    return has_input(i) && known_.elements[index(i)] ? &*known_.elements[index(i)] : nullptr;
  }
  const std::vector<Fraction>* input_fractions(int i) const override {
    return has_input(i) && known_.fractions[index(i)] ? &*known_.fractions[index(i)] : nullptr;
  }
  void set_output_fractions(int i, std::vector<Fraction> value) override {
    if (Found* found = output(i); found && value.size() <= kMaxElements) found->fractions = std::move(value);
  }
  void set_output_type(int i, ValueType type) override {
    if (Found* found = output(i)) found->type = type;
  }
  void set_output_shape(int i, SymbolicShape shape) override {
    if (Found* found = output(i)) found->shape = std::move(shape);
  }
  void set_output_value(int i, std::vector<Dim> value) override {
    if (Found* found = output(i); found && value.size() <= kMaxElements) found->elements = std::move(value);
  }
  Dim fresh_symbol(std::string_view hint) override { return walk_.symbols_.next(hint); }
  int num_bodies() const override { return static_cast<int>(node_.bodies.size()); }
  Result<std::vector<BodyValue>> infer_body(int i, std::span<const BodyValue> inputs) override;

  Status merge(Known& known);

 private:
  struct Found {
    ValueType type;
    std::optional<SymbolicShape> shape;
    std::optional<std::vector<Dim>> elements;
    std::optional<std::vector<Fraction>> fractions;
  };
  std::size_t index(int i) const { return static_cast<std::size_t>(node_.inputs[static_cast<std::size_t>(i)]); }
  const Value& input(int i) const { return graph_.value(node_.inputs[static_cast<std::size_t>(i)]); }
  Found* output(int i) { return i >= 0 && i < num_outputs() ? &found_[static_cast<std::size_t>(i)] : nullptr; }
  Status merge_shape(Value& value, SymbolicShape found, Symbols& renamed);

  Walk& walk_;
  Graph& graph_;
  const Known& known_;
  Node& node_;
  int depth_;
  std::vector<Found> found_;
  std::vector<Graph> untouched_bodies_;
};

Result<std::vector<BodyValue>> NodeContext::infer_body(int i, std::span<const BodyValue> inputs) {
  const auto at = static_cast<std::size_t>(i);
  if (at >= node_.bodies.size()) return invalid_model("body ", i, " is missing");
  // A rule may infer a body again with looser shapes (Loop), which must not meet the findings of the first time.
  if (untouched_bodies_.empty()) untouched_bodies_ = node_.bodies;
  Graph body = untouched_bodies_[at];
  std::vector<BodyValue> outputs;
  FOVEA_RETURN_IF_ERROR(walk_.run(body, inputs, depth_ + 1, &outputs).with_context(str_cat("body '", body.name, "'")));
  node_.bodies[at] = std::move(body);
  return outputs;
}

Status NodeContext::merge_shape(Value& value, SymbolicShape found, Symbols& renamed) {
  for (Dim& dim : found) {
    if (!dim.is_constant()) {
      if (!renamed.empty()) dim = dim.substitute(renamed);
      if (dim.to_string().size() > kMaxDimText) dim = walk_.symbols_.next("long");
    } else if (dim.constant() < 0) {
      return invalid_model("value '", value.name, "' gets the negative extent ", dim.constant());
    }
  }
  if (!value.shape) {
    value.shape = std::move(found);
    return {};
  }
  if (value.shape->size() != found.size()) {
    return invalid_model("value '", value.name, "' is declared as ", to_string(*value.shape), " but inferred as ", to_string(found));
  }
  for (std::size_t axis = 0; axis < found.size(); ++axis) {
    Dim& declared = (*value.shape)[axis];
    const Dim& inferred = found[axis];
    if (declared == inferred) continue;
    if (declared.is_constant() && inferred.is_constant()) {
      return invalid_model("value '", value.name, "' is declared as ", to_string(*value.shape), " but inferred as ", to_string(found));
    }
    if (walk_.symbols_.is_mine(inferred)) {
      renamed.insert_or_assign(inferred.symbol_name(), declared);
    } else if (!declared.is_constant()) {
      declared = inferred;
    }
  }
  return {};
}

Status NodeContext::merge(Known& known) {
  Symbols renamed;  // new symbols of this node whose extent already had a name
  for (std::size_t i = 0; i < found_.size(); ++i) {
    const ValueId id = node_.outputs[i];
    if (id == kNone) continue;
    Value& value = graph_.value(id);
    Found& found = found_[i];
    if (found.type.element != DataType::undefined || found.type.kind != ValueType::Kind::Tensor) {
      if (value.type.element == DataType::undefined) {
        value.type = found.type;
      } else if (found.type.element != DataType::undefined && value.type.element != found.type.element) {
        return invalid_model("value '", value.name, "' is declared with element type ", name(value.type.element), " but inferred with ",
                             name(found.type.element));
      }
    }
    if (found.shape) FOVEA_RETURN_IF_ERROR(merge_shape(value, *std::move(found.shape), renamed));
    // Fractions of renamed symbols are dropped: they are met again under their final names.
    if (found.fractions && renamed.empty() && value.shape && value.shape->size() <= 1) known.fractions[static_cast<std::size_t>(id)] = std::move(found.fractions);
    if (!found.elements || !value.shape || value.shape->size() > 1) continue;
    const Dim count = value.shape->empty() ? Dim(1) : value.shape->front();
    if (!(count == Dim(static_cast<std::int64_t>(found.elements->size())))) continue;
    bool short_enough = true;
    for (Dim& dim : *found.elements) {
      if (!renamed.empty() && !dim.is_constant()) dim = dim.substitute(renamed);
      short_enough = short_enough && (dim.is_constant() || dim.to_string().size() <= kMaxDimText);
    }
    if (short_enough) known.elements[static_cast<std::size_t>(id)] = std::move(found.elements);
  }
  return {};
}

Status Walk::infer_node(Graph& graph, Known& known, NodeId id, int depth) {
  const Node& node = graph.node(id);
  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  if (!schema || !schema->infer) return {};
  const std::string where = str_cat("node '", node.name, "' (", node.spelling.op.empty() ? node.op : node.spelling.op, ")");
  NodeContext context(*this, graph, known, id, depth);
  if (Status status = schema->infer(context); !status.ok()) return node.spelling.in_file_words(std::move(status)).with_context(where);
  return context.merge(known).with_context(where);
}

Status Walk::run(Graph& graph, std::span<const BodyValue> inputs, int depth, std::vector<BodyValue>* outputs) {
  if (depth > kMaxBodyDepth) return unsupported("bodies are nested more than ", kMaxBodyDepth, " deep");
  const auto order = graph.try_topological_order();
  if (!order) return invalid_model("graph '", graph.name, "' has a cycle");
  Known known;
  known.elements.resize(static_cast<std::size_t>(graph.num_values()));
  known.fractions.resize(known.elements.size());
  known.constants.resize(known.elements.size());
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (graph.value(id).is_constant()) known.elements[static_cast<std::size_t>(id)] = elements_of(graph.value(id).constant);
  }
  for (std::size_t i = 0; i < std::min(inputs.size(), graph.inputs.size()); ++i) {
    Value& value = graph.value(graph.inputs[i]);
    if (inputs[i].type.element != DataType::undefined) value.type = inputs[i].type;
    // A body's own declaration may be more precise, or plainly wrong about what is passed in: what is passed in counts.
    if (inputs[i].shape) value.shape = inputs[i].shape;
    known.elements[static_cast<std::size_t>(graph.inputs[i])] = inputs[i].value;
    known.constants[static_cast<std::size_t>(graph.inputs[i])] = inputs[i].constant;
  }
  for (NodeId id : *order) FOVEA_RETURN_IF_ERROR(infer_node(graph, known, id, depth));
  if (outputs) {
    for (ValueId id : graph.outputs) {
      if (id == kNone) {
        outputs->emplace_back();
        continue;
      }
      const Value& value = graph.value(id);
      const auto at = static_cast<std::size_t>(id);
      outputs->push_back({value.type, value.shape, known.elements[at], value.is_constant() ? value.constant : known.constants[at]});
    }
  }
  if (fold_) fold(graph, known);
  return {};
}

void Walk::fold(Graph& graph, const Known& known) {
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(id);
    const auto& elements = known.elements[static_cast<std::size_t>(id)];
    if (!elements || value.is_constant() || value.producer == kNone || value.type.kind != ValueType::Kind::Tensor || !value.shape) continue;
    const auto shape = to_concrete(*value.shape);
    if (!shape || shape->elements() != static_cast<std::int64_t>(elements->size())) continue;
    std::vector<std::int64_t> numbers;
    for (const Dim& dim : *elements) {
      if (dim.is_constant()) numbers.push_back(dim.constant());
    }
    auto tensor = Tensor::allocate(value.type.element, *shape);
    if (numbers.size() != elements->size() || !tensor.ok()) continue;
    bool fits = true;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const std::int64_t number = numbers[i];
      switch (value.type.element) {
        case DataType::i64: tensor->data<std::int64_t>()[i] = number; break;
        case DataType::i32:
          fits = fits && number == static_cast<std::int32_t>(number);
          tensor->data<std::int32_t>()[i] = static_cast<std::int32_t>(number);
          break;
        case DataType::boolean:
          fits = fits && (number == 0 || number == 1);
          tensor->data<std::uint8_t>()[i] = static_cast<std::uint8_t>(number);
          break;
        default: fits = false;
      }
    }
    if (!fits) continue;
    graph.make_constant(id, *std::move(tensor));
    ++folded_;
  }
}

}  // namespace

Status infer_shapes(Graph& graph) {
  FreshSymbols symbols(graph);
  return Walk(symbols, false).run(graph, {}, 0);
}

Result<int> fold_propagated_values(Graph& graph) {
  FreshSymbols symbols(graph);
  Walk walk(symbols, true);
  FOVEA_RETURN_IF_ERROR(walk.run(graph, {}, 0));
  return walk.folded();
}

}  // namespace fovea::passes
