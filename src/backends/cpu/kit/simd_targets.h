// SPDX-License-Identifier: Apache-2.0
// Instruction sets that Highway kernels are compiled for: AVX-512, AVX2, and plain code for anything older.
// Include before any Highway header.
#pragma once

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
