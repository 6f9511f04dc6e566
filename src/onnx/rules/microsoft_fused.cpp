// SPDX-License-Identifier: Apache-2.0
// Operators of the domain com.microsoft in models that ONNX Runtime's optimiser has written: fused forms are taken
// apart again, and what ONNX has by now gets its name there.
#include "onnx/upgrade.h"

#include <numeric>

namespace fovea::onnx::rules {

namespace {

// Makes the node the activation of `value`. Parameters stand in the order of the activation's attributes.
Status activate(Upgrade& u, ir::ValueId value, const std::string& activation, const std::vector<double>& parameters) {
  const auto parameter = [&](std::size_t i, double fallback) { return i < parameters.size() ? parameters[i] : fallback; };
  Attributes attributes;
  if (activation.empty()) return u.become("Identity", {value});
  if (activation == "Relu" || activation == "Sigmoid" || activation == "Tanh") return u.become(activation, {value});
  if (activation == "LeakyRelu") {
    attributes.set("alpha", parameter(0, 0.01));
    return u.become(activation, {value}, std::move(attributes));
  }
  if (activation == "HardSigmoid") {
    attributes.set("alpha", parameter(0, 0.2));
    attributes.set("beta", parameter(1, 0.5));
    return u.become(activation, {value}, std::move(attributes));
  }
  if (activation == "Clip" && parameters.size() == 2) {
    FOVEA_ASSIGN(const ir::ValueId low, u.scalar_like("min", parameters[0], 0));
    FOVEA_ASSIGN(const ir::ValueId high, u.scalar_like("max", parameters[1], 0));
    return u.become("Clip", {value, low, high});
  }
  return unsupported("activation '", activation.substr(0, 40), "'");
}

// x with its last two axes exchanged
Result<ir::ValueId> exchanged(Upgrade& u, int input) {
  const auto rank = u.rank(input);
  if (!rank || *rank < 2) return unsupported("a transposed operand whose rank is not known here, or below 2");
  std::vector<std::int64_t> order(static_cast<std::size_t>(*rank));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  Attributes attributes;
  attributes.set("perm", order);
  return u.add("Transpose", str_cat("transposed_", input), {u.input(static_cast<std::size_t>(input))}, std::move(attributes));
}

}  // namespace

// activation(Conv(X, W, B) + Z)
Status fused_conv(Upgrade& u) {
  const std::string activation = u.take_string("activation").value_or("");
  const auto parameters = u.take_floats("activation_params").value_or(std::vector<double>());
  if (u.node.inputs.size() < 2) return invalid_model("expected at least 2 inputs, found ", u.node.inputs.size());
  std::vector<ir::ValueId> inputs = {u.input(0), u.input(1)};
  if (u.input(2) != ir::kNone) inputs.push_back(u.input(2));
  FOVEA_ASSIGN(ir::ValueId value, u.add("Conv", "conv", std::move(inputs), u.node.attributes));
  if (u.input(3) != ir::kNone) {
    FOVEA_ASSIGN(value, u.add("Add", "sum", {value, u.input(3)}));
  }
  return activate(u, value, activation, parameters);
}

// activation(Gemm(A, B, C))
Status fused_gemm(Upgrade& u) {
  const std::string activation = u.take_string("activation").value_or("");
  std::vector<double> parameters;
  for (const char* name : {"activation_alpha", "activation_beta", "activation_gamma"}) {
    if (const auto value = u.take_float(name)) parameters.push_back(*value);
  }
  FOVEA_ASSIGN(const ir::ValueId value, u.add("Gemm", "gemm", u.node.inputs, u.node.attributes));
  return activate(u, value, activation, parameters);
}

// alpha * A' B', either with its last two axes exchanged
Status fused_matmul(Upgrade& u) {
  if (u.node.inputs.size() != 2) return invalid_model("expected 2 inputs, found ", u.node.inputs.size());
  if (u.take_int("transBatchA").value_or(0) != 0 || u.take_int("transBatchB").value_or(0) != 0) return unsupported("transBatchA or transBatchB");
  const double alpha = u.take_float("alpha").value_or(1);
  ir::ValueId a = u.input(0), b = u.input(1);
  if (u.take_int("transA").value_or(0) != 0) {
    FOVEA_ASSIGN(a, exchanged(u, 0));
  }
  if (u.take_int("transB").value_or(0) != 0) {
    FOVEA_ASSIGN(b, exchanged(u, 1));
  }
  if (alpha == 1) return u.become("MatMul", {a, b});
  FOVEA_ASSIGN(const ir::ValueId product, u.add("MatMul", "product", {a, b}));
  FOVEA_ASSIGN(const ir::ValueId factor, u.scalar_like("alpha", alpha, 0));
  return u.become("Mul", {product, factor});
}

// BiasGelu: Gelu(A + B). FastGelu: the tanh form of Gelu(X + bias), bias being optional.
Status biased_gelu(Upgrade& u) {
  Attributes attributes;
  if (u.node.op == "com.microsoft::FastGelu") attributes.set("approximate", std::string("tanh"));
  ir::ValueId sum = u.input(0);
  if (sum == ir::kNone) return invalid_model("input 0 is missing");
  if (u.input(1) != ir::kNone) {
    FOVEA_ASSIGN(sum, u.add("Add", "sum", {sum, u.input(1)}));
  }
  return u.become("Gelu", {sum}, std::move(attributes));
}

// x * sigmoid(alpha * x)
Status quick_gelu(Upgrade& u) {
  Attributes attributes;
  attributes.set("alpha", u.take_float("alpha").value_or(1.702));
  return u.become("Swish", u.node.inputs, std::move(attributes));
}

// Norm(input + skip + bias): LayerNormalization with gamma and beta, or (Simplified) RMSNormalization with gamma. The fourth
// output is the sum; mean and deviation existed for training.
Status skip_norm(Upgrade& u) {
  const bool simplified = u.node.op == "com.microsoft::SkipSimplifiedLayerNormalization";
  if (u.node.inputs.size() < 3) return invalid_model("expected at least 3 inputs, found ", u.node.inputs.size());
  const ir::ValueId beta = simplified ? ir::kNone : u.input(3), bias = u.input(simplified ? 3 : 4);
  FOVEA_ASSIGN(ir::ValueId sum, u.add("Add", "sum", {u.input(0), u.input(1)}));
  if (bias != ir::kNone) {
    FOVEA_ASSIGN(sum, u.add("Add", "biased_sum", {sum, bias}));
  }
  Attributes attributes;
  attributes.set("axis", std::int64_t{-1});
  attributes.set("epsilon", u.take_float("epsilon").value_or(1e-12));
  if (u.node.outputs.size() > 3 && u.node.outputs[3] != ir::kNone) u.add_after("Identity", {sum}, u.node.outputs[3]);
  u.node.outputs.resize(1, ir::kNone);
  std::vector<ir::ValueId> inputs = {sum, u.input(2)};
  if (beta != ir::kNone) inputs.push_back(beta);
  return u.become(simplified ? "RMSNormalization" : "LayerNormalization", std::move(inputs), std::move(attributes));
}

// In the default domain, but never part of ONNX: RMSNormalization before it had that name.
Status simplified_layer_norm(Upgrade& u) {
  u.take_int("stash_type");
  u.node.outputs.resize(1, ir::kNone);
  u.node.op = "RMSNormalization";
  return {};
}

// The same operator, in ONNX by now.
Status standard_name(Upgrade& u) {
  u.node.op = u.node.op.substr(u.node.op.rfind(':') + 1);
  return {};
}

}  // namespace fovea::onnx::rules
