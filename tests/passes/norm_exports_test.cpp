// SPDX-License-Identifier: Apache-2.0
// Normalisations as PyTorch exports them (tests/models/norms): after all passes one operator is left of each.
#include <gtest/gtest.h>

#include <filesystem>

#include "fovea/model.h"
#include "passes/pass_runner.h"

namespace fovea::passes {
namespace {

std::string ops_after_all_passes(const std::filesystem::path& file) {
  const auto model = import_onnx(file);
  if (!model.ok()) return model.status().to_string();
  ir::Graph graph = model->graph();
  const auto report = run_passes(graph, optimization_passes());
  if (!report.ok()) return report.status().to_string();
  std::string list;
  for (const ir::NodeId id : graph.topological_order()) list += (list.empty() ? "" : " ") + graph.node(id).op;
  return list;
}

TEST(NormExports, OneOperatorIsLeft) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(FOVEA_TEST_DATA) / "../models/norms")) {
    if (entry.path().extension() != ".onnx") continue;
    const std::string stem = entry.path().stem().string();
    const bool half = stem.find("half") != std::string::npos || stem.find("by_hand") != std::string::npos;
    const std::string op = stem.starts_with("group") ? "GroupNormalization" : "LayerNormalization";
    EXPECT_EQ(ops_after_all_passes(entry.path()), half ? "Cast " + op + " Cast" : op) << stem;
    ++files;
  }
  EXPECT_EQ(files, 12);
}

}  // namespace
}  // namespace fovea::passes
