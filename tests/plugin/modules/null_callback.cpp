// SPDX-License-Identifier: Apache-2.0
// An operator whose author forgot the shape rule.
#include <fovea/plugin.h>

namespace {

fovea_code run(const fovea_problem*, fovea_message*) { return FOVEA_OK; }

constexpr fovea_port kPort = {"x", FOVEA_TYPE_BIT(FOVEA_F32), 0, 0};

}  // namespace

extern "C" FOVEA_PLUGIN_EXPORT const fovea_plugin* fovea_plugin_entry(uint32_t) {
  static fovea_kernel kernel = {};
  kernel.struct_size = sizeof kernel;
  kernel.device = FOVEA_CPU;
  kernel.name = "cpu";
  kernel.run = run;
  static const fovea_kernel* const kernels[] = {&kernel};
  static fovea_operator op = {};
  op.struct_size = sizeof op;
  op.name = "test::NoRule";
  op.version = "1";
  op.num_inputs = op.num_outputs = op.num_kernels = 1;
  op.inputs = op.outputs = &kPort;
  op.kernels = kernels;
  static const fovea_operator* const operators[] = {&op};
  static const fovea_plugin plugin = {sizeof plugin, FOVEA_PLUGIN_ABI, "forgetful", 1, 0, operators};
  return &plugin;
}
