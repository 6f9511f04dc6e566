// SPDX-License-Identifier: Apache-2.0
#include "plugins/library_file.h"

#include <elf.h>

#include <cstring>

#include "base/file.h"

namespace fovea::plugins {

namespace {

#if defined(__x86_64__)
constexpr int kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr int kMachine = EM_AARCH64;
#else
#error "which ELF machine is this?"
#endif

Status wrong(std::string_view why) { return invalid_model("not a library that can be loaded: ", why); }

}  // namespace

Status check_library_file(const std::filesystem::path& file) {
  FOVEA_ASSIGN(const auto mapped, MappedFile::open(file));
  const std::span<const std::byte> bytes = mapped->bytes();
  Elf64_Ehdr header;
  if (bytes.size() < sizeof header) return wrong("the file is too short");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return wrong("it is no ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != kMachine) return wrong("it is built for another kind of machine");
  if (header.e_type != ET_DYN) return wrong("it is no shared library");
  const std::uint64_t size = bytes.size(), table = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > size || table > size - header.e_phoff) return wrong("the file is cut off or damaged");
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
    if (segment.p_type == PT_LOAD && (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)) return wrong("the file is cut off or damaged");
  }
  return {};
}

}  // namespace fovea::plugins
