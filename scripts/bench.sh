#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Times ONNX files beside ONNX Runtime and OpenVINO: bench.sh BUILD [FILE.onnx...]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}; shift || true
[ $# -gt 0 ] || set -- models/blood_cells/blood_cells.onnx
exec .venv/bin/python bench/peers.py --fovea "$build/bin/fovea" "$@"
