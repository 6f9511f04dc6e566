// SPDX-License-Identifier: Apache-2.0
// export_onnx: Graph -> ONNX of the file's opset, or one that has all operators. Captures of bodies become outer names
// again; names that would hide an outer one are changed. Large weights go to one file beside the model.
#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "base/file.h"
#include "base/unique_name.h"
#include "fovea/model.h"
#include "ir/graph.h"
#include "onnx/function_table.h"
#include "onnx/older_forms.h"
#include "onnx/tensor_writer.h"
#include "onnx/types.h"
#include "ops/schema.h"

namespace fovea {

namespace {

using namespace onnx;

// Beyond this many bytes in one message (protobuf's own limit is 2 GiB) weights go to an external file.
constexpr std::size_t kMaxInlineBytes = 1'900'000'000;
constexpr std::size_t kExternalAlignment = 4096;

/// Names that nodes read, bodies included.
void collect_read_names(const proto::GraphProto& graph, std::set<std::string_view>& names) {
  for (const auto& node : graph.node()) {
    names.insert(node.input().begin(), node.input().end());
    for (const auto& attribute : node.attribute()) {
      if (attribute.type() == proto::AttributeProto::GRAPH) {
        collect_read_names(attribute.g(), names);
        for (const auto& output : attribute.g().output()) names.insert(output.name());
      }
    }
  }
}

/// The oldest opset that has all nodes and types, and what needs it.
struct Oldest {
  std::int64_t opset = kOldestExportOpset;
  std::string because = "the oldest that is written";
};

void find_oldest(const ir::Graph& graph, Oldest& oldest) {
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    if (!graph.alive(id)) continue;
    const ir::Node& node = graph.node(id);
    if (const std::int64_t opset = oldest_opset(graph, node); opset > oldest.opset) oldest = {opset, str_cat("'", node.name, "' (", node.op, ") needs it")};
    for (const ir::Graph& body : node.bodies) find_oldest(body, oldest);
  }
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
    const ir::Value& value = graph.value(id);
    if (const std::int64_t opset = oldest_opset(value.type.element); opset > oldest.opset) oldest = {opset, str_cat("'", value.name, "' (", name(value.type.element), ") needs it")};
  }
}

class Exporter {
 public:
  Exporter(const ir::Graph& graph, std::int64_t opset, bool external, std::string external_name)
      : graph_(graph), opset_(opset), external_(external), external_name_(std::move(external_name)) {}

  Status write(proto::ModelProto& model);
  /// Pieces of the external file, in order; padding between them is `padding()`.
  const std::vector<std::string>& external_pieces() const { return pieces_; }

 private:
  using Names = std::vector<std::string>;  // by ValueId

  Status write_graph(const ir::Graph& graph, Names names, proto::GraphProto& message);
  Status write_node(const ir::Graph& graph, const ir::Node& node, const Names& names, const std::function<std::string()>& empty, proto::NodeProto& message);
  Status write_body(const ir::Node& node, const ir::Graph& body, const Names& outer_names, proto::AttributeProto& message);
  void write_attribute(const std::string& name, const AttributeValue& value, const ops::OperatorSchema* schema, proto::AttributeProto& message);
  void write_initializer(const ir::Value& value, const std::string& name, proto::TensorProto& message);
  std::string unique(const std::string& hint);

  const ir::Graph& graph_;
  std::int64_t opset_;
  bool external_;
  std::string external_name_;
  std::vector<std::string> pieces_;
  std::size_t external_size_ = 0;
  std::set<std::string, std::less<>> taken_;
  std::set<std::string> domains_;
};

std::string Exporter::unique(const std::string& hint) {
  std::string name = unique_name(hint, [&](const std::string& tried) { return taken_.contains(tried); });
  taken_.insert(name);
  return name;
}

