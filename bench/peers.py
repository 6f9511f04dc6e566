#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times ONNX files with Fovea, ONNX Runtime and OpenVINO (f32), alternating in one run.

python bench/peers.py [--fovea build/bin/fovea] [--threads 2] [--rounds 3] [--seconds 2] FILE.onnx...
One line a network: medians in milliseconds (best of the rounds' medians) and the ratio best peer / Fovea
(above 1: Fovea is faster). Free extents become 1 on the first axis and 320 elsewhere. `--json FILE` keeps the figures."""
import argparse
import json
import math
import os
import subprocess
import tempfile
import time

import numpy as np
import onnxruntime as ort

try:
    import openvino as ov
except ImportError:
    ov = None

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64,
         "tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(bool)": np.bool_}
ort.set_default_logger_severity(3)


def make_feeds(session):
    rng, feeds = np.random.default_rng(0), {}
    for node in session.get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else (1 if axis == 0 else 320) for axis, d in enumerate(node.shape)]
        kind = TYPES[node.type]
        floating = np.issubdtype(kind, np.floating)
        feeds[node.name] = rng.random(shape).astype(kind) if floating else np.full(shape, 320 if kind == np.int64 else 1, kind)
    return feeds


def median_ms(run, seconds):
    run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[len(times) // 2]


class OnnxRuntime:
    def __init__(self, path, threads):
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Spinning threads of an idle session would steal time from the others that are measured in turn.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        self.session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def measure(self, feeds, seconds):
        return median_ms(lambda: self.session.run(None, feeds), seconds)


class OpenVino:
    def __init__(self, path, threads, feeds):
        core = ov.Core()
        model = core.read_model(path)
        model.reshape({i.any_name: list(feeds[i.any_name].shape) for i in model.inputs})
        compiled = core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
                                                     "INFERENCE_PRECISION_HINT": "f32"})
        self.request = compiled.create_infer_request()
        self.values = [feeds[i.any_name] for i in model.inputs]

    def measure(self, _, seconds):
        return median_ms(lambda: self.request.infer(self.values), seconds)


class Fovea:
    def __init__(self, command, path, threads, feeds, folder):
        self.command, self.threads = command, threads
        self.engine, self.inputs = os.path.join(folder, "net.fovea"), os.path.join(folder, "in.npz")
        np.savez(self.inputs, **feeds)
        shapes = ",".join(f"{name}:{'x'.join(map(str, value.shape))}" for name, value in feeds.items() if value.ndim)
        subprocess.run([command, "build", path, "-o", self.engine, "--shapes", shapes, "--data", self.inputs,
                        "--threads", str(threads), "-q"], check=True)

    def measure(self, _, seconds):
        done = subprocess.run([self.command, "bench", self.engine, "--input", self.inputs, "--threads", str(self.threads),
                               "--duration", str(seconds), "--json", "-"], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["latency_ms"]["median"]


def compare(path, arguments, folder):
    runners, row = {}, {"model": os.path.basename(path)}
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    feeds = make_feeds(ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
    makers = {"fovea": lambda: Fovea(arguments.fovea, path, arguments.threads, feeds, folder),
              "onnxruntime": lambda: OnnxRuntime(path, arguments.threads)}
    if ov:
        makers["openvino"] = lambda: OpenVino(path, arguments.threads, feeds)
    for name, make in makers.items():
        try:
            runners[name] = make()
        except Exception as error:  # a peer that refuses a network is a result, not a failure of the run
            row[name] = f"refuses: {str(error).splitlines()[0][:80]}"
    medians = {name: [] for name in runners}
    for _ in range(arguments.rounds):
        for name, runner in runners.items():
            medians[name].append(runner.measure(feeds, arguments.seconds))
    row.update({name: min(values) for name, values in medians.items()})
    peers = [row[name] for name in ("onnxruntime", "openvino") if isinstance(row.get(name), float)]
    if peers and isinstance(row.get("fovea"), float):
        row["ratio"] = min(peers) / row["fovea"]
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fovea", default="build/bin/fovea")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--json")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    rows = []
    print(f"{'network':34} {'fovea':>9} {'ort':>9} {'openvino':>9} {'ratio':>6}")
    for path in arguments.files:
        with tempfile.TemporaryDirectory() as folder:
            row = compare(path, arguments, folder)
        rows.append(row)
        cells = [f"{row[k]:9.3f}" if isinstance(row.get(k), float) else f"{'refuses':>9}" for k in ("fovea", "onnxruntime", "openvino")]
        print(f"{row['model'][:34]:34} {' '.join(cells)} {row.get('ratio', float('nan')):6.2f}", flush=True)
    ratios = [row["ratio"] for row in rows if "ratio" in row]
    if ratios:
        print(f"geometric mean {math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f}, lowest {min(ratios):.3f}, {len(ratios)} networks")
    if arguments.json:
        with open(arguments.json, "w") as out:
            json.dump(rows, out, indent=1)


if __name__ == "__main__":
    main()
