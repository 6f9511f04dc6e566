#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test of a build folder; a last line says how many passed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
log=$build/test.log
# Several tests share the cores: OpenMP threads that spin while they wait would stop each other, tenfold and more.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
if ctest --test-dir "$build" --output-on-failure --parallel 2 | tee "$log"; then result=0; else result=1; fi
passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed' "$log" || true)
skipped=$(grep -cE '\*\*\*Skipped' "$log" || true)
failed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*(\*\*\*Failed|\*\*\*Timeout|\*\*\*Exception|\*\*\*Not Run)' "$log" || true)
echo "$passed passed, $failed failed, $skipped skipped"
exit $result
