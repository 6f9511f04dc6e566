// SPDX-License-Identifier: Apache-2.0
// Cast before opset 6 named its type.
#include "onnx/upgrade.h"

namespace fovea::onnx::rules {

Status cast_type_name(Upgrade& u) {
  const auto text = u.take_string("to");
  if (!text) return {};
  constexpr std::string_view kNames[] = {"UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16",
                                         "DOUBLE", "UINT32", "UINT64", "COMPLEX64", "COMPLEX128"};
  for (std::size_t i = 1; i < std::size(kNames); ++i) {
    if (*text == kNames[i]) u.node.attributes.set("to", static_cast<std::int64_t>(i));
  }
  return u.node.attributes.has("to") ? Status() : invalid_model("unknown type name '", text->substr(0, 40), "'");
}

}  // namespace fovea::onnx::rules
