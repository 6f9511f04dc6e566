// SPDX-License-Identifier: Apache-2.0
// extract(), split() and the small edits, on graphs as text.
#include <gtest/gtest.h>

#include "fovea/surgery.h"
#include "ir/text.h"

namespace fovea::testing {
namespace {

Model model_of(std::string_view text) {
  auto graph = ir::parse(text);
  EXPECT_TRUE(graph.ok()) << graph.status().to_string();
  return Model(std::make_shared<const ir::Graph>(std::move(graph).value()));
}

std::string signature(const Model& model) {
  std::string text;
  for (const TensorInfo& info : model.inputs()) text += info.name + " ";
  text += "->";
  for (const TensorInfo& info : model.outputs()) text += " " + info.name;
  return text + " | " + std::to_string(model.graph().num_nodes());
}

// An encoder with two heads; `mask` comes from the encoder's side and is no part of the cut.
constexpr std::string_view kTwoHeads = R"(graph t(image: f32[1,3,8,8]) -> (depth, seg, mask) {
  const k: f32[] = 2
  a = Relu(image)
  f1 = Mul(a, k)
  f2 = Tanh(f1)
  mask = Sign(a)
  d = Add(f1, f2)
  depth = Sigmoid(d)
  s = Mul(f2, f2)
  seg = Neg(s)
})";

TEST(Split, OnePartForEachHead) {
  const auto parts = split(model_of(kTwoHeads), {"f1", "f2"});
  ASSERT_TRUE(parts.ok()) << parts.status().to_string();
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[0].name, "front");
  EXPECT_EQ(signature((*parts)[0].model), "image -> f1 f2 mask | 4");
  EXPECT_EQ((*parts)[1].name, "depth");
  EXPECT_EQ(signature((*parts)[1].model), "f1 f2 -> depth | 2");
  EXPECT_EQ(signature((*parts)[2].model), "f2 -> seg | 2");
}

TEST(Split, PartsTogetherEqualTheWhole) {
  const Model whole = model_of(kTwoHeads);
  const auto parts = split(whole, {"f1", "f2"});
  ASSERT_TRUE(parts.ok());
  // The front's f1 and f2 equal those of the whole, and so on: extract the same tensors from the whole and compare.
  const auto front = extract(whole, {}, {"f1", "f2", "mask"});
  ASSERT_TRUE(front.ok()) << front.status().to_string();
  const auto same = compare_models((*parts)[0].model, *front);
  ASSERT_TRUE(same.ok()) << same.status().to_string();
  for (const OutputDifference& difference : *same) EXPECT_EQ(difference.max_abs, 0) << difference.name;
}

TEST(Split, HeadsThatShareWorkStayTogether) {
  const auto parts = split(model_of(kTwoHeads), {"a"});
  ASSERT_TRUE(parts.ok()) << parts.status().to_string();
  ASSERT_EQ(parts->size(), 3u);  // mask is made from `a` alone and shares nothing
  EXPECT_EQ(signature((*parts)[1].model), "a -> depth seg | 6");
  EXPECT_EQ(signature((*parts)[2].model), "a -> mask | 1");
}

TEST(Split, TensorThatDoesNotCutShowsThePathThatRemains) {
  const auto parts = split(model_of(kTwoHeads), {"f2"});
  ASSERT_FALSE(parts.ok());
  EXPECT_NE(parts.status().message().find("'depth' still depends on input 'image' past the cut"), std::string::npos) << parts.status().to_string();
  EXPECT_NE(parts.status().message().find("input 'image' -> 'a' (Relu) -> 'f1' (Mul) -> 'd' (Add) -> 'depth' (Sigmoid)"), std::string::npos)
      << parts.status().to_string();
}

TEST(Split, OtherOutputsLeaveTheRestOut) {
  const auto parts = split(model_of(kTwoHeads), {"f1", "f2"}, {"d"});
  ASSERT_TRUE(parts.ok()) << parts.status().to_string();
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(signature((*parts)[1].model), "f1 f2 -> d | 1");
}

