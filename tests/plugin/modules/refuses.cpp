// SPDX-License-Identifier: Apache-2.0
// A plugin that wants another host.
#include <fovea/plugin.h>

extern "C" FOVEA_PLUGIN_EXPORT const fovea_plugin* fovea_plugin_entry(uint32_t) { return nullptr; }
