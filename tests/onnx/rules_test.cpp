// SPDX-License-Identifier: Apache-2.0
// Every rule of rules.def: a node of an old opset in, the newest form out. Nodes go to a sink of the test, so that this needs
// neither schemas nor kernels.
#include "onnx/upgrade.h"

#include "base/float_types.h"
#include "support.h"

namespace fovea::testing {
namespace {

using ir::kNone;
using ir::ValueId;
using onnx::TypeFacts;

/// A graph with one node to upgrade; its inputs have given shapes or are constants.
class Bench : private onnx::NodeSink {
 public:
  explicit Bench(std::string op) { node.op = node.name = std::move(op); }

  Bench& input(std::optional<SymbolicShape> shape, DataType type = DataType::f32) {
    const ValueId id = graph.add_value("x" + std::to_string(node.inputs.size()));
    facts.set(id, {{ValueType::Kind::Tensor, type}, std::move(shape), {}});
    graph.inputs.push_back(id);
    node.inputs.push_back(id);
    return *this;
  }
  Bench& constant(std::vector<float> values) {
    node.inputs.push_back(graph.add_constant("k", Tensor::from<float>(DataType::f32, {static_cast<std::int64_t>(values.size())}, values)));
    return *this;
  }
  Bench& missing() {
    node.inputs.push_back(kNone);
    return *this;
  }
  Bench& attribute(const std::string& name, AttributeValue value) {
    node.attributes.set(name, std::move(value));
    return *this;
  }
  Bench& outputs(int count) {
    for (int i = 0; i < count; ++i) node.outputs.push_back(graph.add_value("y" + std::to_string(i)));
    return *this;
  }
  Status upgrade(std::int64_t version) {
    if (node.outputs.empty()) outputs(1);
    return onnx::upgrade_and_emit(std::move(node), version, scope, *this);
  }
  /// Upgrades, expects success and gives the operators in order.
  std::string ops(std::int64_t version) {
    const Status status = upgrade(version);
    EXPECT_TRUE(status.ok()) << status.to_string();
    return ops_of(graph);
  }
  const ir::Node& made(std::string_view op) const {
    for (const ir::NodeId id : graph.topological_order()) {
      if (graph.node(id).op == op) return graph.node(id);
    }
    ADD_FAILURE() << "no node " << op;
    static const ir::Node none;
    return none;
  }
  std::vector<std::int64_t> ints(std::string_view op, int input) const {
    const ir::Node& n = made(op);
    if (!n.has_input(input)) return {-999};
    const Tensor& tensor = graph.value(n.inputs[static_cast<std::size_t>(input)]).constant;
    if (tensor.type() != DataType::i64) return {-998};
    const auto values = tensor.values<std::int64_t>();
    return {values.begin(), values.end()};
  }
  float number(std::string_view op, int input) const {
    const Tensor& tensor = graph.value(made(op).inputs[static_cast<std::size_t>(input)]).constant;
    return tensor.type() == DataType::f16 ? static_cast<float>(tensor.data<Half>()[0]) : tensor.data<float>()[0];
  }

  ir::Graph graph;
  ir::Node node;

