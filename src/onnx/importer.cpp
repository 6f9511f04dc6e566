// SPDX-License-Identifier: Apache-2.0
#include "onnx/importer.h"

#include <algorithm>
#include <set>

#include "onnx/alias.h"
#include "onnx/seed_rule.h"

namespace fovea::onnx {

namespace {

// Bounds what a nest of functions may expand to: a plain node costs about 10, so a network may have some
// hundred thousand nodes, and a "billion laughs" model is refused within a second or two.
constexpr std::int64_t kMaxWork = 8'000'000;
constexpr int kMaxDepth = 100;

std::string node_label(const proto::NodeProto& message) {
  if (!message.name().empty()) return message.name();
  for (const auto& output : message.output()) {
    if (!output.empty()) return message.op_type() + "(" + output + ")";
  }
  return message.op_type();
}

// What a node and an attribute cost of kMaxWork: about one per small allocation.
std::int64_t cost_of(const proto::NodeProto& message, const std::string& prefix) {
  const auto text = [](const std::string& name) { return static_cast<std::int64_t>(name.size()) / 32; };
  std::int64_t cost = 8 + text(message.name());
  for (const auto& input : message.input()) cost += 1 + text(input);
  for (const auto& output : message.output()) cost += 1 + text(output) + text(prefix);
  return cost;
}

std::int64_t cost_of(const proto::AttributeProto& attribute) {
  return 1 + attribute.ints_size() + attribute.floats_size() + attribute.strings_size() + static_cast<std::int64_t>(attribute.s().size()) / 32;
}

std::string where(const proto::NodeProto& message, const std::string& prefix) {
  return str_cat("node ", in_quotes(prefix + node_label(message)), " (", in_quotes(operator_name(message.domain(), message.op_type())), ")");
}

// Free text may be in any encoding; what is not ASCII is kept only if it is UTF-8.
std::string plain_text(std::string text) {
  if (is_utf8(text)) return text;
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return text;
}

// Values that a rule had to drop (extra training outputs, say) must have no reader.
Status check_all_produced(const ir::Graph& graph) {
  std::vector<char> made(static_cast<std::size_t>(graph.num_values()), 0), used(made.size(), 0);
  for (const ir::ValueId id : graph.inputs) made[static_cast<std::size_t>(id)] = 1;
  for (const ir::ValueId id : graph.outputs) used[static_cast<std::size_t>(id)] = 1;
  for (ir::ValueId id = 0; id < graph.num_values(); ++id) {
    const ir::Value& value = graph.value(id);
    const auto index = static_cast<std::size_t>(id);
    if (made[index] || value.is_constant() || value.producer != ir::kNone) continue;
    if (used[index] || !graph.users(id).empty()) return unsupported("value ", in_quotes(value.name), " exists in training only and is used");
  }
  return {};
}

}  // namespace

Result<ir::Graph> Importer::import_model(proto::ModelProto& model) {
  work_left_ = kMaxWork;
  FOVEA_ASSIGN(Opsets opsets, read_opsets(model.opset_import()));
  if (model.opset_import_size() == 0 && model.ir_version() < 3) opsets[""] = 1;
  FOVEA_ASSIGN(functions_, FunctionTable::read(model, opsets));
  if (!model.has_graph()) return invalid_model("the model holds no graph");

  for (const auto& entry : model.metadata_props()) {
    if (entry.key() != kSeedKey) continue;
    FOVEA_ASSIGN(const std::uint64_t seed, read_seed(entry.value()));
    tensors_.set_seed(seed);
  }
  ir::Graph graph;
  graph.name = model.graph().name();
  Frame frame;
  frame.opsets = &opsets;
  FOVEA_RETURN_IF_ERROR(import_main(*model.mutable_graph(), graph, frame));
  FOVEA_RETURN_IF_ERROR(unknown_operators());

  for (const auto& entry : model.metadata_props()) graph.metadata[entry.key()] = plain_text(entry.value());
  const auto note = [&](const char* key, const std::string& value) {
    if (!value.empty()) graph.metadata[key] = plain_text(value);
  };
  note("onnx.producer_name", model.producer_name());
  note("onnx.producer_version", model.producer_version());
  note("onnx.domain", model.domain());
  note("onnx.doc_string", model.doc_string());
  note("onnx.model_version", model.model_version() ? std::to_string(model.model_version()) : "");
  note("onnx.opset", opsets.contains("") ? std::to_string(opsets[""]) : "");
  return graph;
}

Status Importer::import_main(proto::GraphProto& message, ir::Graph& graph, const Frame& frame) {
  TypeFacts facts(graph);
  Scope scope(graph, facts);
  // Initializers come first: an input of the same name only gives one a default, which is then its value.
  FOVEA_RETURN_IF_ERROR(add_initializers(message, scope, frame));
  for (auto& initializer : *message.mutable_initializer()) std::string().swap(*initializer.mutable_raw_data());
  for (const auto& input : message.input()) {
    const auto taken = scope.find_local(input.name());
    if (taken && graph.value(*taken).is_constant()) continue;
    FOVEA_RETURN_IF_ERROR(add_input(input, scope, frame, true));
  }
  FOVEA_RETURN_IF_ERROR(declare_outputs(message.node(), message.value_info(), scope, frame));
  // Declared output types help rules; shapes are kept because inference may not find them.
  std::set<ir::ValueId> listed;
  for (const auto& output : message.output()) {
    const auto id = scope.find_local(output.name());
    if (!id) return invalid_model("graph output ", in_quotes(output.name()), " is produced by no node");
    if (!listed.insert(*id).second) {
      return invalid_model("graph output ", in_quotes(output.name()), " is listed twice");
    }
    graph.outputs.push_back(*id);
    if (!output.has_type() || graph.value(*id).shape) continue;
    FOVEA_ASSIGN(DeclaredType declared, read_type(output.type(), output.name(), symbols_));
    if (declared.type.element != DataType::undefined) graph.value(*id).type = declared.type;
    graph.value(*id).shape = std::move(declared.shape);
  }
  FOVEA_RETURN_IF_ERROR(import_nodes(message.node(), scope, frame));
  return check_all_produced(graph);
}

Result<Importer::Body> Importer::import_body(const proto::GraphProto& message, Scope& outer, const Frame& frame) {
  Frame inner = frame;
  if (++inner.depth > kMaxDepth) return resource_exhausted("bodies and functions are nested more than ", kMaxDepth, " deep");
  FOVEA_RETURN_IF_ERROR(spend(std::int64_t{message.input_size()} + message.output_size() + message.initializer_size() + message.sparse_initializer_size() +
                                  message.value_info_size(), frame));
  Body body;
  body.graph.name = message.name();
  TypeFacts facts(body.graph);
  Scope scope(body.graph, facts, &outer);
  for (const auto& input : message.input()) FOVEA_RETURN_IF_ERROR(add_input(input, scope, inner, false));
  FOVEA_RETURN_IF_ERROR(add_initializers(message, scope, inner));
  FOVEA_RETURN_IF_ERROR(declare_outputs(message.node(), message.value_info(), scope, inner));
  FOVEA_RETURN_IF_ERROR(import_nodes(message.node(), scope, inner));
  for (const auto& output : message.output()) {
    const auto id = scope.find(output.name());
    if (!id || *id == ir::kNone) return invalid_model("body output ", in_quotes(output.name()), " is produced by no node");
    body.graph.outputs.push_back(*id);
  }
  body.captures = scope.captures();
  return body;
}

Status Importer::add_initializers(const proto::GraphProto& message, Scope& scope, const Frame& frame) {
  const auto add = [&](const std::string& name, Result<Tensor> tensor) -> Status {
    if (!tensor) return std::move(tensor).status().with_context("initializer " + in_quotes(name));
    if (name.empty()) return invalid_model("an initializer has no name");
    if (!scope.declare(name, scope.graph().add_constant(frame.prefix + name, *std::move(tensor)))) {
      return invalid_model("value ", in_quotes(name), " is defined twice");
    }
    return {};
  };
  const bool repeated = !frame.calls.empty();
  for (const auto& initializer : message.initializer()) {
    FOVEA_RETURN_IF_ERROR(add(initializer.name(), repeated ? tensors_.read_shared(initializer) : tensors_.read(initializer)));
  }
  for (const auto& initializer : message.sparse_initializer()) {
    FOVEA_RETURN_IF_ERROR(add(initializer.values().name(), tensors_.read_sparse(initializer)));
  }
  return {};
}

Status Importer::add_input(const proto::ValueInfoProto& message, Scope& scope, const Frame& frame, bool with_shape) {
  if (message.name().empty()) return invalid_model("a graph input has no name");
  FOVEA_ASSIGN(DeclaredType declared, read_type(message.type(), message.name(), symbols_));
  ir::Graph& graph = scope.graph();
  const ir::ValueId id = graph.add_value(frame.prefix + message.name(), declared.type);
  if (!scope.declare(message.name(), id)) return invalid_model("graph input ", in_quotes(message.name()), " is defined twice");
  graph.inputs.push_back(id);
  scope.facts().set(id, {declared.type, declared.shape, {}});
  if (with_shape) graph.value(id).shape = std::move(declared.shape);
  return {};
}

Status Importer::declare_outputs(const NodeList& nodes, const google::protobuf::RepeatedPtrField<proto::ValueInfoProto>& infos, Scope& scope,
                                 const Frame& frame, std::set<std::string> bound) {
  std::map<std::string_view, const proto::TypeProto*> types;
  for (const auto& info : infos) types.emplace(info.name(), &info.type());
  for (const auto& node : nodes) {
    for (const auto& output : node.output()) {
      if (output.empty() || bound.erase(output) > 0) continue;
      const ir::ValueId id = scope.graph().add_value(frame.prefix + output);
      if (!scope.declare(output, id)) return invalid_model("value ", in_quotes(output), " is defined twice").with_context(where(node, frame.prefix));
      if (const auto type = types.find(output); type != types.end()) {
        FOVEA_ASSIGN(DeclaredType declared, read_type(*type->second, output, symbols_));
        scope.graph().value(id).type = declared.type;
        scope.facts().set(id, {declared.type, std::move(declared.shape), {}});
      }
    }
  }
  return {};
}

Status Importer::import_nodes(const NodeList& nodes, Scope& scope, const Frame& frame) {
  FOVEA_ASSIGN(const std::vector<int> order, execution_order(nodes));
  for (const int i : order) {
    if (Status status = import_node(nodes[i], scope, frame); !status.ok()) {
      // The innermost node is the one to name; functions around it show in its prefix.
      if (status.message().starts_with("node '")) return status;
      return std::move(status).with_context(where(nodes[i], frame.prefix));
    }
  }
  return {};
}

Status Importer::spend(std::int64_t work, const Frame& frame) {
  work_left_ -= work;
  if (work_left_ >= 0) return {};
  return resource_exhausted("the model expands to too many nodes", frame.calls.empty() ? "" : " when its functions are put in place of their calls");
}

Result<std::vector<ir::ValueId>> Importer::find_inputs(const proto::NodeProto& message, Scope& scope) {
  std::vector<ir::ValueId> inputs;
  for (const auto& input : message.input()) {
    const auto id = input.empty() ? ir::kNone : scope.find(input);
    if (!id) return invalid_model("input ", in_quotes(input), " is no graph input, initializer or output of a node");
    inputs.push_back(*id);
  }
  while (!inputs.empty() && inputs.back() == ir::kNone) inputs.pop_back();
  return inputs;
}

// The node's attributes, with references to the function's attributes followed. One that the caller did not give and
// that has no default is as if it were not there.
Result<std::vector<Importer::Given>> Importer::find_attributes(const proto::NodeProto& message, const Frame& frame) {
  std::vector<Given> found;
  std::set<std::string_view> names;
  for (const auto& attribute : message.attribute()) {
    if (!names.insert(attribute.name()).second) return invalid_model("attribute ", in_quotes(attribute.name()), " is given twice");
    const std::string& reference = attribute.ref_attr_name();
    if (reference.empty()) {
      found.push_back({attribute.name(), &attribute});
      continue;
    }
    if (!frame.bindings) return invalid_model("attribute ", in_quotes(attribute.name()), " refers to a function's attribute outside of a function");
    const auto bound = frame.bindings->find(reference);
    if (bound == frame.bindings->end()) continue;
    const auto type = attribute_type(*bound->second);
    if (attribute.type() != proto::AttributeProto::UNDEFINED && attribute.type() != type) {
      return invalid_model("attribute ", in_quotes(attribute.name()), " takes the function's attribute ", in_quotes(reference), ", which has another type");
    }
    // Its body would have to see the caller's names from inside the function.
    if (type == proto::AttributeProto::GRAPH) return unsupported("attribute ", in_quotes(attribute.name()), ": a graph given to a function");
    found.push_back({attribute.name(), bound->second});
  }
  std::int64_t work = 0;
  for (const Given& given : found) work += cost_of(*given.value);
  FOVEA_RETURN_IF_ERROR(spend(work, frame));
  return found;
}

Status Importer::import_node(const proto::NodeProto& message, Scope& scope, const Frame& frame) {
  FOVEA_RETURN_IF_ERROR(spend(cost_of(message, frame.prefix), frame));
  if (const Function* function = functions_.find(message)) return call_function(*function, message, scope, frame);
  const std::string op = operator_name(message.domain(), message.op_type());
  if (op == "Constant") return import_constant(message, scope, frame);

  const auto opset = frame.opsets->find(plain_domain(message.domain()));
  if (opset == frame.opsets->end() && plain_domain(message.domain()).empty()) {
    return invalid_model("the model imports no version of the default operator set");
  }
  ir::Node node;
  node.name = frame.prefix + node_label(message);
  node.op = op;
  FOVEA_ASSIGN(node.inputs, find_inputs(message, scope));
  for (const auto& output : message.output()) node.outputs.push_back(output.empty() ? ir::kNone : scope.find_local(output).value_or(ir::kNone));

  FOVEA_ASSIGN(const auto attributes, find_attributes(message, frame));
  std::vector<Given> graphs;
  for (const Given& given : attributes) {
    if (attribute_type(*given.value) == proto::AttributeProto::GRAPH) {
      graphs.push_back(given);
      continue;
    }
    FOVEA_ASSIGN(AttributeValue value, read_attribute(*given.value, tensors_));
    node.attributes.set(std::string(given.name), std::move(value));
  }
  if (!graphs.empty()) FOVEA_RETURN_IF_ERROR(add_bodies(graphs, node, scope, frame));
  return upgrade_and_emit(std::move(node), opset == frame.opsets->end() ? 1 : opset->second, scope, *this);
}

Status Importer::import_constant(const proto::NodeProto& message, Scope& scope, const Frame& frame) {
  FOVEA_ASSIGN(const auto attributes, find_attributes(message, frame));
  if (attributes.size() != 1 || message.output_size() != 1 || message.output(0).empty()) {
    return invalid_model("Constant: expected one attribute and one output, found ", attributes.size(), " and ", message.output_size());
  }
  FOVEA_ASSIGN(Tensor tensor, read_constant(attributes[0].name, *attributes[0].value, tensors_));
  scope.graph().make_constant(*scope.find_local(message.output(0)), std::move(tensor));
  return {};
}

Status Importer::call_function(const Function& function, const proto::NodeProto& call, Scope& scope, const Frame& frame) {
  const proto::FunctionProto& message = *function.message;
  if (std::find(frame.calls.begin(), frame.calls.end(), &function) != frame.calls.end()) {
    return invalid_model("function ", in_quotes(message.name()), " calls itself");
  }
  if (call.input_size() > message.input_size() || call.output_size() > message.output_size()) {
    return invalid_model("function ", in_quotes(message.name()), " has ", message.input_size(), " inputs and ", message.output_size(), " outputs, the call ",
                         call.input_size(), " and ", call.output_size());
  }
  FOVEA_RETURN_IF_ERROR(spend(std::int64_t{message.input_size()} + message.output_size() + message.attribute_proto_size() + message.value_info_size(), frame));
  FOVEA_ASSIGN(const auto given, find_attributes(call, frame));
  auto bindings = function.defaults;
  for (const Given& attribute : given) bindings[std::string(attribute.name)] = attribute.value;

  Frame inner;
  inner.opsets = &function.opsets;
  inner.bindings = &bindings;
  inner.prefix = frame.prefix + node_label(call) + "/";
  inner.depth = frame.depth + 1;
  inner.calls = frame.calls;
  inner.calls.push_back(&function);
  if (inner.depth > kMaxDepth) return resource_exhausted("bodies and functions are nested more than ", kMaxDepth, " deep");

  ir::Graph& graph = scope.graph();
  Scope body(graph, scope.facts());
  FOVEA_ASSIGN(std::vector<ir::ValueId> inputs, find_inputs(call, scope));
  inputs.resize(static_cast<std::size_t>(message.input_size()), ir::kNone);
  for (int i = 0; i < message.input_size(); ++i) {
    if (!body.declare(message.input(i), inputs[static_cast<std::size_t>(i)])) {
      return invalid_model("function ", in_quotes(message.name()), ": input ", in_quotes(message.input(i)), " is defined twice");
    }
  }
  // The caller's values stand for the function's outputs, except where an output is just an input handed on, or
  // the same value again: those are copied.
  std::vector<std::pair<std::string, ir::ValueId>> copies;
  std::set<std::string> bound;
  for (int i = 0; i < message.output_size(); ++i) {
    const bool wanted = i < call.output_size() && !call.output(i).empty();
    const auto target = wanted ? scope.find_local(call.output(i)) : std::nullopt;
    const ir::ValueId id = target ? *target : graph.add_value(inner.prefix + message.output(i));
    if (body.declare(message.output(i), id)) {
      bound.insert(message.output(i));
    } else if (wanted) {
      copies.emplace_back(message.output(i), id);
    }
  }
  FOVEA_RETURN_IF_ERROR(declare_outputs(message.node(), message.value_info(), body, inner, std::move(bound)));
  FOVEA_RETURN_IF_ERROR(import_nodes(message.node(), body, inner));
  for (const auto& [name, target] : copies) {
    const auto source = body.find_local(name);
    if (!source || *source == ir::kNone) return invalid_model("function ", in_quotes(message.name()), " hands on the missing input ", in_quotes(name));
    ir::Node copy;
    copy.name = inner.prefix + name;
    copy.op = "Identity";
    copy.inputs = {*source};
    copy.outputs = {target};
    FOVEA_RETURN_IF_ERROR(emit(std::move(copy), scope));
  }
  for (int i = 0; i < call.output_size(); ++i) {
    if (call.output(i).empty()) continue;
    const ir::Value& value = graph.value(*scope.find_local(call.output(i)));
    if (value.producer == ir::kNone && !value.is_constant()) {
      return invalid_model("function ", in_quotes(message.name()), ": output ", in_quotes(message.output(i)), " is produced by no node");
    }
  }
  return {};
}

Status Importer::add_bodies(const std::vector<Given>& graphs, ir::Node& node, Scope& scope, const Frame& frame) {
  // Bodies in the schema's order; an unknown operator keeps the file's.
  std::vector<Given> ordered;
  if (const ops::OperatorSchema* schema = ops::find_schema(node.op)) {
    for (const ops::AttributeSpec& spec : schema->attributes) {
      if (spec.type != ops::AttributeType::Graph) continue;
      const auto given = std::find_if(graphs.begin(), graphs.end(), [&](const Given& g) { return g.name == spec.name; });
      if (given == graphs.end()) return invalid_model("graph attribute '", spec.name, "' is missing");
      ordered.push_back(*given);
    }
    if (ordered.size() != graphs.size()) return invalid_model("expected ", ordered.size(), " graph attributes, found ", graphs.size());
  } else {
    ordered = graphs;
  }

  std::vector<Body> bodies;
  std::vector<ir::ValueId> captured;  // union over all bodies, in order of first use
  std::set<ir::ValueId> known;
  for (const Given& attribute : ordered) {
    FOVEA_ASSIGN(Body body, import_body(attribute.value->g(), scope, frame));
    for (const Scope::Capture& capture : body.captures) {
      if (known.insert(capture.outer).second) captured.push_back(capture.outer);
    }
    bodies.push_back(std::move(body));
  }
  for (Body& body : bodies) {
    std::map<ir::ValueId, ir::ValueId> own;
    for (const Scope::Capture& capture : body.captures) own.emplace(capture.outer, capture.inner);
    for (const ir::ValueId outer : captured) {
      const auto used = own.find(outer);
      const ir::Value& value = scope.graph().value(outer);
      body.graph.inputs.push_back(used != own.end() ? used->second : body.graph.add_value(value.name, value.type));
    }
    FOVEA_RETURN_IF_ERROR(check_all_produced(body.graph));
    node.bodies.push_back(std::move(body.graph));
  }
  node.inputs.insert(node.inputs.end(), captured.begin(), captured.end());
  if (!captured.empty()) node.attributes.set("captures", static_cast<std::int64_t>(captured.size()));
  return {};
}

Status Importer::emit(ir::Node node, Scope& scope) {
  const ops::OperatorSchema* schema = ops::find_schema(node.op);
  if (!schema) {
    Unknown& unknown = unknown_[node.op];
    if (unknown.count++ == 0) unknown.first_node = node.name;
    scope.graph().add_node(std::move(node));
    return {};
  }
  const int captures = static_cast<int>(node.attributes.get_int("captures"));
  const int inputs = static_cast<int>(node.inputs.size()) - captures;
  FOVEA_RETURN_IF_ERROR(ops::check_against_schema(*schema, node.attributes, inputs, static_cast<int>(node.outputs.size()), static_cast<int>(node.bodies.size())));
  // Only Loop has optional inputs in front of others (trip count and condition).
  const int required = schema->max_inputs >= ops::kVariadic ? inputs : schema->min_inputs;
  for (int i = node.op == "Loop" ? 2 : 0; i < required; ++i) {
    if (!node.has_input(i)) return invalid_model(node.op, ": input ", i, " must not be left out");
  }
  if (node.has_input(0)) {
    const ValueType type = scope.facts().of(node.inputs[0]).type;
    if (type.kind == ValueType::Kind::Tensor && type.element != DataType::undefined && !(schema->types & ops::type_bit(type.element))) {
      return unsupported(node.op, ": input 0 of type ", name(type.element), " is not supported");
    }
  }
  scope.facts().infer(node, *schema);
  scope.graph().add_node(std::move(node));
  return {};
}

Status Importer::unknown_operators() const {
  if (unknown_.empty()) return {};
  constexpr int kMaxListed = 20;
  std::string list, hint;
  int listed = 0;
  for (const auto& [op, unknown] : unknown_) {
    if (++listed > kMaxListed) {
      list += str_cat("; and ", unknown_.size() - kMaxListed, " more");
      break;
    }
    list += str_cat(list.empty() ? "" : "; ", in_quotes(op), " (", unknown.count, unknown.count == 1 ? " node, " : " nodes, first ", in_quotes(unknown.first_node), ")");
    if (const std::string domains = known_domains(op); !domains.empty()) {
      hint += str_cat(hint.empty() ? "" : "; ", in_quotes(op), " is known in the domains ", domains);
      continue;
    }
    std::string nearest;
    for (const std::string_view candidate : ops::nearest_operators(op)) nearest += (nearest.empty() ? "" : ", ") + std::string(candidate);
    if (!nearest.empty()) hint += str_cat(hint.empty() ? "" : "; ", "nearest to ", in_quotes(op), ": ", nearest);
  }
  const bool foreign = std::any_of(unknown_.begin(), unknown_.end(), [](const auto& entry) { return entry.first.find("::") != std::string::npos; });
  if (foreign) hint += str_cat(hint.empty() ? "" : "; ", "operators of your own come from a library: --plugin lib.so");
  return Status(ErrorCode::Unsupported, "unknown operators: " + list, hint.empty() ? "`fovea ops` lists what is known" : hint);
}

}  // namespace fovea::onnx