Status Exporter::write(proto::ModelProto& model) {
  model.set_ir_version(ir_version_of(opset_));
  const auto known = [&](const char* key) {
    const auto found = graph_.metadata.find(key);
    return found == graph_.metadata.end() ? std::string() : found->second;
  };
  model.set_producer_name("fovea");
  if (const std::string text = known("onnx.domain"); !text.empty()) model.set_domain(text);
  if (const std::string text = known("onnx.doc_string"); !text.empty()) model.set_doc_string(text);
  for (const auto& [key, value] : graph_.metadata) {
    if (key.starts_with("onnx.")) continue;
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  Names names;
  for (ir::ValueId id = 0; id < graph_.num_values(); ++id) {
    names.push_back(graph_.value(id).name);
    taken_.insert(names.back());
  }
  FOVEA_RETURN_IF_ERROR(write_graph(graph_, std::move(names), *model.mutable_graph()));
  auto& standard = *model.add_opset_import();
  standard.set_domain("");
  standard.set_version(opset_);
  for (const std::string& domain : domains_) {
    auto& import = *model.add_opset_import();
    import.set_domain(domain);
    import.set_version(1);
  }
  return {};
}

Status Exporter::write_graph(const ir::Graph& graph, Names names, proto::GraphProto& message) {
  message.set_name(graph.name.empty() ? "graph" : graph.name);
  std::set<ir::ValueId> declared(graph.inputs.begin(), graph.inputs.end());
  const auto describe = [&](ir::ValueId id, proto::ValueInfoProto& info) {
    const ir::Value& value = graph.value(id);
    info.set_name(names[static_cast<std::size_t>(id)]);
    write_type(value.type, value.shape, *info.mutable_type());
  };
  const bool main = &graph == &graph_;
  if (main) {
    for (const ir::ValueId id : graph.inputs) describe(id, *message.add_input());
  }
  // A body must make its outputs itself, each under a name of its own: what it only hands on is copied.
  std::vector<proto::NodeProto> copies;
  for (const ir::ValueId id : graph.outputs) {
    auto& output = *message.add_output();
    describe(id, output);
    if (!declared.insert(id).second && !main) {
      auto& copy = copies.emplace_back();
      copy.set_op_type("Identity");
      copy.add_input(output.name());
      output.set_name(unique(output.name()));
      copy.add_output(output.name());
    }
  }
  std::string empty_name;
  const auto empty = [&] {
    if (!empty_name.empty()) return empty_name;
    auto& initializer = *message.add_initializer();
    initializer.set_name(empty_name = unique("empty"));
    write_tensor(Tensor::from<float>(DataType::f32, {0}, std::span<const float>()), initializer);
    return empty_name;
  };
  const auto order = graph.try_topological_order();
  if (!order) return internal_error("export: graph '", graph.name, "' has a cycle");
  for (const ir::NodeId id : *order) FOVEA_RETURN_IF_ERROR(write_node(graph, graph.node(id), names, empty, *message.add_node()));
  for (proto::NodeProto& copy : copies) message.add_node()->Swap(&copy);
  // What an older form says in an attribute is no input any more.
  std::set<std::string_view> read;
  collect_read_names(message, read);
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
    const ir::Value& value = graph.value(id);
    const bool used = read.contains(names[static_cast<std::size_t>(id)]) || declared.contains(id);
    if (value.is_constant() && used) {
      write_initializer(value, names[static_cast<std::size_t>(id)], *message.add_initializer());
    } else if (main && value.producer != ir::kNone && value.type.element != DataType::undefined && !declared.contains(id)) {
      describe(id, *message.add_value_info());
    }
  }
  return {};
}

