// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace fovea {

namespace {

Status read_error(const std::filesystem::path& file, const char* what, int code) {
  const bool missing = code == ENOENT || code == EACCES || code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG;
  return {missing ? ErrorCode::NotFound : ErrorCode::ResourceExhausted, str_cat(file.string(), ": ", what, ": ", std::strerror(code))};
}

Status write_error(const std::filesystem::path& file, const char* what, int code) {
  const bool full = code == ENOSPC || code == EFBIG || code == EDQUOT;
  return {full ? ErrorCode::ResourceExhausted : ErrorCode::Unavailable, str_cat(file.string(), ": ", what, ": ", std::strerror(code)),
          full ? "free some space or write to another place; what was there before is untouched"
               : "the folder must exist and be writable; what was there before is untouched"};
}

/// Closes on scope exit.
struct Descriptor {
  int fd = -1;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

Status write_all(int fd, std::span<const std::byte> bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return write_error(file, "cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

/// A link keeps pointing where it does: its target is what is replaced.
std::filesystem::path behind_links(const std::filesystem::path& file) {
  std::error_code ignored;
  std::filesystem::path target = file;
  for (int links = 0; links < 16 && std::filesystem::is_symlink(target, ignored); ++links) {
    target = target.parent_path() / std::filesystem::read_symlink(target, ignored);
  }
  return target;
}

std::string temporary_beside(const std::filesystem::path& target) { return target.string() + ".tmp." + std::to_string(::getpid()); }

int create_new(const std::string& file) { return ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644); }

/// A pipe or device (/dev/null, /dev/stdout) is written to; renaming would put a file in its place.
bool is_device(const std::filesystem::path& file) {
  std::error_code ignored;
  return std::filesystem::exists(file, ignored) && !std::filesystem::is_regular_file(file, ignored);
}

Status check_folder_of(const std::filesystem::path& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return write_error(file, "cannot write", EISDIR);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  if (!std::filesystem::exists(folder, ignored)) return write_error(file, "cannot create", ENOENT);
  if (!std::filesystem::is_directory(folder, ignored)) return write_error(file, "cannot create", ENOTDIR);
  return {};
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& file, std::int64_t max_bytes) {
  // O_NONBLOCK: a pipe given by mistake is refused below instead of waited for.
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (descriptor.fd < 0) return read_error(file, "cannot open", errno);
  struct stat info {};
  if (::fstat(descriptor.fd, &info) != 0) return read_error(file, "cannot read", errno);
  if (S_ISDIR(info.st_mode)) return not_found(file.string(), ": expected a file, found a folder");
  if (!S_ISREG(info.st_mode)) return unsupported(file.string(), ": expected a regular file, found a pipe or device");
  if (info.st_size > max_bytes) {
    return resource_exhausted(file.string(), ": ", info.st_size, " bytes, more than the limit of ", max_bytes);
  }
  std::shared_ptr<MappedFile> mapped(new MappedFile);
  mapped->size_ = static_cast<std::size_t>(info.st_size);
  if (mapped->size_ > 0) {
    void* data = ::mmap(nullptr, mapped->size_, PROT_READ, MAP_PRIVATE, descriptor.fd, 0);
    if (data == MAP_FAILED) return read_error(file, "cannot map", errno);
    mapped->data_ = static_cast<const std::byte*>(data);
  }
  return std::shared_ptr<const MappedFile>(std::move(mapped));
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

Result<std::string> read_file(const std::filesystem::path& file, std::int64_t max_bytes) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file, max_bytes));
  const auto bytes = mapped->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status check_writable(const std::filesystem::path& file) {
  FOVEA_RETURN_IF_ERROR(check_folder_of(file));
  if (is_device(file)) return ::access(file.c_str(), W_OK) == 0 ? Status() : write_error(file, "cannot write", errno);
  // Only trying tells: permissions do not bind everyone, and names may be too long.
  const std::string temporary = temporary_beside(behind_links(file));
  const Descriptor descriptor{create_new(temporary)};
  if (descriptor.fd < 0) return write_error(file, "cannot create", errno);
  ::unlink(temporary.c_str());
  return {};
}

Status make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder)) return write_error(folder, "cannot create this folder", error ? error.value() : ENOTDIR);
  const std::string temporary = temporary_beside(folder / "fovea");
  const Descriptor descriptor{create_new(temporary)};
  if (descriptor.fd < 0) return write_error(folder, "cannot write into this folder", errno);
  ::unlink(temporary.c_str());
  return {};
}

StagedFiles::~StagedFiles() {
  for (const Entry& entry : entries_) ::unlink(entry.temporary.c_str());
}

Status StagedFiles::add(const std::filesystem::path& file, std::span<const std::span<const std::byte>> pieces) {
  FOVEA_RETURN_IF_ERROR(check_folder_of(file));
  const auto write_pieces = [&](const Descriptor& descriptor) -> Status {
    if (descriptor.fd < 0) return write_error(file, "cannot create", errno);
    for (const auto piece : pieces) FOVEA_RETURN_IF_ERROR(write_all(descriptor.fd, piece, file));
    return {};
  };
  if (is_device(file)) return write_pieces(Descriptor{::open(file.c_str(), O_WRONLY | O_CLOEXEC)});
  const std::filesystem::path target = behind_links(file);
  const std::string temporary = temporary_beside(target);
  const Descriptor descriptor{create_new(temporary)};
  if (descriptor.fd >= 0) entries_.push_back({file, target, temporary});
  FOVEA_RETURN_IF_ERROR(write_pieces(descriptor));
  if (::fsync(descriptor.fd) != 0) return write_error(file, "cannot write", errno);
  return {};
}

Status StagedFiles::add(const std::filesystem::path& file, std::string_view text) {
  const std::span<const std::byte> piece(reinterpret_cast<const std::byte*>(text.data()), text.size());
  return add(file, std::span(&piece, 1));
}

Status StagedFiles::commit() {
  for (; !entries_.empty(); entries_.erase(entries_.begin())) {
    const Entry& entry = entries_.front();
    if (::rename(entry.temporary.c_str(), entry.target.c_str()) != 0) return write_error(entry.file, "cannot replace", errno);
  }
  return {};
}

Status write_file_atomically(const std::filesystem::path& file, std::span<const std::span<const std::byte>> pieces) {
  StagedFiles staged;
  FOVEA_RETURN_IF_ERROR(staged.add(file, pieces));
  return staged.commit();
}

Status write_file_atomically(const std::filesystem::path& file, std::string_view text) {
  const std::span<const std::byte> piece(reinterpret_cast<const std::byte*>(text.data()), text.size());
  return write_file_atomically(file, std::span(&piece, 1));
}

}  // namespace fovea
