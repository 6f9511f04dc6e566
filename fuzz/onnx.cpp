// SPDX-License-Identifier: Apache-2.0
// ONNX models: importing with all its checks, rewriting of old opsets and shape inference.
#include <cstddef>
#include <cstdint>

#include "fovea/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static_cast<void>(fovea::import_onnx(std::as_bytes(std::span(data, size)), {.max_weight_bytes = 64 << 20}).ok());
  return 0;
}
