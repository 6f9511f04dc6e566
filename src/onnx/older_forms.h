// SPDX-License-Identifier: Apache-2.0
// Older forms: the way back from the newest form of an operator, for files that other tools must read. What rules/ brings
// up while importing, this takes down again where the older opset can say the same.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "fovea/model.h"
#include "ir/graph.h"
#include "onnx/types.h"

namespace fovea::onnx {

/// The oldest opset of the default domain, from kOldestExportOpset on, that can say what the node says. Bodies are not looked into.
std::int64_t oldest_opset(const ir::Graph& graph, const ir::Node& node);

/// The opset from which numbers of this type may stand in a file and flow: older operators took the types of their time.
std::int64_t oldest_opset(DataType type);

/// Brings the written form of a node to `opset`, which is at least oldest_opset(). `empty` names an f32 tensor without
/// elements, which some old forms need in place of a missing input.
void write_older_form(const ir::Graph& graph, const ir::Node& node, std::int64_t opset, const std::function<std::string()>& empty,
                      proto::NodeProto& message);

/// The version of the file format that came with an opset.
std::int64_t ir_version_of(std::int64_t opset);

}  // namespace fovea::onnx
