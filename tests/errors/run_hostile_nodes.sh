#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run_hostile_nodes.sh TEST FOLDER: writes the models into FOLDER and runs the sanitized test on them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../../.venv/bin/python
[ -x "$python" ] || { echo "skipped: no .venv; scripts/bootstrap.sh test makes it"; exit 77; }
"$python" -B "$here/hostile_nodes.py" "$2"
exec "$here/run_sanitized.sh" "$1" "$2"
