// SPDX-License-Identifier: Apache-2.0
#include "plugins/description.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "base/hash.h"

namespace fovea::plugins {

namespace {

// Far more than anybody needs; a table with garbage in it exceeds them.
constexpr int kMaxOperators = 1024, kMaxPorts = 64, kMaxAttributes = 128, kMaxKernels = 32, kMaxAllowed = 256;
constexpr std::int64_t kMaxElements = 4096;
constexpr std::size_t kMaxText = 256;

constexpr ops::TypeSet kPassing = ((ops::TypeSet{1} << (static_cast<int>(DataType::u2) + 1)) - 1) &
                                  ~(ops::type_bit(DataType::undefined) | ops::type_bit(DataType::string));

// What these structs measured when ABI 1 began: no library's are smaller.
constexpr std::size_t first_size(const fovea_plugin&) { return 32; }
constexpr std::size_t first_size(const fovea_operator&) { return 96; }
constexpr std::size_t first_size(const fovea_kernel&) { return 56; }

/// `from`, which may be shorter (an older library) or longer (a newer one) than this Fovea's struct. What it lacks is zero.
template <class T>
Result<T> copy_struct(const T& from, const char* what) {
  if (from.struct_size < first_size(from)) return invalid_model(what, ": struct_size is ", from.struct_size, ", expected at least ", first_size(from));
  T copy = {};
  std::memcpy(&copy, &from, std::min<std::size_t>(from.struct_size, sizeof copy));
  return copy;
}

Status check_count(const char* what, int count, int limit, const void* list) {
  if (count < 0 || count > limit) return invalid_model("says it has ", count, " ", what, ", at most ", limit, " are possible");
  if (count > 0 && !list) return invalid_model("says it has ", count, " ", what, ", but their list is null");
  return {};
}

Result<std::string> read_text(const char* what, const char* text, bool may_be_empty = false) {
  if (!text) return invalid_model(what, " is null");
  const std::size_t size = strnlen(text, kMaxText + 1);
  if (size > kMaxText) return invalid_model(what, " is longer than ", kMaxText, " characters");
  if (size == 0 && !may_be_empty) return invalid_model(what, " is empty");
  if (std::any_of(text, text + size, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; })) {
    return invalid_model(what, " holds a control character");
  }
  return std::string(text, size);
}

bool is_word(std::string_view text, std::string_view also) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) { return std::isalnum(static_cast<unsigned char>(c)) || also.find(c) != std::string_view::npos; });
}

Result<std::string> read_word(const char* what, const char* text) {
  FOVEA_ASSIGN(std::string word, read_text(what, text));
  if (!is_word(word, "_.-")) return invalid_model(what, " '", word, "' has characters other than letters, digits, '_', '.' and '-'");
  return word;
}

Result<std::string> read_operator_name(const char* text) {
  FOVEA_ASSIGN(std::string name, read_text("its name", text));
  const std::size_t at = name.find("::");
  if (at == std::string::npos || !is_word(name.substr(0, at), "_.-") || !is_word(name.substr(at + 2), "_.-")) {
    return invalid_model("its name is '", name, "', expected 'domain::Name'");
  }
  const std::string domain = name.substr(0, at);
  if (domain == "fovea" || domain == "ai.onnx" || domain.starts_with("ai.onnx.")) return invalid_model("its name is '", name, "', but the domain '", domain, "' is not a plugin's to use");
  return name;
}