 private:
  Status emit(ir::Node emitted, onnx::Scope&) override {
    graph.add_node(std::move(emitted));
    return {};
  }
  TypeFacts facts{graph};
  onnx::Scope scope{graph, facts};
};

using Ints = std::vector<std::int64_t>;
const SymbolicShape kPicture = {Dim::symbol("N"), 8, 5, 7};

TEST(Rule, NewestFormIsLeftAlone) {
  Bench b("Softmax");
  b.input(kPicture).attribute("axis", std::int64_t{1});
  EXPECT_EQ(b.ops(13), "Softmax");
  EXPECT_EQ(b.made("Softmax").attributes.get_int("axis"), 1);
}

TEST(Rule, ConsumedInputs) {
  Bench b("Relu");
  b.input(kPicture).attribute("consumed_inputs", Ints{0});
  EXPECT_EQ(b.ops(1), "Relu");
  EXPECT_TRUE(b.made("Relu").attributes.empty());
}

TEST(Rule, BroadcastWithAxis) {
  Bench b("Add");
  b.input(kPicture).input(SymbolicShape{8}).attribute("broadcast", std::int64_t{1}).attribute("axis", std::int64_t{1});
  EXPECT_EQ(b.ops(6), "Unsqueeze Add");
  EXPECT_EQ(b.ints("Unsqueeze", 1), (Ints{1, 2}));
  EXPECT_TRUE(b.made("Add").attributes.empty());

  Bench suffix("Mul");
  suffix.input(kPicture).input(SymbolicShape{5, 7}).attribute("broadcast", std::int64_t{1});
  EXPECT_EQ(suffix.ops(6), "Mul");

  Bench unknown("Sub");
  unknown.input({}).input(SymbolicShape{8}).attribute("broadcast", std::int64_t{1}).attribute("axis", std::int64_t{1});
  EXPECT_ERROR(unknown.upgrade(6), Unsupported, "ranks");

  Bench wrong("Div");
  wrong.input(kPicture).input(SymbolicShape{8, 5}).attribute("broadcast", std::int64_t{1}).attribute("axis", std::int64_t{3});
  EXPECT_ERROR(wrong.upgrade(6), InvalidModel, "axis 3");
}

TEST(Rule, PReluSlopePerChannel) {
  Bench b("PRelu");
  b.input(kPicture).input(SymbolicShape{8});
  EXPECT_EQ(b.ops(6), "Unsqueeze PRelu");
  Bench one("PRelu");
  one.input(kPicture).input(SymbolicShape{1});
  EXPECT_EQ(one.ops(6), "PRelu");
}

TEST(Rule, GemmBroadcast) {
  Bench b("Gemm");
  b.input({}).input({}).input({}).attribute("broadcast", std::int64_t{1});
  EXPECT_EQ(b.ops(6), "Gemm");
  EXPECT_FALSE(b.made("Gemm").attributes.has("broadcast"));
}

TEST(Rule, AxesBecomeAnInput) {
  for (const std::string op : {"Squeeze", "Unsqueeze", "ReduceSum", "ReduceMean", "ReduceL2"}) {
    Bench b(op);
    b.input(kPicture).attribute("axes", Ints{1, -1});
    EXPECT_EQ(b.ops(12), op);
    EXPECT_EQ(b.ints(op, 1), (Ints{1, -1})) << op;
  }
  Bench all("ReduceMax");
  all.input(kPicture);
  EXPECT_EQ(all.ops(13), "ReduceMax");
  EXPECT_EQ(all.made("ReduceMax").inputs.size(), 1u);
}

TEST(Rule, SoftmaxOverSeveralAxes) {
  Bench last("Softmax");
  last.input(SymbolicShape{Dim::symbol("N"), 10});
  EXPECT_EQ(last.ops(9), "Softmax");
  EXPECT_EQ(last.made("Softmax").attributes.get_int("axis"), -1);

  Bench ones("LogSoftmax");
  ones.input(SymbolicShape{Dim::symbol("N"), 10, 1, 1});
  EXPECT_EQ(ones.ops(9), "LogSoftmax");
  EXPECT_EQ(ones.made("LogSoftmax").attributes.get_int("axis"), 1);

  Bench several("Softmax");
  several.input(kPicture);
  EXPECT_EQ(several.ops(9), "Shape Flatten Softmax Reshape");
  EXPECT_EQ(several.made("Flatten").attributes.get_int("axis"), 1);

  Bench fixed("Hardmax");
  fixed.input(SymbolicShape{2, 3, 4}).attribute("axis", std::int64_t{-2});
  EXPECT_EQ(fixed.ops(11), "Flatten Hardmax Reshape");
  EXPECT_EQ(fixed.ints("Reshape", 1), (Ints{2, 3, 4}));

  Bench unknown("Softmax");
  unknown.input({}).attribute("axis", std::int64_t{2});
  EXPECT_EQ(unknown.ops(11), "Shape Flatten Softmax Reshape");
}

TEST(Rule, BatchNormalization) {
  Bench test("BatchNormalization");
  test.input(kPicture).input({}).input({}).input({}).input({}).attribute("is_test", std::int64_t{1}).attribute("spatial", std::int64_t{1}).outputs(5);
  EXPECT_EQ(test.ops(6), "BatchNormalization");
  EXPECT_EQ(test.made("BatchNormalization").outputs.size(), 1u);
  EXPECT_TRUE(test.made("BatchNormalization").attributes.empty());

  Bench training("BatchNormalization");
  training.input(kPicture).input({}).input({}).input({}).input({}).outputs(5);
  EXPECT_EQ(training.ops(9), "BatchNormalization");
  EXPECT_EQ(training.made("BatchNormalization").outputs.size(), 3u);
  EXPECT_EQ(training.made("BatchNormalization").attributes.get_int("training_mode"), 1);

  Bench positions("BatchNormalization");
  positions.input(kPicture).input({}).input({}).input({}).input({}).attribute("spatial", std::int64_t{0});
  EXPECT_EQ(positions.ops(7), "Sub Add Sqrt Div Mul Add");
}

TEST(Rule, CastTypeName) {
  Bench b("Cast");
  b.input({}).attribute("to", std::string("INT64"));
  EXPECT_EQ(b.ops(5), "Cast");
  EXPECT_EQ(b.made("Cast").attributes.get_int("to"), 7);
  Bench wrong("Cast");
  wrong.input({}).attribute("to", std::string("LONG"));
  EXPECT_ERROR(wrong.upgrade(5), InvalidModel, "LONG");
}

TEST(Rule, ClipBounds) {
  Bench b("Clip");
  b.input(kPicture, DataType::f16).attribute("max", 6.0);
  EXPECT_EQ(b.ops(10), "Clip");
  EXPECT_FALSE(b.made("Clip").has_input(1));
  EXPECT_EQ(b.number("Clip", 2), 6.0f);
  Bench unknown("Clip");
  unknown.input({}, DataType::undefined).attribute("min", 0.0);
  EXPECT_EQ(unknown.ops(6), "CastLike Clip");
}

TEST(Rule, ChangedDefaults) {
  Bench concat("Concat");
  concat.input({}).input({});
  concat.ops(1);
  EXPECT_EQ(concat.made("Concat").attributes.get_int("axis"), 1);

  Bench selu("Selu");
  selu.input({});
  selu.ops(1);
  EXPECT_EQ(selu.made("Selu").attributes.get_float("gamma"), 1.0507);

  Bench roi("RoiAlign");
  roi.input({}).input({}).input({});
  roi.ops(10);
  EXPECT_EQ(roi.made("RoiAlign").attributes.get_string("coordinate_transformation_mode"), "output_half_pixel");

  Bench grid("GridSample");
  grid.input({}).input({}).attribute("mode", std::string("bicubic"));
  grid.ops(16);
  EXPECT_EQ(grid.made("GridSample").attributes.get_string("mode"), "cubic");

  Bench pool("LpPool");
  pool.input({}).attribute("p", 3.0);
  pool.ops(1);
  EXPECT_EQ(pool.made("LpPool").attributes.get_int("p"), 3);

  Bench lstm("LSTM");
  lstm.input({}).attribute("output_sequence", std::int64_t{1});
  lstm.ops(1);
  EXPECT_TRUE(lstm.made("LSTM").attributes.empty());

  Bench scatter("Scatter");
  scatter.input({}).input({}).input({});
  EXPECT_EQ(scatter.ops(9), "ScatterElements");
}

TEST(Rule, DftAxis) {
  Bench b("DFT");
  b.input({});
  EXPECT_EQ(b.ops(17), "DFT");
  EXPECT_EQ(b.ints("DFT", 2), Ints{1});
  EXPECT_FALSE(b.made("DFT").has_input(1));
}

TEST(Rule, Dropout) {
  Bench b("Dropout");
  b.input(kPicture).attribute("ratio", 0.25).attribute("is_test", std::int64_t{1}).outputs(2);
  EXPECT_EQ(b.ops(6), "Dropout CastLike");
  EXPECT_EQ(b.number("Dropout", 1), 0.25f);
  EXPECT_EQ(b.graph.value(b.made("CastLike").outputs[0]).name, "y1");
  Bench newer("Dropout");
  newer.input(kPicture).outputs(2);
  EXPECT_EQ(newer.ops(10), "Dropout");
}

TEST(Rule, GroupNormalizationPerChannel) {
  Bench b("GroupNormalization");
  b.input(kPicture).input(SymbolicShape{4}).input(SymbolicShape{4}).attribute("num_groups", std::int64_t{4});
  EXPECT_EQ(b.ops(18), "Shape Div Concat Unsqueeze Expand Reshape Unsqueeze Expand Reshape GroupNormalization");
}

TEST(Rule, PadAmountsAndValue) {
  Bench b("Pad");
  b.input(kPicture).attribute("pads", Ints{0, 0, 1, 1, 0, 0, 1, 1}).attribute("value", 2.0);
  EXPECT_EQ(b.ops(10), "Pad");
  EXPECT_EQ(b.ints("Pad", 1).size(), 8u);
  EXPECT_EQ(b.number("Pad", 2), 2.0f);
  Bench oldest("Pad");
  oldest.input(kPicture).attribute("paddings", Ints{1, 1});
  EXPECT_EQ(oldest.ops(1), "Pad");
  EXPECT_EQ(oldest.ints("Pad", 1), (Ints{1, 1}));
}

TEST(Rule, AttributesThatBecameInputs) {
  Bench reshape("Reshape");
  reshape.input({}).attribute("shape", Ints{0, -1});
  reshape.ops(1);
  EXPECT_EQ(reshape.ints("Reshape", 1), (Ints{0, -1}));

  Bench slice("Slice");
  slice.input({}).attribute("starts", Ints{1}).attribute("ends", Ints{3}).attribute("axes", Ints{2});
  slice.ops(9);
  EXPECT_EQ(slice.ints("Slice", 3), Ints{2});

  Bench split("Split");
  split.input({}).attribute("split", Ints{1, 2}).outputs(2);
  split.ops(2);
  EXPECT_EQ(split.ints("Split", 1), (Ints{1, 2}));
  EXPECT_FALSE(split.made("Split").attributes.has("num_outputs"));

  Bench equal_parts("Split");
  equal_parts.input({}).outputs(3);
  equal_parts.ops(13);
  EXPECT_EQ(equal_parts.made("Split").attributes.get_int("num_outputs"), 3);

  Bench top_k("TopK");
  top_k.input({}).attribute("k", std::int64_t{5}).outputs(2);
  top_k.ops(1);
  EXPECT_EQ(top_k.ints("TopK", 1), Ints{5});

  Bench tile("Tile");
  tile.input(kPicture).constant({3}).constant({1});
  tile.ops(1);
  EXPECT_EQ(tile.ints("Tile", 1), (Ints{1, 3, 1, 1}));
  EXPECT_EQ(tile.made("Tile").inputs.size(), 2u);
}

TEST(Rule, UpsampleBecomesResize) {
  const auto expect_old_sampling = [](const Bench& b) {
    const ir::Node& resize = b.made("Resize");
    EXPECT_EQ(resize.attributes.get_string("coordinate_transformation_mode"), "asymmetric");
    EXPECT_EQ(resize.attributes.get_string("nearest_mode"), "floor");
    EXPECT_FALSE(resize.has_input(1));
    EXPECT_TRUE(resize.has_input(2));
  };
  Bench attribute("Upsample");
  attribute.input(kPicture).attribute("scales", std::vector<double>{1, 1, 2, 2}).attribute("mode", std::string("linear"));
  EXPECT_EQ(attribute.ops(7), "Resize");
  expect_old_sampling(attribute);
  EXPECT_EQ(attribute.made("Resize").attributes.get_string("mode"), "linear");

  Bench oldest("Upsample");
  oldest.input(kPicture).attribute("height_scale", 2.0).attribute("width_scale", 3.0).attribute("mode", std::string("bilinear"));
  EXPECT_EQ(oldest.ops(1), "Resize");
  expect_old_sampling(oldest);
  EXPECT_EQ(oldest.made("Resize").attributes.get_string("mode"), "linear");

  for (const std::int64_t version : {9, 10, 11, 26}) {
    Bench as_input("Upsample");
    as_input.input(kPicture).constant({1, 1, 2, 2});
    EXPECT_EQ(as_input.ops(version), "Resize");
    expect_old_sampling(as_input);
  }
  Bench resize10("Resize");
  resize10.input(kPicture).constant({1, 1, 2, 2});
  EXPECT_EQ(resize10.ops(10), "Resize");
  expect_old_sampling(resize10);

  Bench mixed("Resize");
  mixed.input(kPicture).constant({1, 1, 2, 0.6f});
  EXPECT_EQ(mixed.ops(10), "Resize Resize");
  EXPECT_EQ(mixed.graph.producer(mixed.graph.find_value("y0"))->attributes.get_string("nearest_mode"), "ceil");
}

TEST(Rule, ResizeWithEmptyInputs) {
  Bench b("Resize");
  b.input(kPicture).constant({}).constant({}).constant({1, 8, 10, 14});
  EXPECT_EQ(b.ops(11), "Resize");
  EXPECT_FALSE(b.made("Resize").has_input(1));
  EXPECT_FALSE(b.made("Resize").has_input(2));
  EXPECT_TRUE(b.made("Resize").has_input(3));

  Bench tf("Resize");
  tf.input(kPicture).constant({}).constant({1, 1, 2, 2}).attribute("coordinate_transformation_mode", std::string("tf_half_pixel_for_nn"))
      .attribute("nearest_mode", std::string("floor"));
  tf.ops(11);
  EXPECT_EQ(tf.made("Resize").attributes.get_string("nearest_mode"), "round_prefer_ceil");
}

TEST(Rule, ScanOverABatch) {
  Bench b("Scan");
  b.missing().input(kPicture).input(kPicture).attribute("num_scan_inputs", std::int64_t{1}).outputs(2);
  ir::Graph body;
  body.name = "body";
  b.node.bodies.push_back(std::move(body));
  EXPECT_EQ(b.ops(8), "Scan");
  const ir::Node& outer = b.made("Scan");
  EXPECT_EQ(outer.inputs.size(), 2u);
  EXPECT_EQ(outer.attributes.get_int("num_scan_inputs"), 2);
  ASSERT_EQ(outer.bodies.size(), 1u);
  EXPECT_EQ(ops_of(outer.bodies[0]), "Scan");
  const ir::Node& inner = *outer.bodies[0].producer(outer.bodies[0].outputs[0]);
  EXPECT_EQ(inner.attributes.get_int("num_scan_inputs"), 1);
  EXPECT_EQ(inner.bodies[0].name, "body");
}

TEST(Rule, Experiments) {
  const auto ops_for = [](const std::string& op) {
    Bench b(op);
    b.input(kPicture).attribute("alpha", 2.0).attribute("beta", 3.0);
    return b.ops(6);
  };
  EXPECT_EQ(ops_for("Affine"), "Mul Add");
  EXPECT_EQ(ops_for("ParametricSoftplus"), "Mul Softplus Mul");
  EXPECT_EQ(ops_for("ScaledTanh"), "Mul Tanh Mul");
  EXPECT_EQ(ops_for("Scale"), "Mul");

  Bench scaler("ImageScaler");
  scaler.input(kPicture).attribute("scale", 2.0).attribute("bias", std::vector<double>{1, 2, 3});
  EXPECT_EQ(scaler.ops(7), "Mul Unsqueeze CastLike Add");

  Bench fill("ConstantFill");
  fill.attribute("shape", Ints{2, 3}).attribute("value", 4.0);
  EXPECT_EQ(fill.ops(6), "ConstantOfShape");

  Bench crop("Crop");
  crop.input(kPicture).attribute("border", Ints{1, 2, 3, 0});
  EXPECT_EQ(crop.ops(7), "Slice");
  EXPECT_EQ(crop.ints("Slice", 1), (Ints{2, 1}));
  EXPECT_EQ(crop.ints("Slice", 2), (Ints{INT64_MAX, -3}));
}

TEST(Rule, MicrosoftQuantizedOperators) {
  Bench add("com.microsoft::QLinearAdd");
  for (int i = 0; i < 8; ++i) add.input(SymbolicShape{});
  EXPECT_EQ(add.ops(1), "DequantizeLinear DequantizeLinear Add QuantizeLinear");
  EXPECT_EQ(add.made("QuantizeLinear").inputs.size(), 3u);

  Bench pool("com.microsoft::QLinearGlobalAveragePool");
  for (int i = 0; i < 5; ++i) pool.input({});
  EXPECT_EQ(pool.attribute("channels_last", std::int64_t{0}).ops(1), "DequantizeLinear GlobalAveragePool QuantizeLinear");

  Bench last("com.microsoft::QLinearAveragePool");
  for (int i = 0; i < 5; ++i) last.input({});
  EXPECT_ERROR(last.attribute("channels_last", std::int64_t{1}).upgrade(1), Unsupported, "channels_last");

  Bench concat("com.microsoft::QLinearConcat");
  for (int i = 0; i < 8; ++i) concat.input({});
  EXPECT_EQ(concat.attribute("axis", std::int64_t{1}).ops(1), "DequantizeLinear DequantizeLinear Concat QuantizeLinear");

  Bench cut("com.microsoft::QLinearConcat");
  for (int i = 0; i < 7; ++i) cut.input({});
  EXPECT_ERROR(cut.upgrade(1), InvalidModel, "found 7");

  Bench gemm("com.microsoft::QGemm");
  for (int i = 0; i < 7; ++i) gemm.input({});
  EXPECT_EQ(gemm.ops(1), "DequantizeLinear DequantizeLinear Mul CastLike Mul Gemm");
}

TEST(Rule, MicrosoftFusedOperators) {
  Bench conv("com.microsoft::FusedConv");
  for (int i = 0; i < 4; ++i) conv.input({});
  EXPECT_EQ(conv.attribute("activation", std::string("Relu")).attribute("group", std::int64_t{2}).ops(1), "Conv Add Relu");
  EXPECT_EQ(conv.made("Conv").attributes.get_int("group"), 2);

  Bench matmul("com.microsoft::FusedMatMul");
  matmul.input(SymbolicShape{2, 3, 4}).input(SymbolicShape{2, 5, 4}).attribute("transB", std::int64_t{1}).attribute("alpha", 0.5);
  EXPECT_EQ(matmul.ops(1), "Transpose MatMul Mul");
  EXPECT_EQ(matmul.made("Transpose").attributes.get_ints("perm"), (Ints{0, 2, 1}));

  Bench norm("com.microsoft::SkipLayerNormalization");
  for (int i = 0; i < 4; ++i) norm.input({});
  norm.outputs(4);
  EXPECT_EQ(norm.ops(1), "Add LayerNormalization Identity");

  Bench gelu("com.microsoft::FastGelu");
  EXPECT_EQ(gelu.input({}).ops(1), "Gelu");
  EXPECT_EQ(gelu.made("Gelu").attributes.get_string("approximate"), "tanh");

  Bench grid("com.microsoft::GridSample");
  EXPECT_EQ(grid.input({}).input({}).attribute("mode", std::string("bilinear")).ops(1), "GridSample");
  EXPECT_EQ(grid.made("GridSample").attributes.get_string("mode"), "linear");
}

}  // namespace
}  // namespace fovea::testing
