// SPDX-License-Identifier: Apache-2.0
// FunctionTable: the model-local functions by domain, name and overload. And opset versions by domain.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "fovea/model.h"
#include "onnx/message_reader.h"

namespace fovea::onnx {

/// "ai.onnx" is the long name of the default domain "".
inline std::string plain_domain(const std::string& domain) { return domain == "ai.onnx" ? std::string() : domain; }
/// The operator's name in the graph: "Conv", "com.microsoft::Gelu".
inline std::string operator_name(const std::string& domain, const std::string& op_type) {
  const std::string plain = plain_domain(domain);
  return plain.empty() ? op_type : plain + "::" + op_type;
}

/// Versions of operator sets by domain.
using Opsets = std::map<std::string, std::int64_t>;
/// InvalidModel for a domain that is imported twice in different versions, or a version below 1; Unsupported for a
/// version of the default domain that is newer than kNewestOpset.
Result<Opsets> read_opsets(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports);

struct Function {
  const proto::FunctionProto* message = nullptr;
  Opsets opsets;                                                    ///< the function's own, the model's for the rest
  std::map<std::string, const proto::AttributeProto*> defaults;     ///< attributes with a default
};

class FunctionTable {
 public:
  static Result<FunctionTable> read(const proto::ModelProto& model, const Opsets& model_opsets);
  /// The function that a node calls, or null.
  const Function* find(const proto::NodeProto& node) const;

 private:
  std::map<std::tuple<std::string, std::string, std::string>, Function> functions_;
};

}  // namespace fovea::onnx
