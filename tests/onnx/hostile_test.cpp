// SPDX-License-Identifier: Apache-2.0
// Bytes nobody should trust: cut off, bit-flipped, nested, multiplied. Each must end in a Status.
#include "onnx/message_reader.h"
#include "support.h"

namespace fovea::testing {
namespace {

std::string small_model() {
  return parse("ir_version: 10 opset_import { version: 26 } opset_import { domain: 'f' version: 1 } "
               "functions { domain: 'f' name: 'F' input: 'a' output: 'b' attribute: 'k' opset_import { version: 26 } " + node("Identity", "a", "b") + " } graph { " +
               input("x", "dim { dim_param: 'N' } dim { dim_value: 3 }") + output("y") + "initializer { name: 'w' dims: [2, 2] data_type: 1 raw_data: '0123456789abcdef' } " +
               "sparse_initializer { values { name: 's' dims: 1 data_type: 1 float_data: 1 } indices { dims: 1 data_type: 7 int64_data: 2 } dims: 4 } " +
               node("Identity", "w", "v") + node("F", "x", "y", "domain: 'f'") +
               node("Constant", "", "c", "attribute { name: 'value' type: TENSOR t { dims: 3 data_type: 22 raw_data: '12' } }") + " }")
      .SerializeAsString();
}

TEST(HostileModel, CutOffAnywhere) {
  const std::string bytes = small_model();
  ASSERT_TRUE(import_onnx(as_bytes(bytes)).ok());
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto model = import_onnx(std::as_bytes(std::span(bytes.data(), length)));
    if (!model.ok()) {
      EXPECT_NE(model.status().code(), ErrorCode::Internal) << length << model.status().to_string();
    }
  }
}

TEST(HostileModel, EveryBitFlipped) {
  const std::string bytes = small_model();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string mutant = bytes;
    mutant[bit / 8] = static_cast<char>(mutant[bit / 8] ^ (1 << (bit % 8)));
    const auto model = import_onnx(as_bytes(mutant), {.max_weight_bytes = 1 << 20});
    if (!model.ok()) {
      EXPECT_NE(model.status().code(), ErrorCode::Internal) << bit << model.status().to_string();
    }
  }
}

// One length-delimited field.
std::string wrap(int field, const std::string& bytes) {
  std::string out(1, static_cast<char>(field << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 128; size >>= 7) out += static_cast<char>((size & 127) | 128);
  return out + static_cast<char>(size) + bytes;
}

TEST(HostileModel, NestedTooDeeply) {
  std::string graph;
  for (int level = 0; level < 2000; ++level) graph = wrap(1, wrap(5, wrap(6, graph)));  // graph.node.attribute.g
  EXPECT_ERROR(import_onnx(as_bytes(wrap(7, graph))).status(), ResourceExhausted, "nested");
}

TEST(HostileModel, ManyEmptyPieces) {
  std::string nodes;
  for (std::int64_t i = 0; i < onnx::kMaxPieces + 1; ++i) nodes += std::string("\x0a\0", 2);  // graph.node {}
  EXPECT_ERROR(import_onnx(as_bytes(wrap(7, nodes))).status(), ResourceExhausted, "messages and strings");
}

TEST(HostileModel, ThousandsOfUnknownOperators) {
  std::string nodes;
  for (int i = 0; i < 5000; ++i) nodes += node("Op" + std::to_string(i), "x", "y" + std::to_string(i));
  const Status status = import_graph(input("x") + output("y0") + nodes).status();
  EXPECT_ERROR(status, Unsupported, "and 4980 more");
  EXPECT_LT(status.to_string().size(), 10000u);
}

TEST(HostileModel, ManyCaptures) {
  std::string values, body;
  for (int i = 0; i < 20000; ++i) {
    values += node("Identity", "x", "v" + std::to_string(i));
    body += "input: 'v" + std::to_string(i) + "' ";
  }
  const std::string branch = " type: GRAPH g { " + output("s") + "node { op_type: 'Max' output: 's' " + body + " } } } ";
  const auto model = import_graph(input("c", "", 9) + input("x") + output("y") + values +
                                  node("If", "c", "y", "attribute { name: 'then_branch'" + branch + "attribute { name: 'else_branch'" + branch));
  ASSERT_TRUE(model.ok()) << model.status().to_string();
  EXPECT_EQ(model->graph().producer(model->graph().outputs[0])->inputs.size(), 20001u);
}

TEST(HostileModel, NotAModel) {
  const std::string text = "#!/bin/sh\necho hello\n";
  EXPECT_ERROR(import_onnx(as_bytes(text)).status(), InvalidModel, "not an ONNX protobuf");
  EXPECT_ERROR(import_onnx(std::span<const std::byte>()).status(), InvalidModel, "no graph");
}

TEST(HostileModel, NameThatIsNotUtf8) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "a\\377", "y")).status(), InvalidModel, "NodeProto.input");
}

TEST(HostileModel, NamesWithControlCharacters) {
  EXPECT_ERROR(import_graph(input("x") + output("y") + node("Identity", "a\\n\\033[2Jb", "y")).status(), InvalidModel, "'a??[2Jb'");
}

}  // namespace
}  // namespace fovea::testing
