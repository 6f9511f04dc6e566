// SPDX-License-Identifier: Apache-2.0
// NumPy's .npz format: a zip archive of .npy files, the key is the entry's name without ".npy".
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/npy.h"

namespace fovea {

using NamedTensors = std::map<std::string, Tensor>;

/// Stored and deflated entries, zip64 included. All sizes are checked before anything is allocated, checksums
/// after. InvalidModel for anything malformed or beyond `max_bytes` in all, Unsupported for encryption and other
/// compressions.
Result<NamedTensors> parse_npz(std::span<const std::byte> bytes, std::int64_t max_bytes = kMaxNpyBytes);
Result<NamedTensors> read_npz(const std::filesystem::path& file);

/// Stored (like numpy.savez), in the order of the names, without timestamps: same tensors, same bytes.
Result<std::vector<std::string>> format_npz(const NamedTensors& tensors);  ///< in parts, to be written one after the other
Status write_npz(const std::filesystem::path& file, const NamedTensors& tensors);

}  // namespace fovea
