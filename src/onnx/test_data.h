// SPDX-License-Identifier: Apache-2.0
// Values of ONNX test folders: one serialised TensorProto, SequenceProto or OptionalProto per file.
#pragma once

#include <filesystem>

#include "base/datum.h"

namespace fovea::onnx {

/// Reads the kind of message that `type` asks for. An undefined element type is taken from the file.
Result<Datum> read_test_value(const std::filesystem::path& file, const ValueType& type);

}  // namespace fovea::onnx