Result<std::vector<Port>> read_ports(const char* what, const fovea_port* ports, int count, bool inputs) {
  FOVEA_RETURN_IF_ERROR(check_count(what, count, kMaxPorts, ports));
  std::vector<Port> rows;
  for (int i = 0; i < count; ++i) {
    Port row;
    FOVEA_ASSIGN(row.name, read_text("name", ports[i].name));
    row.types = ports[i].types;
    row.optional = (ports[i].flags & FOVEA_OPTIONAL) != 0;
    row.variadic = (ports[i].flags & FOVEA_VARIADIC) != 0;
    const auto wrong = [&](const auto&... why) { return invalid_model(what, " ", i, " ('", row.name, "'): ", why...); };
    if (ports[i].flags & ~std::uint32_t{FOVEA_OPTIONAL | FOVEA_VARIADIC}) return wrong("unknown flags ", ports[i].flags);
    if (row.types & ~kPassing) return wrong("its types hold one that is unknown or does not pass");
    if (inputs && row.types == 0) return wrong("accepts no type");
    if (row.variadic && (!inputs || i + 1 < count)) return wrong("only the last input can be variadic");
    if (!row.optional && !rows.empty() && rows.back().optional) return wrong("is required behind an optional one");
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<AttributeValue> read_default(const fovea_attribute& stored) {
  const bool is_list = stored.type >= FOVEA_INTS;
  if (is_list && (stored.count < 0 || stored.count > kMaxElements)) return invalid_model("its default has ", stored.count, " elements, at most ", kMaxElements);
  const auto elements = [&](const auto* list) { return std::span(list, static_cast<std::size_t>(list ? stored.count : 0)); };
  const void* list = stored.type == FOVEA_INTS ? static_cast<const void*>(stored.ints) : stored.type == FOVEA_FLOATS ? static_cast<const void*>(stored.floats) : stored.strings;
  if (is_list && stored.count > 0 && !list) return invalid_model("its default has ", stored.count, " elements, but their list is null");
  switch (stored.type) {
    case FOVEA_INT: return AttributeValue(std::int64_t{stored.i});
    case FOVEA_FLOAT: return AttributeValue(stored.f);
    case FOVEA_STRING: {
      FOVEA_ASSIGN(std::string text, read_text("its default", stored.s, true));
      return AttributeValue(std::move(text));
    }
    case FOVEA_INTS: return AttributeValue(std::vector<std::int64_t>(elements(stored.ints).begin(), elements(stored.ints).end()));
    case FOVEA_FLOATS: return AttributeValue(std::vector<double>(elements(stored.floats).begin(), elements(stored.floats).end()));
    default: break;
  }
  std::vector<std::string> texts;
  for (const char* item : elements(stored.strings)) {
    FOVEA_ASSIGN(std::string text, read_text("an element of its default", item, true));
    texts.push_back(std::move(text));
  }
  return AttributeValue(std::move(texts));
}

Result<AttributeRow> read_attribute(const fovea_attribute_spec& spec) {
  AttributeRow row;
  FOVEA_ASSIGN(row.name, read_word("the name of an attribute", spec.fallback.name));
  const auto where = [&](Status status) { return std::move(status).with_context(str_cat("attribute '", row.name, "'")); };
  if (row.name == "captures") return invalid_model("attribute 'captures': the name is taken");
  if (spec.fallback.type < FOVEA_INT || spec.fallback.type > FOVEA_STRINGS) return where(invalid_model("unknown type ", spec.fallback.type));
  row.type = static_cast<ops::AttributeType>(spec.fallback.type);
  row.required = spec.required != 0;
  if (Status status = check_count("allowed values", spec.num_allowed, kMaxAllowed, spec.allowed); !status.ok()) return where(std::move(status));
  if (spec.num_allowed > 0 && row.type != ops::AttributeType::String) return where(invalid_model("only a string can have a list of allowed values"));
  for (int i = 0; i < spec.num_allowed; ++i) {
    auto text = read_text("an allowed value", spec.allowed[i], true);
    if (!text.ok()) return where(std::move(text).status());
    row.allowed.push_back(*std::move(text));
  }
  if (row.required) return row;
  auto fallback = read_default(spec.fallback);
  if (!fallback.ok()) return where(std::move(fallback).status());
  row.fallback = *std::move(fallback);
  row.default_text = value_text(row.fallback);
  if (!row.allowed.empty() && std::find(row.allowed.begin(), row.allowed.end(), std::get<std::string>(row.fallback)) == row.allowed.end()) {
    return where(invalid_model("its default ", row.default_text, " is none of the allowed values"));
  }
  return row;
}

Status read_kernels(const fovea_operator& table, Description& into) {
  FOVEA_RETURN_IF_ERROR(check_count("kernels", table.num_kernels, kMaxKernels, table.kernels));
  std::set<std::string> names;
  bool cpu = false;
  for (int i = 0; i < table.num_kernels; ++i) {
    if (!table.kernels[i]) return invalid_model("kernel ", i, " is null");
    KernelRow row;
    FOVEA_ASSIGN(row.callbacks, copy_struct(*table.kernels[i], "kernel"));
    FOVEA_ASSIGN(row.name, read_word("the name of a kernel", row.callbacks.name));
    if (row.name == "reference" || !names.insert(row.name).second) return invalid_model("kernel '", row.name, "': the name is taken");
    if (row.callbacks.device != FOVEA_CPU && row.callbacks.device != FOVEA_CUDA) return invalid_model("kernel '", row.name, "': unknown device ", row.callbacks.device);
    if (row.callbacks.flags & ~std::uint32_t{FOVEA_STRIDED}) return invalid_model("kernel '", row.name, "': unknown flags ", row.callbacks.flags);
    if (!row.callbacks.run) return invalid_model("kernel '", row.name, "': its callback run is null");
    cpu = cpu || row.callbacks.device == FOVEA_CPU;
    into.kernels.push_back(std::move(row));
  }
  if (!cpu) return invalid_model("has no kernel for the CPU");
  return {};
}

void fill_schema(Description& d) {
  ops::OperatorSchema& schema = d.schema;
  schema.name = d.name;
  const auto required = [](const std::vector<Port>& ports) { return static_cast<int>(std::count_if(ports.begin(), ports.end(), [](const Port& p) { return !p.optional; })); };
  schema.min_inputs = required(d.inputs);
  schema.max_inputs = !d.inputs.empty() && d.inputs.back().variadic ? ops::kVariadic : static_cast<int>(d.inputs.size());
  schema.min_outputs = required(d.outputs);
  schema.max_outputs = static_cast<int>(d.outputs.size());
  schema.types = d.inputs.empty() ? ops::kAllTypes : d.inputs[0].types;
  for (const AttributeRow& row : d.attributes) {
    schema.attributes.push_back({row.name, row.type, row.required, row.default_text, {row.allowed.begin(), row.allowed.end()}});
  }
  schema.traits = d.callbacks.flags & FOVEA_NON_DETERMINISTIC ? ops::kNonDeterministic : ops::kNoTraits;
  schema.summary = d.summary;
}

Status read_operator(const fovea_operator& table, Description& into) {
  FOVEA_ASSIGN(into.callbacks, copy_struct(table, "operator"));
  FOVEA_ASSIGN(into.name, read_operator_name(into.callbacks.name));
  const auto read_rest = [&]() -> Status {
    FOVEA_ASSIGN(into.version, read_text("its version", into.callbacks.version));
    FOVEA_ASSIGN(into.summary, read_text("its summary", into.callbacks.summary ? into.callbacks.summary : "", true));
    if (into.callbacks.flags & ~std::uint32_t{FOVEA_NON_DETERMINISTIC}) return invalid_model("unknown flags ", into.callbacks.flags);
    FOVEA_ASSIGN(into.inputs, read_ports("input", into.callbacks.inputs, into.callbacks.num_inputs, true));
    FOVEA_ASSIGN(into.outputs, read_ports("output", into.callbacks.outputs, into.callbacks.num_outputs, false));
    if (into.outputs.empty() || into.outputs[0].optional) return invalid_model("has no output that is always there");
    FOVEA_RETURN_IF_ERROR(check_count("attributes", into.callbacks.num_attributes, kMaxAttributes, into.callbacks.attributes));
    std::set<std::string_view> names;
    for (int i = 0; i < into.callbacks.num_attributes; ++i) {
      FOVEA_ASSIGN(AttributeRow row, read_attribute(into.callbacks.attributes[i]));
      into.attributes.push_back(std::move(row));
    }
    for (const AttributeRow& row : into.attributes) {
      if (!names.insert(row.name).second) return invalid_model("attribute '", row.name, "' is listed twice");
    }
    FOVEA_RETURN_IF_ERROR(read_kernels(into.callbacks, into));
    if (!into.callbacks.infer) return invalid_model("its callback infer is null");
    return {};
  };
  FOVEA_RETURN_IF_ERROR(read_rest().with_context(str_cat("operator '", into.name, "'")));
  into.has_reference = into.callbacks.reference != nullptr;
  fill_schema(into);
  const std::string text = schema_text(into);
  into.schema_hash = to_hex(sha256(std::as_bytes(std::span(text))));
  return {};
}

}  // namespace

Result<std::vector<std::unique_ptr<Description>>> read_table(const fovea_plugin& table) {
  // The number comes before everything else: of a table of another ABI, only its first two fields are what they seem.
  if (table.abi != FOVEA_PLUGIN_ABI) {
    return Status(ErrorCode::Unsupported, str_cat("it speaks plugin ABI ", table.abi, ", this fovea speaks ", FOVEA_PLUGIN_ABI), "compile it again with the header fovea/plugin.h of this version");
  }
  FOVEA_ASSIGN(const fovea_plugin plugin, copy_struct(table, "its table"));
  FOVEA_ASSIGN(const std::string name, read_text("its name", plugin.name));
  FOVEA_RETURN_IF_ERROR(check_count("operators", plugin.num_operators, kMaxOperators, plugin.operators));
  if (plugin.num_operators == 0) return invalid_model("it has no operators");
  std::vector<std::unique_ptr<Description>> rows;
  for (int i = 0; i < plugin.num_operators; ++i) {
    if (!plugin.operators[i]) return invalid_model("operator ", i, " is null");
    auto row = std::make_unique<Description>();
    row->plugin = name;
    const Status status = read_operator(*plugin.operators[i], *row);
    if (!status.ok()) return row->name.empty() ? Status(status).with_context(str_cat("operator ", i)) : status;
    for (const auto& other : rows) {
      if (other->name == row->name) return invalid_model("operator '", row->name, "' is listed twice");
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace fovea::plugins
