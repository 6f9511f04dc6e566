#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh MODULES ARGUMENT...: a Python that has the modules, in this folder, with our models on its path.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
modules=$1
shift
export PYTHONPATH=$root/models OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} PYTHONDONTWRITEBYTECODE=1 FOVEA_SHARED=${FOVEA_SHARED:-$root/../shared}
for python in "${PYTHON:-}" "$root/.venv/bin/python"; do
  [ -x "$python" ] && "$python" -c "import $modules" 2>/dev/null && exec "$python" "$@"
done
echo "skipped: no Python with $modules; scripts/bootstrap.sh test installs it"
exit 77
