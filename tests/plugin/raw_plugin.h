// SPDX-License-Identifier: Apache-2.0
// A plugin's table written by hand, correct until a test changes a field: y = x, of any rank.
#pragma once

#include <cstring>
#include <string>

#include "fovea/load_plugin.h"

namespace fovea::test {

struct RawPlugin {
  explicit RawPlugin(std::string op_name) : name(std::move(op_name)) {
    input = {"x", FOVEA_TYPE_BIT(FOVEA_F32), 0, 0};
    output = {"y", 0, 0, 0};
    attribute.fallback.name = "mode";
    attribute.fallback.type = FOVEA_STRING;
    attribute.fallback.s = "a";
    kernel.struct_size = sizeof kernel;
    kernel.device = FOVEA_CPU;
    kernel.name = "copy";
    kernel.run = [](const fovea_problem* problem, fovea_message*) {
      std::int64_t bytes = sizeof(float);
      for (std::int32_t axis = 0; axis < problem->outputs[0].rank; ++axis) bytes *= problem->outputs[0].extents[axis];
      std::memcpy(problem->outputs[0].data, problem->inputs[0].data, static_cast<std::size_t>(bytes));
      return fovea_code{FOVEA_OK};
    };
    op.struct_size = sizeof op;
    op.name = name.c_str();
    op.version = "1";
    op.num_inputs = op.num_outputs = op.num_attributes = op.num_kernels = 1;
    op.inputs = &input;
    op.outputs = &output;
    op.attributes = &attribute;
    op.kernels = kernels;
    op.infer = [](const fovea_infer* node, fovea_message*) {
      const std::int32_t rank = node->input_rank(node->host, 0);
      fovea_dim extents[FOVEA_MAX_RANK];
      for (std::int32_t axis = 0; axis < rank; ++axis) extents[axis] = node->input_extent(node->host, 0, axis);
      node->set_type(node->host, 0, FOVEA_F32);
      if (rank >= 0) node->set_shape(node->host, 0, rank, extents);
      return fovea_code{FOVEA_OK};
    };
    table = {sizeof table, FOVEA_PLUGIN_ABI, "raw", 1, 0, operators};
  }
  RawPlugin(const RawPlugin&) = delete;

  std::string name;
  fovea_port input = {}, output = {};
  fovea_attribute_spec attribute = {};
  fovea_kernel kernel = {};
  const fovea_kernel* kernels[2] = {&kernel, nullptr};
  fovea_operator op = {};
  const fovea_operator* operators[2] = {&op, nullptr};
  fovea_plugin table = {};
};

}  // namespace fovea::test
