#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs into an empty folder, builds the stand-alone examples against it and runs them; then the runtime alone.
#   install_test.sh SOURCE_DIR BUILD_DIR MODEL.onnx
set -euo pipefail
source_dir=$1 build_dir=$2 model=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }
quiet() { "$@" > "$work/log" 2>&1 || { cat "$work/log" >&2; fail "$*"; }; }

# 1. Everything: the consumer imports, builds, saves and runs.
quiet cmake --install "$build_dir" --prefix "$work/all"
[ -x "$work/all/bin/fovea" ] || fail "bin/fovea was not installed"
quiet cmake -S "$source_dir/examples/consumer" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/all"
quiet cmake --build "$work/consumer"
"$work/consumer/consumer" "$model" "$work/net.fovea" | tee "$work/consumer.txt"
[ -s "$work/consumer.txt" ] || fail "the consumer printed nothing"

# 2. The runtime alone: no compiler in the prefix, and what it cannot do is said while configuring.
quiet cmake --install "$build_dir" --prefix "$work/robot" --component runtime
for absent in lib/libfovea_compiler.a include/fovea/build.h bin/fovea; do
  [ ! -e "$work/robot/$absent" ] || fail "the component 'runtime' installed $absent"
done
if cmake -S "$source_dir/examples/consumer" -B "$work/refused" -DCMAKE_PREFIX_PATH="$work/robot" > "$work/log" 2>&1; then
  fail "the component 'compiler' was found in a runtime-only installation"
fi
grep -q "without the component 'compiler'" "$work/log" || { cat "$work/log"; fail "the refusal does not say why"; }
quiet cmake -S "$source_dir/examples/run_engine" -B "$work/run_engine" -DCMAKE_PREFIX_PATH="$work/robot"
quiet cmake --build "$work/run_engine"
"$work/run_engine/run_engine" "$work/net.fovea" | tee "$work/run_engine.txt"
cmp "$work/consumer.txt" "$work/run_engine.txt" || fail "the loaded engine answers differently from the built one"

# 3. The robot carries neither protobuf nor OpenCV, neither linked nor inside.
if ldd "$work/run_engine/run_engine" | grep -iE 'protobuf|opencv'; then fail "run_engine links what only the compiler needs"; fi
if nm -C "$work/run_engine/run_engine" | grep -E 'google::protobuf|\bcv::|fovea::(onnx|ir|passes|compiler)::' | head; then
  fail "run_engine holds code of the importer or the compiler"
fi

# 4. A damaged engine is an error line, not a crash.
head -c 1000 "$work/net.fovea" > "$work/short.fovea"
if "$work/run_engine/run_engine" "$work/short.fovea" 2> "$work/log"; then fail "a truncated engine was run"; fi
grep -q '^error: .*short.fovea' "$work/log" || { cat "$work/log"; fail "the error does not name the file"; }
# 5. Pictures in, answers out, from the installed task library.
if [ -e "$work/all/include/fovea/task.h" ]; then
  quiet cmake -S "$source_dir/examples/predict" -B "$work/predict" -DCMAKE_PREFIX_PATH="$work/all"
  quiet cmake --build "$work/predict"
  printf 'P6 32 32 255\n%3072s' ' ' > "$work/picture.ppm"
  "$work/predict/predict" "$work/net.fovea" "$source_dir/tests/install/recipe.json" "$work/picture.ppm" > "$work/log" || fail "predict failed"
  grep -q '"image"' "$work/log" || { cat "$work/log"; fail "predict printed no JSON"; }
fi

# 6. An operator from outside: the plugin needs two headers, the engine that uses it needs the plugin.
quiet cmake --install "$build_dir" --prefix "$work/sdk" --component plugin
[ ! -e "$work/sdk/lib/libfovea_runtime.a" ] || fail "the component 'plugin' installed a library"
quiet cmake -S "$source_dir/examples/plugin" -B "$work/plugin" -DCMAKE_PREFIX_PATH="$work/sdk"
quiet cmake --build "$work/plugin"
fovea=$work/all/bin/fovea plugin=$work/plugin/polar_warp.so case=$source_dir/examples/plugin/radial_profile
"$fovea" conformance "$case" --plugin "$plugin" | tee "$work/log"
grep -q '^1 passed, 0 failed' "$work/log" || fail "the plugin's case"
"$fovea" build "$case/model.onnx" -o "$work/polar.fovea" --plugin "$plugin" --threads 2 | tee "$work/log"
grep -q 'verified' "$work/log" || fail "the plugin's network was not verified"
"$fovea" compare "$case/model.onnx" "$work/polar.fovea" --plugin "$plugin" --shapes picture:2x3x33x20 || fail "compare at other shapes"
if "$fovea" run "$work/polar.fovea" 2> "$work/log"; then fail "the engine ran without its plugin"; fi
grep -q "^error: .*operator 'example::PolarWarp' 1.0.0 of the plugin 'polar_warp', which is not loaded" "$work/log" || { cat "$work/log"; fail "the error does not name the plugin"; }
"$work/run_engine/run_engine" "$work/polar.fovea" "$plugin" | tee "$work/log"  # the runtime alone can do it too
grep -q '^profile: 1x3x' "$work/log" || fail "run_engine with a plugin"
echo "installed, built and ran: consumer, run_engine, predict, plugin"
