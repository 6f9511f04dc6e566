#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh FOVEA FAMILY: finds Python with the judges, $PYTHON or .venv.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-$here/../../.venv/bin/python}
[ -x "$python" ] || { echo "skipped: no .venv; scripts/bootstrap.sh test makes it"; exit 77; }
exec "$python" -B "$here/agree_with_torch.py" "$@"
