// SPDX-License-Identifier: Apache-2.0
// Engine files. The hashes are made right first: they would keep every mutant from the code behind them.
#include <cstddef>
#include <cstdint>

#include "../tests/support/engine_bytes.h"
#include "fovea/engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  std::vector<std::byte> file(bytes.begin(), bytes.end());
  fovea::test::rehash(file);
  static_cast<void>(fovea::Engine::load(file).ok());
  return 0;
}
