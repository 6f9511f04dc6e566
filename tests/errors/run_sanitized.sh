#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a sanitized test; skipped (77) where it was not built. No single allocation may exceed 2 GiB: what a hostile
# file makes larger is a mistake of ours.
set -euo pipefail
[ -x "$1" ] || { echo "skipped: $1 is not built; 'cmake --build build --target asan_tests' does that"; exit 77; }
export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=2048:detect_leaks=0
export UBSAN_OPTIONS=print_stacktrace=1
exec "$@"
