// SPDX-License-Identifier: Apache-2.0
// Shape inference lives in passes/, which need it between two rewrites; here it keeps its short name.
#pragma once

#include "passes/infer_shapes.h"

namespace fovea::compiler {

using passes::fold_propagated_values;
using passes::infer_shapes;

}  // namespace fovea::compiler
