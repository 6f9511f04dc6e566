// SPDX-License-Identifier: Apache-2.0
#include "runtime/thread_count.h"

#include <sched.h>

#include <algorithm>

namespace fovea {

int resolve_thread_count(int requested) {
  if (requested > 0) return requested;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace fovea
