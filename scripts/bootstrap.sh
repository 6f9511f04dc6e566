#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs by package name what is missing: `bootstrap.sh build|test|bench`. Debian packages through apt-get, the
# judges of the tests (onnx, onnxruntime ...) from PyPI into .venv. Does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}

packages=(g++ cmake ninja-build ccache mold pkg-config libdnnl-dev libhwy-dev libflatbuffers-dev flatbuffers-compiler
          libsodium-dev libprotobuf-dev protobuf-compiler libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev
          libcli11-dev libspdlog-dev nlohmann-json3-dev zlib1g-dev libre2-dev)
[ "$what" = build ] || packages+=(libgtest-dev python3 python3-venv)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing: ${missing[*]}"
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "error: not root and no sudo; install these packages first: ${missing[*]}" >&2; exit 4; }
    sudo=sudo
  fi
  $sudo apt-get update -qq || { echo "error: apt-get update failed; is the network up?" >&2; exit 4; }
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    { echo "error: could not install: ${missing[*]}" >&2; exit 4; }
fi
[ "$what" = build ] && exit 0

wheels=(onnx==1.21.0 onnxruntime numpy pillow pycocotools torch torchvision)
[ "$what" = bench ] && wheels+=(openvino)
stamp=.venv/.installed
if [ "$(cat "$stamp" 2>/dev/null)" != "${wheels[*]}" ]; then
  echo "installing from PyPI into .venv: ${wheels[*]}"
  /usr/bin/python3 -m venv .venv
  .venv/bin/pip install -q --disable-pip-version-check "${wheels[@]}" || { echo "error: pip could not install: ${wheels[*]}" >&2; exit 4; }
  echo "${wheels[*]}" > "$stamp"
fi
