// SPDX-License-Identifier: Apache-2.0
// How many threads a session uses.
#pragma once

namespace fovea {

/// `requested`, or for 0 the cores this process may use (affinity mask respected); at least 1.
int resolve_thread_count(int requested);

}  // namespace fovea
