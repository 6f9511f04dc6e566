#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Are the committed files those that generate.py writes?
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../../.venv/bin/python
[ -x "$python" ] || { echo "skipped: no .venv; scripts/bootstrap.sh test makes it"; exit 77; }
exec "$python" "$here/generate.py" --check
