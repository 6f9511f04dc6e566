// SPDX-License-Identifier: Apache-2.0
// AttributeProto -> AttributeValue (all kinds except graphs, which become bodies), and Constant nodes' tensors.
#pragma once

#include "base/attributes.h"
#include "onnx/tensor_reader.h"

namespace fovea::onnx {

/// The attribute's kind; files from before `type` was obligatory are understood by the field that is set.
proto::AttributeProto::AttributeType attribute_type(const proto::AttributeProto& message);
/// Types (of Optional) become text, see type_text().
Result<AttributeValue> read_attribute(const proto::AttributeProto& message, TensorReader& tensors);
/// The tensor that a Constant node's one attribute stands for; `form` is what the node calls it (value, value_int,
/// value_floats, sparse_value ...).
Result<Tensor> read_constant(std::string_view form, const proto::AttributeProto& message, TensorReader& tensors);

}  // namespace fovea::onnx
