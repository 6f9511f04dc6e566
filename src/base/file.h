// SPDX-License-Identifier: Apache-2.0
// Files: read-only mappings and whole-or-nothing writing.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

/// Files that appear together: each is written beside its target, commit() renames them all, and without it nothing is left.
class StagedFiles {
 public:
  StagedFiles() = default;
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;

  /// Pieces are written in order; all bytes are on disk when this returns. Pipes and devices are written to directly. Errors
  /// name the file and the system's reason: ResourceExhausted for a full disk, else Unavailable.
  Status add(const std::filesystem::path& file, std::span<const std::span<const std::byte>> pieces);
  Status add(const std::filesystem::path& file, std::string_view text);
  Status commit();

 private:
  struct Entry {
    std::filesystem::path file, target;
    std::string temporary;
  };
  std::vector<Entry> entries_;
};

/// One file in this way: at any moment the target is either what it was or the whole new content.
Status write_file_atomically(const std::filesystem::path& file, std::span<const std::span<const std::byte>> pieces);
Status write_file_atomically(const std::filesystem::path& file, std::string_view text);

/// Whether the file could be created or replaced, for a look before long work. Tries it with another name beside it.
Status check_writable(const std::filesystem::path& file);
/// A folder for results: made where it is missing, and tried. The same errors.
Status make_folder(const std::filesystem::path& folder);

}  // namespace fovea
