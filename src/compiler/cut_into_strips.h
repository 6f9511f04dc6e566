// SPDX-License-Identifier: Apache-2.0
// Keeps the oracle's memory small: nodes on rows whose values between them are large run together, a strip of rows at a time.
// Attention as exporters write it makes scores of queries x keys, scales them, takes their softmax and multiplies: in
// strips the scores never exist whole, and every number is the same.
#pragma once

#include "compiler/schedule.h"

namespace fovea::compiler {

/// Finds such nodes in `decisions.order`, moves what stands between them and needs none of them to their front, and
/// notes them in `decisions.strips`. Small values are left alone: their runs stay as they are.
void cut_into_strips(const ir::Graph& graph, const BytesOf& bytes, Decisions& decisions);

}  // namespace fovea::compiler
