// SPDX-License-Identifier: Apache-2.0
// Whole graphs as PyTorch's exporters write them (exported/*.onnx, from the composition of deformable attention in
// bench/operator_cases/sampling.py): after all passes one operator is left, and it computes what the graph did.
#include <gtest/gtest.h>

#include <cmath>

#include "fovea/model.h"
#include "ir/text.h"
#include "passes/infer_shapes.h"
#include "passes/match.h"
#include "passes/pass_runner.h"
#include "support/graph_interpreter.h"

namespace fovea::testing {
namespace {

TEST(ExportedGraphs, DeformableAttentionBecomesOneOperator) {
  for (const char* name : {"torchscript_opset16", "torchscript_opset20", "dynamo_opset20"}) {
    const auto model = import_onnx(str_cat(FOVEA_TEST_DATA "/exported/deform_attention_", name, ".onnx"));
    ASSERT_TRUE(model.ok()) << name << ": " << model.status().to_string();
    const ir::Graph before = model->graph();
    ir::Graph after = before;
    passes::PassOptions options;
    options.refresh = passes::infer_shapes;
    const auto report = passes::run_passes(after, passes::optimization_passes(), options);
    ASSERT_TRUE(report.ok()) << name << ": " << report.status().to_string();
    ASSERT_EQ(after.num_nodes(), 1) << name << ": " << ir::print(after);
    EXPECT_EQ(after.node(after.topological_order()[0]).op, "mmdeploy::MMCVMultiScaleDeformableAttention");

    // Three levels of 6x8, 3x4 and 2x2; two items, four heads of eight channels, five queries, two points.
    const Shape shapes[] = {{2, 64, 4, 8}, {2, 5, 4, 3, 2, 2}, {2, 5, 4, 3, 2}};
    std::vector<Datum> inputs;
    for (std::size_t i = 0; i < 3; ++i) inputs.emplace_back(ir::seeded_tensor(DataType::f32, shapes[i], i + 1, i == 0 ? -1 : 0, 1).value());
    const auto expected = interpret(before, inputs), found = interpret(after, inputs);
    ASSERT_TRUE(expected.ok() && found.ok()) << name << ": " << found.status().to_string();
    const auto e = passes::to_doubles((*expected)[0].tensor), f = passes::to_doubles((*found)[0].tensor);
    ASSERT_EQ(e.size(), f.size());
    for (std::size_t i = 0; i < e.size(); ++i) ASSERT_NEAR(f[i], e[i], 2e-6) << name << ", element " << i;
  }
}

}  // namespace
}  // namespace fovea::testing
