// SPDX-License-Identifier: Apache-2.0
#include "onnx/older_forms.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "ops/axis.h"
#include "ops/schema.h"

namespace fovea::onnx {

namespace {

/// One node on its way to an older form. Without a message it is only asked whether there is one.
struct OldNode {
  const ir::Graph& graph;
  const ir::Node& node;
  proto::NodeProto* message;
  const std::function<std::string()>* empty;

  bool has(int input) const { return node.has_input(input); }
  const ir::Value& value(int input) const { return graph.value(node.inputs[static_cast<std::size_t>(input)]); }
  std::optional<int> rank(int input) const {
    const auto& shape = value(input).shape;
    return shape ? std::optional<int>(static_cast<int>(shape->size())) : std::nullopt;
  }
  std::optional<std::vector<std::int64_t>> constant_ints(int input) const {
    if (!value(input).is_constant()) return std::nullopt;
    auto values = ops::index_values(value(input).constant, "");
    return values.ok() ? std::optional(*std::move(values)) : std::nullopt;
  }
  DataType element(int input) const { return has(input) ? value(input).type.element : DataType::undefined; }
  std::string text(std::string_view attribute, std::string_view otherwise) const { return node.attributes.get_string(attribute, otherwise); }

  void drop_attribute(std::string_view name) const {
    if (!message) return;
    auto& attributes = *message->mutable_attribute();
    for (int i = attributes.size() - 1; i >= 0; --i) {
      if (attributes[i].name() == name) attributes.DeleteSubrange(i, 1);
    }
  }
  void set_ints(const std::string& name, const std::vector<std::int64_t>& values) const {
    if (!message) return;
    auto& attribute = *message->add_attribute();
    attribute.set_name(name);
    attribute.set_type(proto::AttributeProto::INTS);
    attribute.mutable_ints()->Add(values.begin(), values.end());
  }
  void set_text(const std::string& name, const std::string& value) const {
    drop_attribute(name);
    if (!message) return;
    auto& attribute = *message->add_attribute();
    attribute.set_name(name);
    attribute.set_type(proto::AttributeProto::STRING);
    attribute.set_s(value);
  }
  /// Trailing inputs that are missing are not written.
  void drop_input(int input) const {
    if (!message || input >= message->input_size()) return;
    message->set_input(input, "");
    while (message->input_size() > 0 && message->input(message->input_size() - 1).empty()) message->mutable_input()->RemoveLast();
  }
  void fill_input(int input) const {
    if (!message) return;
    while (message->input_size() <= input) message->add_input("");
    if (message->input(input).empty()) message->set_input(input, (*empty)());
  }
};

// --- changed forms: true when the older form says the same

bool no_older_form(const OldNode&) { return false; }

/// Without axes, or with an empty list, they reduced over all, unless told not to.
bool empty_axes_reduce_all(const OldNode& old) {
  if (old.node.attributes.get_int("noop_with_empty_axes") != 0) return false;
  old.drop_attribute("noop_with_empty_axes");
  return true;
}

/// All axes from `axis` on were one: the same where only one of them has an extent other than 1.
bool one_axis_softmax(const OldNode& old) {
  const auto& shape = old.value(0).shape;
  if (!shape) return false;
  const int rank = static_cast<int>(shape->size());
  const auto axis = ops::normalize_axis(old.node.attributes.get_int("axis", -1), rank);
  if (!axis.ok() || std::any_of(shape->begin() + *axis + 1, shape->end(), [](const Dim& extent) { return !(extent == Dim(1)); })) return false;
  old.drop_attribute("axis");
  if (!old.message) return true;
  auto& attribute = *old.message->add_attribute();
  attribute.set_name("axis");
  attribute.set_type(proto::AttributeProto::INT);
  attribute.set_i(*axis);
  return true;
}

bool inference_outputs(const OldNode& old) { return old.node.outputs.size() == 1; }

/// Scales per axis came later.
bool one_scale(const OldNode& old) {
  if (old.rank(1) != 0 && !(old.value(1).is_constant() && old.value(1).constant.elements() == 1)) return false;
  old.drop_attribute("axis");
  return true;
}

bool older_grid_modes(const OldNode& old) {
  if (old.rank(0) != 4) return false;
  const std::string mode = old.text("mode", "linear");
  old.set_text("mode", mode == "linear" ? "bilinear" : mode == "cubic" ? "bicubic" : mode);
  return true;
}

bool no_wrapping(const OldNode& old) { return old.text("mode", "constant") != "wrap"; }

/// 0 meant "as the input's" only.
bool no_extent_zero(const OldNode& old) {
  if (old.node.attributes.get_int("allowzero") != 0) {
    const auto extents = old.constant_ints(1);
    if (!extents || std::find(extents->begin(), extents->end(), 0) != extents->end()) return false;
  }
  old.drop_attribute("allowzero");
  return true;
}

bool no_symmetric_centres(const OldNode& old) { return old.text("coordinate_transformation_mode", "half_pixel") != "half_pixel_symmetric"; }

/// Regions and scales had to be there; empty ones are none.
bool empty_regions(const OldNode& old) {
  old.fill_input(1);
  old.fill_input(2);
  return true;
}

bool output_half_pixel(const OldNode& old) {
  if (old.text("coordinate_transformation_mode", "half_pixel") != "output_half_pixel") return false;
  old.drop_attribute("coordinate_transformation_mode");
  return true;
}

bool no_extreme_reduction(const OldNode& old) {
  const std::string reduction = old.text("reduction", "none");
  return reduction != "max" && reduction != "min";
}

bool no_reduction(const OldNode& old) {
  if (old.text("reduction", "none") != "none") return false;
  old.drop_attribute("reduction");
  return true;
}

/// Without sizes the parts were equal; a last one that is smaller had to be spelled out.
bool equal_parts(const OldNode& old) {
  if (old.has(1)) return true;
  const auto& shape = old.value(0).shape;
  const auto axis = shape ? ops::normalize_axis(old.node.attributes.get_int("axis", 0), static_cast<int>(shape->size())) : Result<int>(Status(ErrorCode::NotFound, ""));
  const auto parts = static_cast<std::int64_t>(old.node.outputs.size());
  if (!axis.ok()) return false;
  const Dim& extent = (*shape)[static_cast<std::size_t>(*axis)];
  if (!(floor_div(extent, Dim(parts)) * Dim(parts) == extent)) return false;
  old.drop_attribute("num_outputs");
  return true;
}

bool floats_only(const OldNode& old) { return is_floating(old.element(0)); }
bool one_float_type(const OldNode& old) { return is_floating(old.element(0)) && old.element(0) == old.element(1); }

/// True when no input or output is of one of these types.
bool none_of(const OldNode& old, std::initializer_list<DataType> types) {
  const auto is_one = [&](ir::ValueId v) { return v != ir::kNone && std::find(types.begin(), types.end(), old.graph.value(v).type.element) != types.end(); };
  return std::none_of(old.node.inputs.begin(), old.node.inputs.end(), is_one) && std::none_of(old.node.outputs.begin(), old.node.outputs.end(), is_one);
}

bool no_short_integers(const OldNode& old) { return none_of(old, {DataType::i8, DataType::u8, DataType::i16, DataType::u16}); }
bool no_16_bit_integers(const OldNode& old) { return none_of(old, {DataType::i16, DataType::u16}); }
bool no_strings(const OldNode& old) { return none_of(old, {DataType::string}); }
bool no_halves(const OldNode& old) { return none_of(old, {DataType::f16, DataType::bf16}); }

bool only_kinds(const OldNode& old, std::initializer_list<ValueType::Kind> kinds) {
  const auto is_one = [&](ir::ValueId v) { return v == ir::kNone || std::find(kinds.begin(), kinds.end(), old.graph.value(v).type.kind) != kinds.end(); };
  return std::all_of(old.node.inputs.begin(), old.node.inputs.end(), is_one) && std::all_of(old.node.outputs.begin(), old.node.outputs.end(), is_one);
}

bool no_optionals(const OldNode& old) { return only_kinds(old, {ValueType::Kind::Tensor, ValueType::Kind::Sequence}); }
bool tensors_only(const OldNode& old) { return only_kinds(old, {ValueType::Kind::Tensor}); }

// --- the table

using Default = std::variant<std::monostate, std::int64_t, std::string_view>;
constexpr std::monostate kAnyValue;

struct GainedAttribute {
  std::string_view op, attribute;
  std::int64_t opset;
  Default before;
};
struct GainedInput {
  std::string_view op;
  int input;
  std::int64_t opset;
};
struct BecameInput {
  std::string_view op, attribute;
  int input;
  std::int64_t opset;
};
struct ChangedForm {
  std::string_view op;
  std::int64_t opset;
  bool (*older)(const OldNode&);
};

constexpr Default otherwise(std::monostate) { return {}; }
constexpr Default otherwise(int value) { return std::int64_t{value}; }
constexpr Default otherwise(const char* value) { return std::string_view(value); }

constexpr GainedAttribute kGainedAttributes[] = {
#define FOVEA_GAINED_ATTRIBUTE(op, attribute, opset, before) {op, attribute, opset, otherwise(before)},
#include "onnx/older_forms.def"
};
constexpr GainedInput kGainedInputs[] = {
#define FOVEA_GAINED_INPUT(op, input, opset) {op, input, opset},
#include "onnx/older_forms.def"
};
constexpr BecameInput kBecameInputs[] = {
#define FOVEA_ATTRIBUTE_BECAME_INPUT(op, attribute, input, opset) {op, attribute, input, opset},
#include "onnx/older_forms.def"
};
constexpr ChangedForm kChangedForms[] = {
#define FOVEA_CHANGED_FORM(op, opset, older) {op, opset, older},
#include "onnx/older_forms.def"
};

bool says(const AttributeValue& value, const Default& expected) {
  const auto* number = std::get_if<std::int64_t>(&expected);
  if (const auto* i = std::get_if<std::int64_t>(&value)) return number && *i == *number;
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
    return number && std::all_of(list->begin(), list->end(), [&](std::int64_t i) { return i == *number; });
  }
  const auto* text = std::get_if<std::string>(&value);
  const auto* wanted = std::get_if<std::string_view>(&expected);
  return text && wanted && *text == *wanted;
}

/// Walks all that changed for this operator: `opset` and whether the form before it says the same (applied if there is a message).
template <class Visit>
void for_each_change(const OldNode& old, Visit&& visit) {
  const ir::Node& node = old.node;
  for (const BecameInput& row : kBecameInputs) {
    if (row.op != node.op || !old.has(row.input)) continue;
    visit(row.opset, [&] {
      const auto values = old.constant_ints(row.input);
      if (!values) return false;
      if (!values->empty()) old.set_ints(std::string(row.attribute), *values);
      old.drop_input(row.input);
      return true;
    });
  }
  for (const GainedInput& row : kGainedInputs) {
    if (row.op == node.op && old.has(row.input)) visit(row.opset, [] { return false; });
  }
  for (const GainedAttribute& row : kGainedAttributes) {
    const AttributeValue* value = row.op == node.op ? node.attributes.find(row.attribute) : nullptr;
    if (!value) continue;
    visit(row.opset, [&] {
      if (!says(*value, row.before)) return false;
      old.drop_attribute(row.attribute);
      return true;
    });
  }
  for (const ChangedForm& row : kChangedForms) {
    if (row.op == node.op) visit(row.opset, [&] { return row.older(old); });
  }
}

}  // namespace

