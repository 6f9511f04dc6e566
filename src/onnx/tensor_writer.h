// SPDX-License-Identifier: Apache-2.0
// Tensor -> TensorProto, and ValueType -> TypeProto.
#pragma once

#include <optional>

#include "base/datum.h"
#include "base/dim.h"
#include "onnx/message_reader.h"

namespace fovea::onnx {

/// Type, extents and bytes (raw_data; 4-bit and 2-bit elements packed, strings as string_data).
void write_tensor(const Tensor& tensor, proto::TensorProto& message);
/// Only type and extents.
void write_tensor_header(const Tensor& tensor, proto::TensorProto& message);
/// The bytes of raw_data.
std::string packed_bytes(const Tensor& tensor);
void write_type(const ValueType& type, const std::optional<SymbolicShape>& shape, proto::TypeProto& message);

}  // namespace fovea::onnx
