// SPDX-License-Identifier: Apache-2.0
// Files: read-only mappings and whole-or-nothing writing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/check.h"

namespace fovea {

/// A file mapped read-only. Pages are private: writing through a cast pointer is undefined, and the kernel
/// faults it.
class MappedFile {
 public:
  /// NotFound when it does not exist, cannot be opened or is a folder, Unsupported when it is a pipe or device,
  /// ResourceExhausted when it is larger than `max_bytes`.
  static Result<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& file, std::int64_t max_bytes = INT64_MAX);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Whole file as text or bytes, with the same errors.
Result<std::string> read_file(const std::filesystem::path& file, std::int64_t max_bytes = std::int64_t{1} << 30);

/// Writes beside the target and renames when all bytes are on disk: at any moment the target is either what it
/// was or the whole new content. Pipes and devices are written to directly. Pieces are written in order. Errors name
/// the file and the system's reason: ResourceExhausted for a full disk, else Unavailable.
Status write_file_atomically(const std::filesystem::path& file, std::span<const std::span<const std::byte>> pieces);
Status write_file_atomically(const std::filesystem::path& file, std::string_view text);

/// Whether the file could be created or replaced, for a look before long work.
Status check_writable(const std::filesystem::path& file);

}  // namespace fovea
