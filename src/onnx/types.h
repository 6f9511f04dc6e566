// SPDX-License-Identifier: Apache-2.0
// TypeProto <-> ValueType and SymbolicShape, and the symbols that stand for free dimensions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/datum.h"
#include "base/dim.h"
#include "onnx/message_reader.h"

namespace fovea::onnx {

/// Gives every dim_param a symbol that the text form can hold. The same dim_param always gets the same symbol,
/// and different ones never share one.
class Symbols {
 public:
  Dim named(const std::string& dim_param);
  /// A new symbol for the unnamed extent `axis` of the value `name`: "images_0".
  Dim unnamed(std::string_view name, int axis);

 private:
  Dim fresh(std::string_view hint);

  std::map<std::string, std::string> by_param_;
  std::set<std::string> taken_;
};

struct DeclaredType {
  ValueType type;
  std::optional<SymbolicShape> shape;
};

/// Unsupported for maps, sparse tensors, opaque types and nested sequences. A negative dim_value, as some exporters
/// write it, means "unknown".
Result<DeclaredType> read_type(const proto::TypeProto& message, std::string_view value_name, Symbols& symbols);

/// "tensor(f32)", "seq(tensor(i64))", "optional(seq(tensor(f32)))": the text a type attribute (of Optional) has.
std::string type_text(const ValueType& type);
/// The inverse; false for other text.
bool parse_type_text(std::string_view text, ValueType& type);

}  // namespace fovea::onnx
