// SPDX-License-Identifier: Apache-2.0
#include "device/kernel_registry.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

namespace fovea {

#define FOVEA_KERNEL(device, op, stem) const Kernel& stem();
#include "device/kernels.def"
#undef FOVEA_KERNEL

namespace {

using Key = std::pair<std::string, std::string>;

std::map<Key, std::vector<const Kernel*>>& table() {
  static auto* map = [] {
    auto* rows = new std::map<Key, std::vector<const Kernel*>>;
#define FOVEA_KERNEL(device, op, stem) (*rows)[Key(#device, op)].push_back(&stem());
#include "device/kernels.def"
#undef FOVEA_KERNEL
    return rows;
  }();
  return *map;
}

}  // namespace

std::span<const Kernel* const> kernels_of(std::string_view device, std::string_view op) {
  const auto it = table().find(Key(device, op));
  if (it == table().end()) return {};
  return it->second;
}

const Kernel* find_kernel(std::string_view device, std::string_view op, std::string_view kernel_name) {
  for (const Kernel* kernel : kernels_of(device, op)) {
    if (kernel->name() == kernel_name) return kernel;
  }
  return nullptr;
}

void add_kernel(std::string_view device, std::string_view op, const Kernel* kernel) {
  auto& list = table()[Key(device, op)];
  list.insert(list.begin(), kernel);
}

void remove_kernel(const Kernel* kernel) {
  for (auto& [key, list] : table()) list.erase(std::remove(list.begin(), list.end(), kernel), list.end());
}

}  // namespace fovea
