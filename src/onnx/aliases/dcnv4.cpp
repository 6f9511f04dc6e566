// SPDX-License-Identifier: Apache-2.0
// DCNv4 as its exporters write it. Importers of TensorRT plugins look at the op type alone, so files carry it in any
// domain or none.
#include "onnx/alias.h"

namespace fovea::onnx::aliases {

namespace {

}  // namespace

Alias dcnv4() { return same_form("DCNv4_Plugin", "custom_op::DCNv4_Plugin"); }

Alias dcnv4_unsliced() { return same_form("DCNv4FuseOffset_Plugin", "custom_op::DCNv4FuseOffset_Plugin"); }

}  // namespace fovea::onnx::aliases
