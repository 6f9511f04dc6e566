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

Status system_error(const std::filesystem::path& file, const char* what, int code) {
  const ErrorCode kind = code == ENOENT || code == EACCES || code == ENOTDIR || code == EISDIR ? ErrorCode::NotFound : ErrorCode::ResourceExhausted;
  return {kind, str_cat(file.string(), ": ", what, ": ", std::strerror(code))};
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
    if (count < 0) return system_error(file, "cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& file, std::int64_t max_bytes) {
  // O_NONBLOCK: a pipe given by mistake is refused below instead of waited for.
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (descriptor.fd < 0) return system_error(file, "cannot open", errno);
  struct stat info {};
  if (::fstat(descriptor.fd, &info) != 0) return system_error(file, "cannot read", errno);
  if (!S_ISREG(info.st_mode)) return invalid_argument(file.string(), ": not a regular file");
  if (info.st_size > max_bytes) {
    return resource_exhausted(file.string(), ": ", info.st_size, " bytes, more than the limit of ", max_bytes);
  }
  std::shared_ptr<MappedFile> mapped(new MappedFile);
  mapped->size_ = static_cast<std::size_t>(info.st_size);
  if (mapped->size_ > 0) {
    void* data = ::mmap(nullptr, mapped->size_, PROT_READ, MAP_PRIVATE, descriptor.fd, 0);
    if (data == MAP_FAILED) return system_error(file, "cannot map", errno);
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

Status write_file_atomically(const std::filesystem::path& file, std::span<const std::span<const std::byte>> pieces) {
  const std::string temporary = file.string() + ".tmp." + std::to_string(::getpid());
  const auto write = [&]() -> Status {
    const Descriptor descriptor{::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
    if (descriptor.fd < 0) return system_error(file, "cannot create", errno);
    for (const auto piece : pieces) FOVEA_RETURN_IF_ERROR(write_all(descriptor.fd, piece, file));
    if (::fsync(descriptor.fd) != 0) return system_error(file, "cannot write", errno);
    if (::rename(temporary.c_str(), file.c_str()) != 0) return system_error(file, "cannot replace", errno);
    return {};
  };
  Status status = write();
  if (!status.ok()) ::unlink(temporary.c_str());
  return status;
}

Status write_file_atomically(const std::filesystem::path& file, std::string_view text) {
  const std::span<const std::byte> piece(reinterpret_cast<const std::byte*>(text.data()), text.size());
  return write_file_atomically(file, std::span(&piece, 1));
}

}  // namespace fovea