std::int64_t oldest_opset(DataType type) {
  switch (type) {
    case DataType::bf16: return 13;
    case DataType::f8e4m3fn: case DataType::f8e4m3fnuz: case DataType::f8e5m2: case DataType::f8e5m2fnuz: return 19;
    case DataType::i4: case DataType::u4: return 21;
    case DataType::f4e2m1: return 23;
    case DataType::f8e8m0: return 24;
    case DataType::i2: case DataType::u2: return 25;
    default: return kOldestExportOpset;
  }
}

std::int64_t oldest_opset(const ir::Graph& graph, const ir::Node& node) {
  std::int64_t oldest = kOldestExportOpset;
  if (node.op.find("::") != std::string::npos) return oldest;
  if (const ops::OperatorSchema* schema = ops::find_schema(node.op)) oldest = std::max<std::int64_t>(oldest, schema->since);
  for_each_change({graph, node, nullptr, nullptr}, [&](std::int64_t opset, auto&& older) {
    if (opset > oldest && !older()) oldest = opset;
  });
  return oldest;
}

void write_older_form(const ir::Graph& graph, const ir::Node& node, std::int64_t opset, const std::function<std::string()>& empty,
                      proto::NodeProto& message) {
  for_each_change({graph, node, &message, &empty}, [&](std::int64_t since, auto&& older) {
    if (opset < since) FOVEA_CHECK(older());
  });
}

std::int64_t ir_version_of(std::int64_t opset) {
  struct Row {
    std::int64_t opset, version;
  };
  constexpr Row kRows[] = {{11, 6}, {12, 7}, {15, 8}, {19, 9}, {21, 10}, {23, 11}, {24, 12}, {25, 13}};  // ONNX's Versioning.md
  std::int64_t version = kRows[0].version;
  for (const Row& row : kRows) {
    if (row.opset <= opset) version = row.version;
  }
  return version;
}

}  // namespace fovea::onnx
