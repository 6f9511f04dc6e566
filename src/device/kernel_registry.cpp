// SPDX-License-Identifier: Apache-2.0
#include "device/kernel_registry.h"

#include <algorithm>
#include <map>
#include <string>

#include "base/published.h"

namespace fovea {

#define FOVEA_KERNEL(device, op, stem) const Kernel& stem();
#include "device/kernels.def"
#undef FOVEA_KERNEL

namespace {

using Key = std::pair<std::string, std::string>;
using Rows = std::map<Key, std::vector<const Kernel*>>;

Published<Rows>& table() {
  static auto* published = [] {
    Rows rows;
#define FOVEA_KERNEL(device, op, stem) rows[Key(#device, op)].push_back(&stem());
#include "device/kernels.def"
#undef FOVEA_KERNEL
    return new Published<Rows>(std::move(rows));
  }();
  return *published;
}

}  // namespace

std::span<const Kernel* const> kernels_of(std::string_view device, std::string_view op) {
  const Rows& rows = table().read();
  const auto it = rows.find(Key(device, op));
  if (it == rows.end()) return {};
  return it->second;
}

const Kernel* find_kernel(std::string_view device, std::string_view op, std::string_view kernel_name) {
  for (const Kernel* kernel : kernels_of(device, op)) {
    if (kernel->name() == kernel_name) return kernel;
  }
  return nullptr;
}

void add_kernel(std::string_view device, std::string_view op, const Kernel* kernel) {
  table().replace([&](Rows& rows) {
    auto& list = rows[Key(device, op)];
    list.insert(list.begin(), kernel);
  });
}

void remove_kernel(const Kernel* kernel) {
  table().replace([&](Rows& rows) {
    for (auto& [key, list] : rows) list.erase(std::remove(list.begin(), list.end(), kernel), list.end());
  });
}

}  // namespace fovea
