// SPDX-License-Identifier: Apache-2.0
// Every encoding a TensorProto can have, and the sizes that must not be believed.
#include "base/float_types.h"
#include "base/onnx_data_type.h"
#include "onnx/attributes.h"
#include "onnx/tensor_writer.h"
#include "support.h"

namespace fovea::testing {
namespace {

using onnx_proto::AttributeProto;
using onnx_proto::SparseTensorProto;
using onnx_proto::TensorProto;

Result<Tensor> read(const std::string& text, std::int64_t limit = 1 << 20) {
  onnx::TensorReader reader({}, limit);
  return reader.read(parse<TensorProto>(text));
}

template <class T>
std::vector<double> values(const Result<Tensor>& tensor) {
  EXPECT_TRUE(tensor.ok()) << tensor.status().to_string();
  std::vector<double> out;
  if (tensor.ok()) {
    for (const T& v : tensor->values<T>()) out.push_back(static_cast<double>(static_cast<float>(v)));
  }
  return out;
}
using V = std::vector<double>;

TEST(ReadTensor, TypedFields) {
  EXPECT_EQ(values<float>(read("dims: 2 data_type: 1 float_data: [1.5, -2]")), (V{1.5, -2}));
  EXPECT_EQ(values<double>(read("data_type: 11 double_data: 4")), V{4});
  EXPECT_EQ(values<std::int64_t>(read("dims: 1 data_type: 7 int64_data: -9")), V{-9});
  EXPECT_EQ(values<std::uint32_t>(read("dims: 1 data_type: 12 uint64_data: 4000000000")), V{4000000000.0});
  EXPECT_EQ(values<std::uint64_t>(read("dims: 1 data_type: 13 uint64_data: 7")), V{7});
  EXPECT_EQ(values<std::int8_t>(read("dims: 2 data_type: 3 int32_data: [-128, 127]")), (V{-128, 127}));
  EXPECT_EQ(values<std::uint16_t>(read("dims: 1 data_type: 4 int32_data: 65535")), V{65535});
  EXPECT_EQ(values<Half>(read("dims: 1 data_type: 10 int32_data: 15360")), V{1});        // 0x3c00
  EXPECT_EQ(values<BFloat16>(read("dims: 1 data_type: 16 int32_data: 16256")), V{1});    // 0x3f80
  EXPECT_EQ(values<std::uint8_t>(read("dims: 3 data_type: 9 int32_data: [0, 1, 7]")), (V{0, 1, 1}));
  EXPECT_EQ(values<std::uint8_t>(read("dims: 1 data_type: 17 int32_data: 254")), V{254});
  EXPECT_EQ(values<float>(read("dims: 1 data_type: 14 float_data: [1, 2]")).size(), 1u);
}

TEST(ReadTensor, RawData) {
  EXPECT_EQ(values<std::int32_t>(read("dims: 1 data_type: 6 raw_data: '\\001\\002\\000\\000'")), V{513});
  EXPECT_EQ(values<std::uint8_t>(read("dims: 2 data_type: 9 raw_data: '\\000\\377'")), (V{0, 1}));
}

TEST(ReadTensor, PackedNibblesAndPairs) {
  EXPECT_EQ(values<std::int8_t>(read("dims: 3 data_type: 22 raw_data: '\\xf1\\x08'")), (V{1, -1, -8}));
  EXPECT_EQ(values<std::uint8_t>(read("dims: 3 data_type: 21 int32_data: [241, 8]")), (V{1, 15, 8}));
  EXPECT_EQ(values<std::int8_t>(read("dims: 5 data_type: 26 raw_data: '\\xe4\\x03'")), (V{0, 1, -2, -1, -1}));
  EXPECT_EQ(values<std::uint8_t>(read("dims: 2 data_type: 23 raw_data: '\\x2f'")), (V{15, 2}));
}

TEST(ReadTensor, Strings) {
  const auto tensor = read("dims: 2 data_type: 8 string_data: 'a' string_data: 'bc'");
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(tensor->data<std::string>()[1], "bc");
}

TEST(ReadTensor, SparseIsMadeDense) {
  onnx::TensorReader reader({}, 1 << 20);
  const std::string values_text = "values { dims: 2 data_type: 1 float_data: [5, 6] } ";
  const auto linear = reader.read_sparse(parse<SparseTensorProto>(values_text + "indices { dims: 2 data_type: 7 int64_data: [1, 5] } dims: [2, 3]"));
  EXPECT_EQ(values<float>(linear), (V{0, 5, 0, 0, 0, 6}));
  const auto pairs = reader.read_sparse(parse<SparseTensorProto>(values_text + "indices { dims: 2 dims: 2 data_type: 7 int64_data: [0, 1, 1, 2] } dims: [2, 3]"));
  EXPECT_EQ(values<float>(pairs), (V{0, 5, 0, 0, 0, 6}));
  EXPECT_ERROR(reader.read_sparse(parse<SparseTensorProto>(values_text + "indices { dims: 2 data_type: 7 int64_data: [1, 6] } dims: [2, 3]")).status(),
               InvalidModel, "index 6");
  EXPECT_ERROR(reader.read_sparse(parse<SparseTensorProto>(values_text + "indices { dims: 2 dims: 2 data_type: 7 int64_data: [0, 1, -1, 2] } dims: [2, 3]")).status(),
               InvalidModel, "index -1");
}

TEST(ReadTensor, ConstantForms) {
  onnx::TensorReader reader({}, 1 << 20);
  const auto constant = [&](const std::string& text) {
    const auto message = parse<AttributeProto>(text);
    return onnx::read_constant(message.name(), message, reader);
  };
  EXPECT_EQ(values<std::int64_t>(constant("name: 'value_int' type: INT i: 3")), V{3});
  EXPECT_EQ(values<float>(constant("name: 'value_float' type: FLOAT f: 0.5")), V{0.5});
  EXPECT_EQ(values<std::int64_t>(constant("name: 'value_ints' type: INTS ints: [1, 2]")), (V{1, 2}));
  EXPECT_EQ(values<float>(constant("name: 'value_floats' type: FLOATS floats: [1, 2]")), (V{1, 2}));
  EXPECT_EQ(constant("name: 'value_string' type: STRING s: 'hi'")->data<std::string>()[0], "hi");
  EXPECT_EQ(constant("name: 'value_strings' type: STRINGS strings: 'hi'")->shape(), Shape({1}));
  EXPECT_ERROR(constant("name: 'value' type: INT i: 3").status(), InvalidModel, "value");
}

TEST(ReadTensorError, SizesMustAgree) {
  EXPECT_ERROR(read("dims: 3 data_type: 1 float_data: [1, 2]").status(), InvalidModel, "expected 3 values");
  EXPECT_ERROR(read("dims: 3 data_type: 1 raw_data: 'abcd'").status(), InvalidModel, "needs 12 bytes, raw_data has 4");
  EXPECT_ERROR(read("dims: 1000000000 dims: 1000000 data_type: 1").status(), InvalidModel, "the file stores 0");
  EXPECT_ERROR(read("dims: 4294967296 dims: 4294967296 data_type: 1").status(), InvalidModel, "overflows");
  EXPECT_ERROR(read("dims: -1 data_type: 1").status(), InvalidModel, "negative");
  EXPECT_ERROR(read("dims: [1,1,1,1,1,1,1,1,1,1,1] data_type: 1 float_data: 1").status(), Unsupported, "rank 11");
  EXPECT_ERROR(read("dims: 1 data_type: 99 float_data: 1").status(), InvalidModel, "element type 99");
  EXPECT_ERROR(read("dims: 1 data_type: 3 int32_data: 300").status(), InvalidModel, "300");
  EXPECT_ERROR(read("dims: 8 data_type: 1 raw_data: '01234567012345670123456701234567'", 31).status(), ResourceExhausted, "limit of 31 bytes");
}

TEST(WriteTensor, ReadsBackTheSame) {
  for (const DataType type : {DataType::f32, DataType::i4, DataType::u4, DataType::i2, DataType::u2, DataType::f4e2m1, DataType::i64, DataType::boolean}) {
    Tensor tensor = Tensor::allocate(type, {5}).value();
    const int sign = type == DataType::i4 || type == DataType::i2 ? -1 : 1;
    for (std::size_t i = 0; i < 5; ++i) tensor.data<std::uint8_t>()[i * size_of(type)] = static_cast<std::uint8_t>(sign * static_cast<int>(i % 2));
    TensorProto message;
    onnx::write_tensor(tensor, message);
    onnx::TensorReader reader({}, 1 << 20);
    const auto back = reader.read(message);
    ASSERT_TRUE(back.ok()) << name(type) << back.status().to_string();
    EXPECT_TRUE(equal(AttributeValue(*back), AttributeValue(tensor))) << name(type);
  }
}

}  // namespace
}  // namespace fovea::testing
