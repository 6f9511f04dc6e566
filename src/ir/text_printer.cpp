// SPDX-License-Identifier: Apache-2.0
// Graph -> text (see text.h). Constants stand at the top of their graph in id order, nodes in topological order, so
// that two prints of one graph are equal.
#include <charconv>
#include <cmath>

#include "base/float_types.h"
#include "base/hash.h"
#include "ir/text.h"

namespace fovea::ir {

namespace {

bool is_plain_name(std::string_view name) {
  if (name.empty() || name == "_" || name == "const" || name == "graph" || name == "meta" || name == "as" ||
      name == "from")
    return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == ':' && i + 2 < name.size() && name[i + 1] == ':' && i > 0) {
      ++i;
      continue;
    }
    const bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '/';
    if (!word && !(c == '-' && i > 0)) return false;
  }
  return true;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr char kHex[] = "0123456789abcdef";
      out += "\\x";
      out += kHex[(c >> 4) & 15];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string value_name(std::string_view name) { return is_plain_name(name) ? std::string(name) : quote(name); }

template <class T>
std::string number(T value) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

// Shortest text that reads back as the same number, and is recognisably a float.
template <class T>
std::string float_text(T value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string text = number(value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string element_text(const Tensor& tensor, std::int64_t i) {
  const auto at = [&](auto zero) { return tensor.data<decltype(zero)>()[i]; };
  switch (tensor.type()) {
    case DataType::f32: return float_text(at(0.0f));
    case DataType::f64: return float_text(at(0.0));
    case DataType::f16: return float_text(static_cast<float>(at(Half())));
    case DataType::bf16: return float_text(static_cast<float>(at(BFloat16())));
    case DataType::c64:
      return float_text(tensor.data<float>()[2 * i]) + ", " + float_text(tensor.data<float>()[2 * i + 1]);
    case DataType::c128:
      return float_text(tensor.data<double>()[2 * i]) + ", " + float_text(tensor.data<double>()[2 * i + 1]);
    case DataType::i16: return number(at(std::int16_t{}));
    case DataType::u16: return number(at(std::uint16_t{}));
    case DataType::i32: return number(at(std::int32_t{}));
    case DataType::u32: return number(at(std::uint32_t{}));
    case DataType::i64: return number(at(std::int64_t{}));
    case DataType::u64: return number(at(std::uint64_t{}));
    case DataType::boolean: return at(std::uint8_t{}) ? "true" : "false";
    case DataType::string: return quote(tensor.data<std::string>()[i]);
    case DataType::i8:
    case DataType::i4:
    case DataType::i2: return number(static_cast<int>(at(std::int8_t{})));
    default: return number(static_cast<int>(at(std::uint8_t{})));
  }
}

std::string payload_text(const Tensor& tensor, const TextOptions& options) {
  if (tensor.elements() > options.max_elements) {
    if (tensor.type() == DataType::string) return "elided()";
    const auto digest = sha256({static_cast<const std::byte*>(tensor.raw()), tensor.bytes()});
    return "elided(" + to_hex(digest).substr(0, 12) + ")";
  }
  if (tensor.rank() == 0 && tensor.type() != DataType::c64 && tensor.type() != DataType::c128)
    return element_text(tensor, 0);
  std::string text = "[";
  for (std::int64_t i = 0; i < tensor.elements(); ++i) text += (i ? ", " : "") + element_text(tensor, i);
  return text + "]";
}

std::string shape_text(const SymbolicShape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? "," : "") + shape[i].to_string();
  return text + "]";
}

std::string type_text(const ValueType& type, const std::optional<SymbolicShape>& shape, Layout layout) {
  const std::string element = type.element == DataType::undefined ? "?" : std::string(name(type.element));
  std::string text = element;
  if (type.kind == ValueType::Kind::Sequence) text = "seq(" + element + ")";
  if (type.kind == ValueType::Kind::Optional) text = "optional(" + element + ")";
  if (type.kind == ValueType::Kind::OptionalSequence) text = "optional_seq(" + element + ")";
  if (shape) text += shape_text(*shape);
  if (layout != Layout::plain) text += "@" + std::string(name(layout));
  return text;
}

std::string type_text(const Value& value) { return type_text(value.type, value.shape, value.layout); }

bool has_type(const Value& value) {
  return value.type.element != DataType::undefined || value.type.kind != ValueType::Kind::Tensor ||
         value.shape.has_value();
}

template <class T, class F>
std::string list_text(const std::vector<T>& list, std::string_view prefix_if_empty, F item) {
  if (list.empty()) return std::string(prefix_if_empty) + "[]";
  std::string text = "[";
  for (std::size_t i = 0; i < list.size(); ++i) text += (i ? "," : "") + item(list[i]);
  return text + "]";
}

std::string attribute_text(const AttributeValue& value, const TextOptions& options) {
  struct Printer {
    const TextOptions& options;
    std::string operator()(std::int64_t v) const { return number(v); }
    std::string operator()(double v) const { return float_text(v); }
    std::string operator()(const std::string& v) const { return quote(v); }
    std::string operator()(const std::vector<std::int64_t>& v) const { return list_text(v, "", number<std::int64_t>); }
    std::string operator()(const std::vector<double>& v) const { return list_text(v, "floats", float_text<double>); }
    std::string operator()(const std::vector<std::string>& v) const { return list_text(v, "strings", quote); }
    std::string operator()(const Tensor& v) const {
      return "tensor(" + std::string(name(v.type())) + shape_text(to_symbolic(v.shape())) + ", " +
             payload_text(v, options) + ")";
    }
  };
  return std::visit(Printer{options}, value);
}

std::string node_text(const Graph& graph, const Node& node, const TextOptions& options) {
  std::string text;
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    text += i ? ", " : "";
    if (node.outputs[i] == kNone) {
      text += "_";
      continue;
    }
    const Value& value = graph.value(node.outputs[i]);
    text += value_name(value.name);
    if (options.types && has_type(value)) text += ": " + type_text(value);
  }
  text += (node.outputs.empty() ? "= " : " = ") + value_name(node.op) + "(";
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    text += (i ? ", " : "") + (node.inputs[i] == kNone ? "_" : value_name(graph.value(node.inputs[i]).name));
  }
  text += ")";
  if (!node.attributes.empty()) {
    text += " {";
    bool first = true;
    for (const auto& [key, value] : node.attributes) {
      text += (first ? "" : ", ") + value_name(key) + "=" + attribute_text(value, options);
      first = false;
    }
    text += "}";
  }
  const std::string first_output =
      node.outputs.empty() || node.outputs[0] == kNone ? "" : graph.value(node.outputs[0]).name;
  if (options.node_names && node.name != first_output) text += " as " + value_name(node.name);
  if (options.node_names && !node.sources.empty()) text += " from " + list_text(node.sources, "", quote);
  return text;
}

