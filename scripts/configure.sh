#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Configures a build folder once: `configure.sh FOLDER PRESET`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -f "$1/build.ninja" ] || cmake --preset "$2" -B "$1" > "$1.configure.log" 2>&1 || { cat "$1.configure.log" >&2; exit 1; }
rm -f "$1.configure.log"
