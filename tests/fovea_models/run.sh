#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh ARGUMENT...: a Python that has PyTorch and onnx, in this folder, with our models on its path.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
export PYTHONPATH=$root/models OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} PYTHONDONTWRITEBYTECODE=1
for python in "${PYTHON:-}" "$root/.venv/bin/python"; do
  [ -x "$python" ] && "$python" -c 'import torch, onnx' 2>/dev/null && exec "$python" "$@"
done
echo "skipped: no PyTorch; scripts/bootstrap.sh test installs it"
exit 77
