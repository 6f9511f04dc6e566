// SPDX-License-Identifier: Apache-2.0
// An order of a node list in which each value is produced before it is used. Most files have it already; some
// converters do not keep to it.
#pragma once

#include <vector>

#include "onnx/message_reader.h"

namespace fovea::onnx {

using NodeList = google::protobuf::RepeatedPtrField<proto::NodeProto>;

/// Positions in `nodes`; the given order where it is possible. InvalidModel names a node of a cycle.
Result<std::vector<int>> execution_order(const NodeList& nodes);

}  // namespace fovea::onnx
