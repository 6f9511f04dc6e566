// SPDX-License-Identifier: Apache-2.0
// The .pb files of ONNX test folders (input_0.pb, output_0.pb): one value each, whose kind only the model tells.
#pragma once

#include <filesystem>

#include "base/check.h"
#include "base/datum.h"

namespace fovea::onnx {

/// Reads a file as the kind of value that the model declares for it. An empty optional gives an absent Datum.
Result<Datum> read_test_data(const std::filesystem::path& file, const ValueType& type);

Result<Datum> read_tensor_pb(const std::filesystem::path& file);
Result<Datum> read_sequence_pb(const std::filesystem::path& file);
Result<Datum> read_optional_pb(const std::filesystem::path& file);

/// Writes a value in the same form.
Status write_test_data(const std::filesystem::path& file, const Datum& value, const ValueType& type);

}  // namespace fovea::onnx
