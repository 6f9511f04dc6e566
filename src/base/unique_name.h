// SPDX-License-Identifier: Apache-2.0
// unique_name: a name that is not taken yet, made by counting. Doubling and halving keeps it fast for the files
// in which a million values want the same name.
#pragma once

#include <cstdint>
#include <string>

namespace fovea {

/// `base`, or base_1, base_2 ...: mostly the first for which `taken(name)` is false.
template <class Taken>
std::string unique_name(const std::string& base, Taken taken) {
  if (!taken(base)) return base;
  const auto numbered = [&](std::int64_t i) { return base + "_" + std::to_string(i); };
  std::int64_t used = 0, free = 1;
  for (; taken(numbered(free)); free *= 2) used = free;
  while (free - used > 1) {
    const std::int64_t middle = used + (free - used) / 2;
    (taken(numbered(middle)) ? used : free) = middle;
  }
  return numbered(free);
}

}  // namespace fovea
