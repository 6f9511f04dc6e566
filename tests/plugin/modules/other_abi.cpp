// SPDX-License-Identifier: Apache-2.0
// A plugin of a time to come.
#include <fovea/plugin.h>

extern "C" FOVEA_PLUGIN_EXPORT const fovea_plugin* fovea_plugin_entry(uint32_t) {
  static const fovea_plugin plugin = {sizeof(fovea_plugin), 99, "from_the_future", 0, 0, nullptr};
  return &plugin;
}
