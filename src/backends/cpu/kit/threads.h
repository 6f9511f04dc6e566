// SPDX-License-Identifier: Apache-2.0
// Threads of CPU kernels: OpenMP, shared with oneDNN, so that both use one team and its workers keep spinning
// between steps. Work is always split over independent outputs: results do not depend on the thread count.
#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

namespace fovea::cpu {

/// Below this many bytes or simple operations a region costs more than it brings (about a microsecond).
inline constexpr std::int64_t kMinWorkPerThread = 16 * 1024;

/// `threads`, or 1 when `count` items of `work_per_item` bytes or operations each are not worth waking others. Never
/// a number in between: OpenMP ends and restarts threads whenever the size of the team changes.
inline int useful_threads(int threads, std::int64_t count, std::int64_t work_per_item) {
  const std::int64_t work = count * std::max<std::int64_t>(1, work_per_item);
  return count >= 2 && work >= 2 * kMinWorkPerThread ? std::max(1, threads) : 1;
}

/// Calls body(begin, end) for consecutive pieces of [0, count), one piece a thread; serially when `threads` is 1.
template <class Body>
void parallel_for(int threads, std::int64_t count, Body&& body) {
  if (count <= 0) return;
  if (threads <= 1 || count == 1 || omp_in_parallel()) {
    body(std::int64_t{0}, count);
    return;
  }
#pragma omp parallel num_threads(threads)
  {
    const std::int64_t team = omp_get_num_threads(), me = omp_get_thread_num();
    const std::int64_t begin = count * me / team, end = count * (me + 1) / team;
    if (begin < end) body(begin, end);
  }
}

/// Sets OpenMP's default team size for a scope: oneDNN reads it when a primitive is built.
class ThreadCountScope {
 public:
  explicit ThreadCountScope(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(std::max(1, threads)); }
  ~ThreadCountScope() { omp_set_num_threads(before_); }
  ThreadCountScope(const ThreadCountScope&) = delete;
  ThreadCountScope& operator=(const ThreadCountScope&) = delete;

 private:
  int before_;
};

}  // namespace fovea::cpu
