// SPDX-License-Identifier: Apache-2.0
#include "onnx/types.h"

#include <cctype>

#include "base/onnx_data_type.h"
#include "base/unique_name.h"
#include "onnx/tensor_reader.h"

namespace fovea::onnx {

Dim Symbols::fresh(std::string_view hint) {
  std::string base;
  for (const char c : hint.substr(0, 64)) base += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' ? c : '_';
  if (base.empty() || std::isdigit(static_cast<unsigned char>(base[0])) || base[0] == '.') base = "d" + base;
  const std::string symbol = unique_name(base, [&](const std::string& name) { return taken_.contains(name); });
  taken_.insert(symbol);
  return Dim::symbol(symbol);
}

Dim Symbols::named(const std::string& dim_param) {
  if (const auto known = by_param_.find(dim_param); known != by_param_.end()) return Dim::symbol(known->second);
  Dim dim = fresh(dim_param);
  by_param_.emplace(dim_param, dim.symbol_name());
  return dim;
}

Dim Symbols::unnamed(std::string_view name, int axis) { return fresh(str_cat(name.substr(0, 56), "_", axis)); }

namespace {

Result<SymbolicShape> read_shape(const proto::TensorShapeProto& message, std::string_view value_name, Symbols& symbols) {
  if (message.dim_size() > kMaxRank) {
    return unsupported("value ", in_quotes(value_name), " has rank ", message.dim_size(), ": at most ", kMaxRank, " dimensions are supported");
  }
  SymbolicShape shape;
  for (const auto& dim : message.dim()) {
    const int axis = static_cast<int>(shape.size());
    if (dim.has_dim_value() && dim.dim_value() >= 0) {
      shape.emplace_back(dim.dim_value());
    } else if (dim.has_dim_param() && !dim.dim_param().empty()) {
      shape.push_back(symbols.named(dim.dim_param()));
    } else {
      shape.push_back(symbols.unnamed(value_name, axis));
    }
  }
  return shape;
}

Status no_such_type(const char* what, std::string_view value_name) {
  return unsupported("value ", in_quotes(value_name), " is a ", what, "; tensors, sequences of tensors and optionals of these are supported");
}

}  // namespace

Result<DeclaredType> read_type(const proto::TypeProto& message, std::string_view value_name, Symbols& symbols) {
  DeclaredType declared;
  switch (message.value_case()) {
    case proto::TypeProto::VALUE_NOT_SET: return declared;
    case proto::TypeProto::kTensorType: {
      const auto& tensor = message.tensor_type();
      declared.type.element = data_type_from_onnx(tensor.elem_type());
      if (tensor.elem_type() != 0 && declared.type.element == DataType::undefined) {
        return invalid_model("value ", in_quotes(value_name), " has the unknown element type ", tensor.elem_type());
      }
      if (tensor.has_shape()) {
        FOVEA_ASSIGN(declared.shape, read_shape(tensor.shape(), value_name, symbols));
      }
      return declared;
    }
    case proto::TypeProto::kSequenceType: {
      FOVEA_ASSIGN(const DeclaredType element, read_type(message.sequence_type().elem_type(), value_name, symbols));
      if (element.type.kind != ValueType::Kind::Tensor) return no_such_type("sequence of sequences", value_name);
      declared.type = {ValueType::Kind::Sequence, element.type.element};
      return declared;
    }
    case proto::TypeProto::kOptionalType: {
      FOVEA_ASSIGN(const DeclaredType element, read_type(message.optional_type().elem_type(), value_name, symbols));
      if (element.type.kind == ValueType::Kind::Tensor) {
        declared.type = {ValueType::Kind::Optional, element.type.element};
      } else if (element.type.kind == ValueType::Kind::Sequence) {
        declared.type = {ValueType::Kind::OptionalSequence, element.type.element};
      } else {
        return no_such_type("nested optional", value_name);
      }
      return declared;
    }
    case proto::TypeProto::kMapType: return no_such_type("map", value_name);
    case proto::TypeProto::kSparseTensorType: return no_such_type("sparse tensor", value_name);
    case proto::TypeProto::kOpaqueType: return no_such_type("value of an opaque type", value_name);
  }
  return no_such_type("value of an unknown type", value_name);
}

std::string type_text(const ValueType& type) {
  const std::string tensor = str_cat("tensor(", name(type.element), ")");
  switch (type.kind) {
    case ValueType::Kind::Tensor: return tensor;
    case ValueType::Kind::Sequence: return "seq(" + tensor + ")";
    case ValueType::Kind::Optional: return "optional(" + tensor + ")";
    case ValueType::Kind::OptionalSequence: return "optional(seq(" + tensor + "))";
  }
  return tensor;
}

bool parse_type_text(std::string_view text, ValueType& type) {
  for (const auto kind : {ValueType::Kind::Tensor, ValueType::Kind::Sequence, ValueType::Kind::Optional, ValueType::Kind::OptionalSequence}) {
    for (const DataType element : kOnnxDataTypes) {
      if (text == type_text({kind, element})) {
        type = {kind, element};
        return true;
      }
    }
  }
  return false;
}

}  // namespace fovea::onnx
