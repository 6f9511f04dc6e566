// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy format: one tensor after a short text header.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "base/check.h"
#include "fovea/tensor.h"

namespace fovea {

/// Limit for what one .npy or .npz file may ask to be allocated.
inline constexpr std::int64_t kMaxNpyBytes = std::int64_t{8} << 30;

/// Versions 1 to 3; either byte order; Fortran order is turned into ours; text (U, S) becomes string tensors.
/// InvalidModel for anything malformed, Unsupported for structured, object and date types.
Result<Tensor> parse_npy(std::span<const std::byte> bytes, std::int64_t max_bytes = kMaxNpyBytes);
Result<Tensor> read_npy(const std::filesystem::path& file);

/// Version 1, little-endian, C order. NumPy has no bf16, 8-bit floats or integers below 8 bits: bf16 is stored as
/// its bits in u2, the others as one u1 or i1 an element, and reads back as these.
Result<std::string> format_npy(const Tensor& tensor);
Status write_npy(const std::filesystem::path& file, const Tensor& tensor);

}  // namespace fovea
