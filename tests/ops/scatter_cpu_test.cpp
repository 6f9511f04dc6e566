// SPDX-License-Identifier: Apache-2.0
// Tuned GatherND, ScatterND, GatherElements and ScatterElements against the references: duplicates, negative indices,
// every type width and reduction; indices out of range end in an error, not in a write.
#include <algorithm>

#include "support/kernel_test.h"

namespace fovea {
namespace {

using namespace testing;

/// Indices in [-extents[k], extents[k]) for the last axis k, of type i64 or i32.
Tensor index_tuples(const Shape& shape, const Shape& extents, DataType type, unsigned seed = 7) {
  Tensor result = Tensor::allocate(type, shape).value();
  std::uint64_t state = seed;
  for (std::int64_t i = 0; i < result.elements(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const std::int64_t extent = extents[static_cast<int>(i % extents.rank())];
    const std::int64_t index = static_cast<std::int64_t>(state >> 33) % (2 * extent) - extent;
    if (type == DataType::i64) result.data<std::int64_t>()[i] = index;
    else result.data<std::int32_t>()[i] = static_cast<std::int32_t>(index);
  }
  return result;
}

Shape slices(const Shape& indices, const Shape& data, int depth) {
  Shape shape;
  for (int i = 0; i + 1 < indices.rank(); ++i) shape.push_back(indices[i]);
  for (int i = depth; i < data.rank(); ++i) shape.push_back(data[i]);
  return shape;
}

Shape leading(const Shape& shape, int count) { return Shape(shape.dims().first(static_cast<std::size_t>(count))); }

TEST(ScatterNdCpu, EveryReductionAndDepth) {
  const Shape data{6, 5, 7};
  for (const char* reduction : {"none", "add", "mul", "max", "min"}) {
    for (DataType type : {DataType::f32, DataType::f16, DataType::f64, DataType::i8, DataType::i32, DataType::i64, DataType::u16}) {
      for (int depth : {1, 2, 3}) {
        for (DataType index_type : {DataType::i64, DataType::i32}) {
          if (index_type == DataType::i32 && type != DataType::f32) continue;
          // 40 tuples: many duplicates at depth 1 and 2.
          const Shape indices{8, 5, depth};
          KernelCase test{.op = "ScatterND", .attributes = attributes({{"reduction", reduction}})};
          test.inputs = {random(type, data, 0, 9), index_tuples(indices, leading(data, depth), index_type), random(type, slices(indices, data, depth), 0, 9, 3)};
          EXPECT_TRUE(agrees(test, "scatter_slices")) << reduction << " " << name(type) << " depth " << depth;
          EXPECT_TRUE(same_for_any_threads(test, "scatter_slices")) << reduction << " " << name(type) << " depth " << depth;
        }
      }
    }
  }
}

TEST(ScatterNdCpu, ManyTuplesAndLongSlices) {
  for (const Shape& data : {Shape{1000, 300}, Shape{64, 64, 100}, Shape{200000}}) {
    const Shape indices{5000, 1};
    KernelCase test{.op = "ScatterND", .attributes = attributes({{"reduction", "add"}})};
    test.inputs = {random(DataType::f32, data), index_tuples(indices, leading(data, 1), DataType::i64), random(DataType::f32, slices(indices, data, 1), -1, 1, 3)};
    EXPECT_TRUE(agrees(test, "scatter_slices")) << data.to_string();
    EXPECT_TRUE(same_for_any_threads(test, "scatter_slices")) << data.to_string();
  }
}

TEST(GatherNdCpu, DepthsAndBatches) {
  const Shape data{4, 6, 5, 7};
  for (int batch : {0, 1, 2}) {
    for (int depth = 1; depth + batch <= 4; ++depth) {
      for (DataType type : {DataType::u8, DataType::f16, DataType::f32, DataType::i64, DataType::c128}) {
        Shape indices = leading(data, batch), extents;
        indices.push_back(9);
        indices.push_back(depth);
        for (int i = 0; i < depth; ++i) extents.push_back(data[batch + i]);
        KernelCase test{.op = "GatherND", .attributes = attributes({{"batch_dims", batch}})};
        test.inputs = {type == DataType::c128 ? Tensor::allocate(type, data).value() : random(type, data, 0, 99), index_tuples(indices, extents, DataType::i32)};
        EXPECT_TRUE(agrees(test, "gather_slices")) << name(type) << " batch " << batch << " depth " << depth;
      }
    }
  }
}

TEST(ElementsCpu, EveryAxis) {
  const Shape data{4, 6, 5, 70};
  for (int axis = 0; axis < 4; ++axis) {
    Shape picked{3, 6, 4, 70};
    picked[axis] = 11;
    Shape extent;
    extent.push_back(data[axis]);
    for (DataType type : {DataType::u8, DataType::f16, DataType::f32, DataType::i64}) {
      KernelCase test{.op = "GatherElements", .attributes = attributes({{"axis", axis - 4}})};
      test.inputs = {random(type, data, 0, 99), index_tuples(picked, extent, DataType::i64)};
      EXPECT_TRUE(agrees(test, "gather_lines")) << name(type) << " axis " << axis;
      test.op = "ScatterElements";
      test.inputs.push_back(random(type, picked, 0, 9, 3));
      for (const char* reduction : {"none", "add", "mul", "max", "min"}) {
        test.attributes.set("reduction", std::string(reduction));
        EXPECT_TRUE(agrees(test, "scatter_lines")) << reduction << " " << name(type) << " axis " << axis;
        EXPECT_TRUE(same_for_any_threads(test, "scatter_lines")) << reduction << " " << name(type) << " axis " << axis;
      }
    }
  }
}

TEST(ElementsCpu, OneAxis) {
  KernelCase test{.op = "ScatterElements"};
  test.inputs = {random(DataType::f32, {100}), index_tuples({300}, {100}, DataType::i32), random(DataType::f32, {300}, -1, 1, 3)};
  EXPECT_TRUE(agrees(test, "scatter_lines"));
  EXPECT_TRUE(same_for_any_threads(test, "scatter_lines"));
}

/// Runs a kernel on indices that the reference refuses.
Status run_with(const char* op, const char* kernel, const std::vector<Tensor>& inputs, const Attributes& attributes = {}) {
  std::vector<TensorDesc> descs;
  std::vector<const void*> addresses;
  for (const Tensor& input : inputs) {
    descs.push_back(TensorDesc::dense(input.type(), input.shape()));
    addresses.push_back(input.raw());
  }
  Tensor y = Tensor::allocate(inputs[0].type(), op[0] == 'S' ? inputs[0].shape() : Shape{2}).value();
  const TensorDesc output = TensorDesc::dense(y.type(), y.shape());
  const std::vector<Tensor> constants(inputs.size());
  const Problem problem{op, attributes, descs, {&output, 1}, constants, 2};
  const Kernel* found = find_kernel("cpu", op, kernel);
  FOVEA_RETURN_IF_ERROR(found->can_run(problem));
  FOVEA_ASSIGN(auto prepared, found->prepare(problem));
  std::vector<std::int64_t> scratch(prepared->scratch_bytes() / 8 + 8);
  void* outputs[] = {y.raw()};
  return prepared->run({addresses.data(), outputs, scratch.data()});
}

TEST(ScatterNdCpu, IndicesOutOfRange) {
  const Tensor data = random(DataType::f32, {3}), updates = random(DataType::f32, {2});
  for (const std::int64_t bad : {std::int64_t{3}, std::int64_t{-4}, INT64_MAX, INT64_MIN}) {
    const Tensor tuples = Tensor::from<std::int64_t>(DataType::i64, {2, 1}, std::vector<std::int64_t>{0, bad});
    const std::string phrase = "index " + std::to_string(bad) + " is out of range for extent 3";
    EXPECT_TRUE(fails(run_with("ScatterND", "scatter_slices", {data, tuples, updates}), ErrorCode::InvalidArgument, phrase));
    EXPECT_TRUE(fails(run_with("GatherND", "gather_slices", {data, tuples}), ErrorCode::InvalidArgument, phrase));
    const Tensor list = tuples.reshaped({2});
    EXPECT_TRUE(fails(run_with("ScatterElements", "scatter_lines", {data, list, updates}), ErrorCode::InvalidArgument, phrase));
    EXPECT_TRUE(fails(run_with("GatherElements", "gather_lines", {data, list}), ErrorCode::InvalidArgument, phrase));
  }
}

}  // namespace
}  // namespace fovea