Status Exporter::write_node(const ir::Graph& graph, const ir::Node& node, const Names& names, const std::function<std::string()>& empty, proto::NodeProto& message) {
  const auto split = node.op.find("::");
  message.set_name(node.name);
  message.set_op_type(split == std::string::npos ? node.op : node.op.substr(split + 2));
  if (split != std::string::npos) {
    message.set_domain(node.op.substr(0, split));
    domains_.insert(message.domain());
  }
  const auto name_of = [&](ir::ValueId id) { return id == ir::kNone ? std::string() : names[static_cast<std::size_t>(id)]; };
  const auto captures = static_cast<std::size_t>(node.attributes.get_int("captures"));
  if (captures > node.inputs.size()) return internal_error("export: node '", node.name, "' has fewer inputs than captures");
  for (std::size_t i = 0; i + captures < node.inputs.size(); ++i) message.add_input(name_of(node.inputs[i]));
  for (const ir::ValueId id : node.outputs) message.add_output(name_of(id));

  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  for (const auto& [name, value] : node.attributes) {
    if (name != "captures") write_attribute(name, value, schema, *message.add_attribute());
  }
  std::vector<std::string> body_names;
  if (schema) {
    for (const auto& spec : schema->attributes) {
      if (spec.type == ops::AttributeType::Graph) body_names.emplace_back(spec.name);
    }
  }
  for (std::size_t i = 0; i < node.bodies.size(); ++i) {
    auto& attribute = *message.add_attribute();
    attribute.set_name(i < body_names.size() ? body_names[i] : str_cat("body_", i));
    FOVEA_RETURN_IF_ERROR(write_body(node, node.bodies[i], names, attribute));
  }
  if (split == std::string::npos) write_older_form(graph, node, opset_, empty, message);
  return {};
}

Status Exporter::write_body(const ir::Node& node, const ir::Graph& body, const Names& outer_names, proto::AttributeProto& message) {
  const auto captures = static_cast<std::size_t>(node.attributes.get_int("captures"));
  if (captures > body.inputs.size()) return internal_error("export: a body of node '", node.name, "' has fewer inputs than captures");
  const std::size_t formal = body.inputs.size() - captures;
  Names names(static_cast<std::size_t>(body.num_values()));
  for (std::size_t i = 0; i < captures; ++i) {
    const ir::ValueId captured = node.inputs[node.inputs.size() - captures + i];
    if (captured != ir::kNone) names[static_cast<std::size_t>(body.inputs[formal + i])] = outer_names[static_cast<std::size_t>(captured)];
  }
  for (ir::ValueId id = 0; id < body.num_values(); ++id) {
    std::string& name = names[static_cast<std::size_t>(id)];
    if (name.empty()) name = unique(body.value(id).name);
  }
  message.set_type(proto::AttributeProto::GRAPH);
  auto& graph = *message.mutable_g();
  for (std::size_t i = 0; i < formal; ++i) {
    const ir::Value& value = body.value(body.inputs[i]);
    auto& input = *graph.add_input();
    input.set_name(names[static_cast<std::size_t>(body.inputs[i])]);
    write_type(value.type, value.shape, *input.mutable_type());
  }
  return write_graph(body, std::move(names), graph);
}

void Exporter::write_attribute(const std::string& name, const AttributeValue& value, const ops::OperatorSchema* schema, proto::AttributeProto& message) {
  using Attribute = proto::AttributeProto;
  message.set_name(name);
  ValueType type;
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    message.set_type(Attribute::INT);
    message.set_i(*i);
  } else if (const auto* number = std::get_if<double>(&value)) {
    message.set_type(Attribute::FLOAT);
    message.set_f(static_cast<float>(*number));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (schema && schema->name == "Optional" && parse_type_text(*text, type)) {
      message.set_type(Attribute::TYPE_PROTO);
      write_type(type, {}, *message.mutable_tp());
      return;
    }
    message.set_type(Attribute::STRING);
    message.set_s(*text);
  } else if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&value)) {
    message.set_type(Attribute::INTS);
    message.mutable_ints()->Add(ints->begin(), ints->end());
  } else if (const auto* floats = std::get_if<std::vector<double>>(&value)) {
    message.set_type(Attribute::FLOATS);
    for (const double f : *floats) message.add_floats(static_cast<float>(f));
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) {
    message.set_type(Attribute::STRINGS);
    for (const std::string& s : *strings) message.add_strings(s);
  } else if (const auto* tensor = std::get_if<Tensor>(&value)) {
    message.set_type(Attribute::TENSOR);
    write_tensor(*tensor, *message.mutable_t());
  }
}

