// SPDX-License-Identifier: Apache-2.0
// Jobs of unlike cost on OpenMP's threads.
#pragma once

#include "backends/cpu/kit/threads.h"

namespace fovea::cpu {

/// Calls body(job, worker) for each of [0, count), worker < `threads`: who is free takes the next. Results must not depend on
/// which worker does a job.
template <class Body>
void parallel_jobs(int threads, std::int64_t count, Body&& body) {
  if (threads <= 1 || count <= 1 || omp_in_parallel()) {
    for (std::int64_t job = 0; job < count; ++job) body(job, 0);
    return;
  }
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (std::int64_t job = 0; job < count; ++job) body(job, omp_get_thread_num());
}

}  // namespace fovea::cpu
