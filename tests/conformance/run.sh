#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh FOVEA SET: one folder of the ONNX backend tests against the skip list.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
data=${FOVEA_ONNX_TESTS:-$(ls -d "$here"/../../.venv/lib/python3*/site-packages/onnx/backend/test/data 2>/dev/null | head -n 1)}
[ -d "$data/$2" ] || { echo "skipped: no ONNX backend tests; scripts/bootstrap.sh test installs them"; exit 77; }
exec "$1" conformance "$data/$2" --skip "$here/skip.txt" -q
