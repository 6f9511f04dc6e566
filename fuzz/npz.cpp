// SPDX-License-Identifier: Apache-2.0
// npy and npz files: the first byte says which.
#include <cstddef>
#include <cstdint>

#include "base/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  constexpr std::int64_t kLimit = 64 << 20;
  if (data[0] % 2 == 0) {
    static_cast<void>(fovea::parse_npy(bytes, kLimit).ok());
  } else {
    static_cast<void>(fovea::parse_npz(bytes, kLimit).ok());
  }
  return 0;
}
