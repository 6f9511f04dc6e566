// SPDX-License-Identifier: Apache-2.0
// Which plugin operators a plan uses, and whether those of this process are the same. An engine was verified with one version
// of an operator; another may compute something else, so it never takes that one's place.
#pragma once

#include "base/check.h"
#include "engine/plan.h"

namespace fovea {

/// The plugin operators that the steps of a plan and its bodies use, as they are registered now.
std::vector<PluginUse> plugin_uses(const Plan& plan);

/// Ok when plan.plugins lists exactly the plugin operators that the steps use, and each is registered with the version and the
/// schema recorded. Unsupported names the operator and what differs, InvalidModel says that the list makes no sense.
Status check_plugin_uses(const Plan& plan);

}  // namespace fovea