TEST(Split, NameThatDoesNotExistHasNeighbours) {
  const auto parts = split(model_of(kTwoHeads), {"f"});
  ASSERT_FALSE(parts.ok());
  EXPECT_NE(parts.status().to_string().find("no tensor is named 'f'"), std::string::npos);
  EXPECT_NE(parts.status().to_string().find("'f1'"), std::string::npos);
}

TEST(Split, CutTensorThatNobodyReads) {
  const auto parts = split(model_of(kTwoHeads), {"f1", "f2", "mask"});
  ASSERT_FALSE(parts.ok());
  EXPECT_NE(parts.status().message().find("nothing behind the cut reads 'mask'"), std::string::npos) << parts.status().to_string();
}

TEST(Extract, InnerTensorsBecomeInputs) {
  const auto part = extract(model_of(kTwoHeads), {"f2"}, {"seg"});
  ASSERT_TRUE(part.ok()) << part.status().to_string();
  EXPECT_EQ(signature(*part), "f2 -> seg | 2");
  EXPECT_EQ(part->inputs()[0].shape, (std::vector<std::string>{"1", "3", "8", "8"}));
}

TEST(Extract, InputThatIsNotNeeded) {
  EXPECT_FALSE(extract(model_of(kTwoHeads), {"f1", "f2"}, {"seg"}).ok());
}

TEST(Extract, AConstantIsNoInput) {
  const auto part = extract(model_of(kTwoHeads), {"k", "a"}, {"f1"});
  ASSERT_FALSE(part.ok());
}

TEST(Rename, TakenNamesAreRefused) {
  const Model model = model_of(kTwoHeads);
  EXPECT_EQ(signature(rename_tensors(model, {{"f1", "feat"}, {"depth", "out"}}).value()), "image -> out seg mask | 8");
  EXPECT_FALSE(rename_tensors(model, {{"f1", "f2"}}).ok());
  EXPECT_FALSE(rename_tensors(model, {{"nothing", "x"}}).ok());
}

TEST(RemoveOutputs, TakesWhatOnlyTheyNeeded) {
  const Model model = model_of(kTwoHeads);
  EXPECT_EQ(signature(remove_outputs(model, {"depth", "mask"}).value()), "image -> seg | 5");
  EXPECT_FALSE(remove_outputs(model, {"depth", "mask", "seg"}).ok());
}

TEST(FixShapes, EverywhereInTheModel) {
  const Model model = model_of("graph t(x: f32[N,3,H,H]) -> (y) {\n  y = Relu(x)\n}");
  const auto fixed = fix_shapes(model, {{"x", Shape{2, 3, 5, 5}}});
  ASSERT_TRUE(fixed.ok()) << fixed.status().to_string();
  EXPECT_EQ(fixed->outputs()[0].shape, (std::vector<std::string>{"2", "3", "5", "5"}));
  EXPECT_FALSE(fix_shapes(model, {{"x", Shape{2, 3, 5, 6}}}).ok());
}

TEST(Simplify, StaysWithinOnnxAndKeepsTheNumbers) {
  const Model model = model_of(R"(graph t(x: f32[1,2,4,4]) -> (y) {
  const w: f32[2,2,1,1] = [1, 2, 3, 4]
  const two: f32[2,1,1] = [2, 3]
  const one: f32[2,1,1] = [1, 5]
  i = Identity(x)
  c = Conv(i, w) {kernel_shape=[1, 1]}
  m = Mul(c, two)
  y = Add(m, one)
})");
  const auto slim = simplify(model);
  ASSERT_TRUE(slim.ok()) << slim.status().to_string();
  EXPECT_EQ(signature(*slim), "x -> y | 1");
  const auto same = compare_models(model, *slim);
  ASSERT_TRUE(same.ok()) << same.status().to_string();
  EXPECT_LE((*same)[0].max_abs, 1e-6 * (*same)[0].range);
}

}  // namespace
}  // namespace fovea::testing