void Exporter::write_initializer(const ir::Value& value, const std::string& name, proto::TensorProto& message) {
  constexpr std::size_t kSmall = 1024;
  message.set_name(name);
  if (!external_ || value.constant.type() == DataType::string || value.constant.bytes() < kSmall) {
    write_tensor(value.constant, message);
    return;
  }
  write_tensor_header(value.constant, message);
  std::string bytes = packed_bytes(value.constant);
  const std::size_t padding = (kExternalAlignment - external_size_ % kExternalAlignment) % kExternalAlignment;
  if (padding > 0) pieces_.emplace_back(padding, '\0');
  message.set_data_location(proto::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, std::string text) {
    auto& entry = *message.add_external_data();
    entry.set_key(key);
    entry.set_value(std::move(text));
  };
  add("location", external_name_);
  add("offset", std::to_string(external_size_ + padding));
  add("length", std::to_string(bytes.size()));
  external_size_ += padding + bytes.size();
  pieces_.push_back(std::move(bytes));
}

std::size_t constant_bytes(const ir::Graph& graph) {
  std::size_t bytes = 0;
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) bytes += graph.value(id).constant.bytes();
  for (ir::NodeId id = 0; id < graph.num_node_slots(); ++id) {
    for (const ir::Graph& body : graph.node(id).bodies) bytes += constant_bytes(body);
  }
  return bytes;
}

}  // namespace

OpsetChoice written_opset(const Model& model) {
  Oldest oldest;
  find_oldest(model.graph(), oldest);
  int of_file = static_cast<int>(kNewestOpset);
  if (const auto noted = model.graph().metadata.find("onnx.opset"); noted != model.graph().metadata.end()) {
    std::from_chars(noted->second.data(), noted->second.data() + noted->second.size(), of_file);
  }
  if (oldest.opset <= of_file) return {of_file, ""};
  return {static_cast<int>(oldest.opset), oldest.because};
}

Status check_export(const Model& model, const ExportOptions& options) {
  if (options.opset == 0) return {};
  if (options.opset < kOldestExportOpset || options.opset > kNewestOpset) {
    return invalid_argument("opset: expected ", kOldestExportOpset, " to ", kNewestOpset, ", found ", options.opset);
  }
  Oldest oldest;
  find_oldest(model.graph(), oldest);
  if (oldest.opset <= options.opset) return {};
  return unsupported("opset ", options.opset, ": at least ", oldest.opset, " is needed: ", oldest.because).with_hint("leave --opset away: the oldest that has all operators is chosen");
}

Status export_onnx(const Model& model, const std::filesystem::path& file, const ExportOptions& options) {
  FOVEA_RETURN_IF_ERROR(check_export(model, options));
  const std::int64_t opset = options.opset != 0 ? options.opset : written_opset(model).opset;
  const bool external = constant_bytes(model.graph()) > kMaxInlineBytes;
  const std::filesystem::path data_file = file.string() + ".data";
  Exporter exporter(model.graph(), opset, external, data_file.filename().string());
  proto::ModelProto message;
  FOVEA_RETURN_IF_ERROR(exporter.write(message).with_context(file.string()));
  std::string bytes;
  if (!message.SerializeToString(&bytes)) return resource_exhausted(file.string(), ": the model does not fit in one protobuf message");
  if (external) {
    std::vector<std::span<const std::byte>> pieces;
    for (const std::string& piece : exporter.external_pieces()) pieces.push_back(std::as_bytes(std::span(piece)));
    FOVEA_RETURN_IF_ERROR(write_file_atomically(data_file, pieces));
  }
  return write_file_atomically(file, bytes);
}

}  // namespace fovea
