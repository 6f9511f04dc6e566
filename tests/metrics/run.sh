#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh FOVEA: finds Python with the judge.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=$root/.venv/bin/python
[ -x "$python" ] || { echo "skipped: no .venv; scripts/bootstrap.sh test makes it"; exit 77; }
exec "$python" "$here/agree_with_pycocotools.py" "$1" "${FOVEA_SHARED:-$root/../shared}"
