// SPDX-License-Identifier: Apache-2.0
// The one meeting point of operators and devices: for each device and operator the candidates, best first.
// The reference kernel is always the last candidate and is not listed here.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "device/kernel.h"

namespace fovea {

/// Candidates of `op` on `device` ("cpu"), best first; empty when only the reference exists.
std::span<const Kernel* const> kernels_of(std::string_view device, std::string_view op);
/// The candidate with that name, or null.
const Kernel* find_kernel(std::string_view device, std::string_view op, std::string_view kernel_name);

/// Adds a candidate in front of the others (tests and plugins). Lives until remove_kernel.
void add_kernel(std::string_view device, std::string_view op, const Kernel* kernel);
void remove_kernel(const Kernel* kernel);

}  // namespace fovea
