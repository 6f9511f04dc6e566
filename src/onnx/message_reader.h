// SPDX-License-Identifier: Apache-2.0
// Bytes -> protobuf messages, within limits. A few bytes can become hundreds in memory (an empty node is two
// bytes in the file), so the pieces are counted on the wire before anything is built.
#pragma once

#include <google/protobuf/arena.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/check.h"
#include "onnx/onnx_model.pb.h"

namespace fovea::onnx {

namespace proto = ::fovea::onnx_proto;

/// Messages and strings one file may hold; about 2 GiB once they are built.
inline constexpr std::int64_t kMaxPieces = 8'000'000;
/// Bytes of the repeated numbers of one file, as they lie in memory.
inline constexpr std::int64_t kMaxExpandedBytes = std::int64_t{4} << 30;
/// Messages inside messages: about 30 levels of If in If.
inline constexpr int kMaxMessageDepth = 100;

/// Fills `message` (made on an arena by the caller). InvalidModel when the bytes are no such message,
/// ResourceExhausted beyond the limits.
Status read_message(std::span<const std::byte> bytes, google::protobuf::Message& message);

bool is_utf8(std::string_view text);

/// A whole model and the arena that owns it.
struct ModelMessage {
  std::unique_ptr<google::protobuf::Arena> arena;
  proto::ModelProto* model = nullptr;
};
Result<ModelMessage> read_model_message(std::span<const std::byte> bytes);

}  // namespace fovea::onnx
