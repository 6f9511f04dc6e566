// SPDX-License-Identifier: Apache-2.0
// Text -> Graph (see text.h): recursive descent without a separate lexer, because what a word means depends on where
// it stands. Constants' payloads are in text_constants.cpp.
#include "ir/text_reader.h"

namespace fovea::ir {

namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) {}

  Result<Graph> whole() {
    FOVEA_RETURN_IF_ERROR(in_.expect_word("graph"));
    FOVEA_ASSIGN(Graph graph, this->graph(0));
    if (!in_.at_end()) return in_.error("the end of the text");
    return graph;
  }

 private:
  // After the word `graph`.
  Result<Graph> graph(int depth) {
    if (depth > kMaxDepth) return in_.error(str_cat("at most ", kMaxDepth, " nested graphs"));
    Graph graph;
    FOVEA_ASSIGN(graph.name, in_.name("a graph name"));
    FOVEA_RETURN_IF_ERROR(in_.expect("("));
    while (!in_.accept(")")) {
      if (!graph.inputs.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
      FOVEA_ASSIGN(const ValueId id, typed_value(graph));
      graph.inputs.push_back(id);
    }
    FOVEA_RETURN_IF_ERROR(in_.expect("->"));
    FOVEA_RETURN_IF_ERROR(in_.expect("("));
    // Outputs are named before they exist.
    std::vector<std::pair<std::string, TextReader::Place>> outputs;
    while (!in_.accept(")")) {
      if (!outputs.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
      const auto place = in_.place();
      FOVEA_ASSIGN(std::string name, in_.name("an output name"));
      outputs.emplace_back(std::move(name), place);
    }
    FOVEA_RETURN_IF_ERROR(in_.expect("{"));
    while (!in_.accept("}")) FOVEA_RETURN_IF_ERROR(statement(graph, depth));
    for (const auto& [name, place] : outputs) {
      const ValueId id = graph.find_value(name);
      if (id == kNone) return in_.error_at(place, str_cat("a value named '", name, "'"), "none in this graph");
      graph.outputs.push_back(id);
    }
    return graph;
  }

  Status statement(Graph& graph, int depth) {
    if (in_.accept_word("const")) return constant(graph);
    if (in_.accept_word("meta")) {
      FOVEA_ASSIGN(std::string key, in_.quoted());
      FOVEA_RETURN_IF_ERROR(in_.expect("="));
      FOVEA_ASSIGN(graph.metadata[key], in_.quoted());
      return {};
    }
    return node(graph, depth);
  }

  Status constant(Graph& graph) {
    FOVEA_ASSIGN(const ValueId id, typed_value(graph));
    FOVEA_RETURN_IF_ERROR(in_.expect("="));
    FOVEA_ASSIGN(const Shape shape, concrete_shape(graph.value(id).shape));
    FOVEA_ASSIGN(graph.value(id).constant, read_tensor_payload(in_, graph.value(id).type.element, shape));
    return {};
  }

  Status node(Graph& graph, int depth) {
    Node node;
    while (!in_.accept("=")) {
      if (!node.outputs.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
      if (in_.accept_word("_")) {
        node.outputs.push_back(kNone);
        continue;
      }
      FOVEA_ASSIGN(const ValueId id, typed_value(graph));
      node.outputs.push_back(id);
    }
    FOVEA_ASSIGN(node.op, in_.name("an operator"));
    FOVEA_RETURN_IF_ERROR(in_.expect("("));
    while (!in_.accept(")")) {
      if (!node.inputs.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
      if (in_.accept_word("_")) {
        node.inputs.push_back(kNone);
        continue;
      }
      const auto place = in_.place();
      FOVEA_ASSIGN(const std::string name, in_.name("an input value"));
      const ValueId id = graph.find_value(name);
      if (id == kNone) return in_.error_at(place, "a value that is defined above", str_cat("'", name, "'"));
      for (ValueId output : node.outputs) {
        if (output == id) return in_.error_at(place, "a value that is defined above", "the node's own output");
      }
      node.inputs.push_back(id);
    }
    if (in_.accept("{")) FOVEA_RETURN_IF_ERROR(attributes(node));
    if (in_.accept_word("as")) {
      FOVEA_ASSIGN(node.name, in_.name("a node name"));
    } else if (!node.outputs.empty() && node.outputs[0] != kNone) {
      node.name = graph.value(node.outputs[0]).name;
    }
    if (in_.accept_word("from")) {
      FOVEA_RETURN_IF_ERROR(in_.expect("["));
      while (!in_.accept("]")) {
        if (!node.sources.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
        FOVEA_ASSIGN(std::string source, in_.quoted());
        node.sources.push_back(std::move(source));
      }
    }
    while (in_.accept_word("graph")) {
      FOVEA_ASSIGN(Graph body, this->graph(depth + 1));
      node.bodies.push_back(std::move(body));
    }
    graph.add_node(std::move(node));
    return {};
  }

  // After `{`.
  Status attributes(Node& node) {
    while (!in_.accept("}")) {
      if (!node.attributes.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
      const auto place = in_.place();
      FOVEA_ASSIGN(std::string key, in_.name("an attribute name"));
      if (node.attributes.has(key)) return in_.error_at(place, "each attribute once", str_cat("'", key, "' again"));
      FOVEA_RETURN_IF_ERROR(in_.expect("="));
      FOVEA_ASSIGN(AttributeValue value, attribute_value());
      node.attributes.set(std::move(key), std::move(value));
    }
    return {};
  }

  Result<AttributeValue> attribute_value() {
    if (in_.peek() == '"') {
      FOVEA_ASSIGN(std::string text, in_.quoted());
      return AttributeValue(std::move(text));
    }
    if (in_.accept("[")) return list();
    if (in_.accept_word("floats")) return empty_list(std::vector<double>());
    if (in_.accept_word("strings")) return empty_list(std::vector<std::string>());
    if (in_.accept_word("tensor")) {
      FOVEA_RETURN_IF_ERROR(in_.expect("("));
      Value value;
      FOVEA_RETURN_IF_ERROR(type(value));
      FOVEA_RETURN_IF_ERROR(in_.expect(","));
      FOVEA_ASSIGN(const Shape shape, concrete_shape(value.shape));
      FOVEA_ASSIGN(Tensor tensor, read_tensor_payload(in_, value.type.element, shape));
      FOVEA_RETURN_IF_ERROR(in_.expect(")"));
      return AttributeValue(std::move(tensor));
    }
    FOVEA_ASSIGN(const TextReader::Number number, in_.number());
    return number.is_integer ? AttributeValue(number.integer) : AttributeValue(number.real);
  }

  Result<AttributeValue> empty_list(AttributeValue value) {
    FOVEA_RETURN_IF_ERROR(in_.expect("["));
    FOVEA_RETURN_IF_ERROR(in_.expect("]"));
    return value;
  }

  // After `[`. Numbers are floats as soon as one of them is written as a float.
  Result<AttributeValue> list() {
    std::vector<TextReader::Number> numbers;
    std::vector<std::string> strings;
    bool all_integers = true;
    while (!in_.accept("]")) {
      if (!numbers.empty() || !strings.empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
      if (in_.peek() == '"' && numbers.empty()) {
        FOVEA_ASSIGN(std::string text, in_.quoted());
        strings.push_back(std::move(text));
      } else {
        if (!strings.empty()) return in_.error("a string");
        FOVEA_ASSIGN(const TextReader::Number number, in_.number());
        all_integers = all_integers && number.is_integer;
        numbers.push_back(number);
      }
    }
    if (!strings.empty()) return AttributeValue(std::move(strings));
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
    for (const auto& number : numbers) {
      integers.push_back(number.integer);
      reals.push_back(number.real);
    }
    return all_integers ? AttributeValue(std::move(integers)) : AttributeValue(std::move(reals));
  }

  // name [: type]
  Result<ValueId> typed_value(Graph& graph) {
    const auto place = in_.place();
    FOVEA_ASSIGN(const std::string name, in_.name("a value name"));
    if (graph.find_value(name) != kNone) return in_.error_at(place, "a new name", str_cat("'", name, "' again"));
    const ValueId id = graph.add_value(name);
    if (in_.accept(":")) FOVEA_RETURN_IF_ERROR(type(graph.value(id)));
    return id;
  }

  Status type(Value& value) {
    for (const auto& [word, kind] : {std::pair{"seq", ValueType::Kind::Sequence},
                                     {"optional_seq", ValueType::Kind::OptionalSequence},
                                     {"optional", ValueType::Kind::Optional}}) {
      if (!in_.accept_word(word)) continue;
      value.type.kind = kind;
      FOVEA_RETURN_IF_ERROR(in_.expect("("));
      FOVEA_RETURN_IF_ERROR(element(value));
      FOVEA_RETURN_IF_ERROR(in_.expect(")"));
      break;
    }
    if (value.type.kind == ValueType::Kind::Tensor) FOVEA_RETURN_IF_ERROR(element(value));
    if (in_.accept("[")) {
      value.shape.emplace();
      while (!in_.accept("]")) {
        if (!value.shape->empty()) FOVEA_RETURN_IF_ERROR(in_.expect(","));
        FOVEA_ASSIGN(Dim dim, in_.dim());
        value.shape->push_back(std::move(dim));
      }
    }
    if (in_.accept("@")) {
      for (Layout layout : {Layout::plain, Layout::nhwc, Layout::nchw8c, Layout::nchw16c}) {
        if (in_.accept_word(fovea::name(layout))) {
          value.layout = layout;
          return {};
        }
      }
      return in_.error("a layout");
    }
    return {};
  }

  Status element(Value& value) {
    if (in_.accept("?")) return {};
    for (int i = 1; i <= static_cast<int>(DataType::u2); ++i) {
      if (in_.accept_word(fovea::name(static_cast<DataType>(i)))) {
        value.type.element = static_cast<DataType>(i);
        return {};
      }
    }
    return in_.error("an element type");
  }

  Result<Shape> concrete_shape(const std::optional<SymbolicShape>& shape) const {
    if (!shape || shape->size() > static_cast<std::size_t>(kMaxRank))
      return in_.error("a shape of known, small rank before this");
    const auto concrete = to_concrete(*shape);
    if (!concrete) return in_.error("a shape without symbols before this");
    return *concrete;
  }

  static constexpr int kMaxDepth = 32;
  TextReader in_;
};

}  // namespace

Result<Graph> parse(std::string_view text) { return Parser(text).whole(); }

}  // namespace fovea::ir
