// SPDX-License-Identifier: Apache-2.0
// .pb files of test folders: written and read back.
#include "onnx/test_data.h"

#include "support.h"

namespace fovea::testing {
namespace {

using Kind = ValueType::Kind;

Tensor two_floats() {
  const float data[] = {1, 2};
  return Tensor::from<float>(DataType::f32, {2}, data);
}

TEST(TestData, RoundTripOfEveryKind) {
  const TemporaryFolder folder;
  const Datum tensor(two_floats());
  const Datum sequence = Datum::make_sequence({tensor, tensor}, DataType::f32);
  const auto round_trip = [&](const Datum& value, ValueType type) {
    const Status written = onnx::write_test_data(folder / "v.pb", value, type);
    EXPECT_TRUE(written.ok()) << written.to_string();
    auto back = onnx::read_test_data(folder / "v.pb", type);
    EXPECT_TRUE(back.ok()) << back.status().to_string();
    return back.ok() ? *back : Datum();
  };
  EXPECT_EQ(round_trip(tensor, {Kind::Tensor, DataType::f32}).tensor.data<float>()[1], 2.0f);
  const Datum read_sequence = round_trip(sequence, {Kind::Sequence, DataType::f32});
  ASSERT_EQ(read_sequence.kind, Datum::Kind::Sequence);
  EXPECT_EQ(read_sequence.items->size(), 2u);
  EXPECT_EQ(read_sequence.element_type, DataType::f32);
  EXPECT_EQ(round_trip(tensor, {Kind::Optional, DataType::f32}).kind, Datum::Kind::Tensor);
  EXPECT_EQ(round_trip(Datum(), {Kind::Optional, DataType::f32}).kind, Datum::Kind::None);
  EXPECT_EQ(round_trip(sequence, {Kind::OptionalSequence, DataType::f32}).kind, Datum::Kind::Sequence);
}

TEST(TestData, BadFiles) {
  const TemporaryFolder folder;
  EXPECT_ERROR(onnx::read_tensor_pb(folder.write("bad.pb", "\xff\xff\xff")).status(), InvalidModel, "bad.pb");
  EXPECT_ERROR(onnx::read_tensor_pb(folder / "none.pb").status(), NotFound, "none.pb");
  EXPECT_ERROR(onnx::write_test_data(folder / "x.pb", Datum(), {Kind::Tensor, DataType::f32}), InvalidArgument, "declared kind");
}

}  // namespace
}  // namespace fovea::testing
