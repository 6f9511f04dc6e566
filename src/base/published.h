// SPDX-License-Identifier: Apache-2.0
// Published<T>: a table that everybody reads and hardly anybody changes (operators, kernels). Readers take no lock; a change
// publishes a new version and keeps the old ones, so what a reader was given stays valid until the process ends.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace fovea {

template <class T>
class Published {
 public:
  explicit Published(T first) { publish(std::move(first)); }

  const T& read() const { return *current_.load(std::memory_order_acquire); }

  /// change(T&) on a copy of the present version, which then takes its place.
  template <class F>
  void replace(F change) {
    const std::lock_guard lock(writing_);
    T next = read();
    change(next);
    publish(std::move(next));
  }

 private:
  void publish(T next) {
    versions_.push_back(std::make_unique<const T>(std::move(next)));
    current_.store(versions_.back().get(), std::memory_order_release);
  }

  std::mutex writing_;
  std::vector<std::unique_ptr<const T>> versions_;
  std::atomic<const T*> current_{nullptr};
};

}  // namespace fovea
