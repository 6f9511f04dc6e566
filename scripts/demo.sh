#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo: a drawn blood smear (or the user's photo), the bundled network built into an engine, the cells it finds.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
image=${2:-}
out=$build/demo
mkdir -p "$out"
if [ -z "$image" ]; then
  image=$out/smear.png
  "$build/bin/blood_smear" --seed 1 -o "$image"
  echo "drew a blood smear: $image"
fi
"$build/bin/fovea" build models/blood_cells/blood_cells.onnx -o "$out/blood_cells.fovea" --recipe models/blood_cells/recipe.json
"$build/bin/fovea" predict "$out/blood_cells.fovea" "$image" -o "$out"
"$build/bin/fovea" doctor