void print_graph(const Graph& graph, const TextOptions& options, const std::string& indent, std::string& out) {
  out += indent + "graph " + value_name(graph.name) + "(";
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    const Value& value = graph.value(graph.inputs[i]);
    out += (i ? ", " : "") + value_name(value.name);
    if (has_type(value)) out += ": " + type_text(value);
  }
  out += ") -> (";
  for (std::size_t i = 0; i < graph.outputs.size(); ++i)
    out += (i ? ", " : "") + value_name(graph.value(graph.outputs[i]).name);
  out += ") {\n";
  const std::string inner = indent + "  ";
  for (const auto& [key, text] : graph.metadata) out += inner + "meta " + quote(key) + " = " + quote(text) + "\n";
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(id);
    if (!value.is_constant() || graph.is_graph_input(id) || (graph.users(id).empty() && !graph.is_graph_output(id)))
      continue;
    const std::string type =
        type_text({ValueType::Kind::Tensor, value.constant.type()}, to_symbolic(value.constant.shape()), value.layout);
    out +=
        inner + "const " + value_name(value.name) + ": " + type + " = " + payload_text(value.constant, options) + "\n";
  }
  for (NodeId id : graph.topological_order()) {
    out += inner + node_text(graph, graph.node(id), options) + "\n";
    for (const Graph& body : graph.node(id).bodies) print_graph(body, options, inner + "  ", out);
  }
  out += indent + "}\n";
}

}  // namespace

std::string print(const Graph& graph, const TextOptions& options) {
  std::string out;
  print_graph(graph, options, "", out);
  return out;
}

std::string print_node(const Graph& graph, NodeId node) {
  TextOptions options;
  options.types = false;
  options.max_elements = 8;
  return node_text(graph, graph.node(node), options);
}

}  // namespace fovea::ir
