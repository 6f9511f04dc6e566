// SPDX-License-Identifier: Apache-2.0
#include "onnx/function_table.h"

#include "onnx/tensor_reader.h"

namespace fovea::onnx {

Result<Opsets> read_opsets(const google::protobuf::RepeatedPtrField<proto::OperatorSetIdProto>& imports) {
  Opsets opsets;
  for (const auto& import : imports) {
    const std::string domain = plain_domain(import.domain());
    if (import.version() < 1) return invalid_model("operator set ", in_quotes(domain), ": version ", import.version(), " does not exist");
    const auto [known, added] = opsets.emplace(domain, import.version());
    if (!added && known->second != import.version()) {
      return invalid_model("operator set ", in_quotes(domain), " is imported in the versions ", known->second, " and ", import.version());
    }
    if (domain.empty() && import.version() > kNewestOpset) {
      return Status(ErrorCode::Unsupported, str_cat("opset ", import.version(), " is newer than ", kNewestOpset, ", the newest one known here"),
                    "export the model with an older opset");
    }
  }
  return opsets;
}

Result<FunctionTable> FunctionTable::read(const proto::ModelProto& model, const Opsets& model_opsets) {
  FunctionTable table;
  for (const auto& message : model.functions()) {
    Function function;
    function.message = &message;
    auto opsets = read_opsets(message.opset_import());
    if (!opsets) return std::move(opsets).status().with_context("function " + in_quotes(message.name()));
    function.opsets = *std::move(opsets);
    function.opsets.insert(model_opsets.begin(), model_opsets.end());
    for (const auto& attribute : message.attribute_proto()) function.defaults.emplace(attribute.name(), &attribute);
    const auto key = std::tuple(plain_domain(message.domain()), message.name(), message.overload());
    if (!table.functions_.emplace(key, std::move(function)).second) {
      return invalid_model("function ", in_quotes(operator_name(message.domain(), message.name())), " is defined twice");
    }
  }
  return table;
}

const Function* FunctionTable::find(const proto::NodeProto& node) const {
  if (functions_.empty()) return nullptr;
  const auto known = functions_.find(std::tuple(plain_domain(node.domain()), node.op_type(), node.overload()));
  return known == functions_.end() ? nullptr : &known->second;
}

}  // namespace fovea::onnx
