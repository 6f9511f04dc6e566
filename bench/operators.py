#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times single operators with Fovea beside PyTorch or torchvision, alternating in one run, and compares the results.

python bench/operators.py [--fovea build/bin/fovea] [--threads 2] [--rounds 3] [--seconds 1] [--only TEXT] [--json FILE] [--markdown]

Cases stand in bench/operator_cases/<family>.py as a list CASES (or a function cases()). One line a case: medians in
milliseconds (the best of the rounds' medians) and the ratio peer / Fovea: above 1, Fovea is faster."""
import argparse
import importlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "operator_cases"))


def median_ms(run, seconds):
    run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[len(times) // 2]


class Fovea:
    def __init__(self, command, case, threads, folder):
        self.command, self.threads, self.folder = command, threads, folder
        self.engine, self.inputs = os.path.join(folder, "op.fovea"), os.path.join(folder, "in.npz")
        model = os.path.join(folder, "op.onnx")
        onnx.save(case.model, model)
        free = {i.name for i in case.model.graph.input}
        np.savez(self.inputs, **{name: value for name, value in case.feeds.items() if name in free})
        self.call("build", model, "-o", self.engine, "--data", self.inputs, "-q")

    def call(self, *arguments):
        done = subprocess.run([self.command, *arguments, "--threads", str(self.threads)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip().splitlines()[0] if done.stderr.strip() else f"exit code {done.returncode}")
        return done.stdout

    def outputs(self):
        path = os.path.join(self.folder, "out.npz")
        self.call("run", self.engine, "--input", self.inputs, "--output", path)
        return np.load(path)

    def measure(self, seconds):
        report = self.call("bench", self.engine, "--input", self.inputs, "--duration", str(seconds), "--json", "-")
        return json.loads(report)["latency_ms"]["median"]


def difference(case, found, expected):
    """Largest difference over the output's range, over all outputs."""
    expected = expected if isinstance(expected, (tuple, list)) else (expected,)
    worst = 0.0
    for output, peer in zip(case.model.graph.output, expected):
        ours, theirs = found[output.name], peer.numpy()
        if ours.size != theirs.size:
            return float("inf")
        if ours.size and case.tolerance is not None:
            span = max(float(np.abs(theirs).max()), 1e-30)
            worst = max(worst, float(np.abs(ours.reshape(theirs.shape).astype(np.float64) - theirs).max()) / span)
    return worst


def measure(case, arguments):
    feeds = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in case.feeds.items()}
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        fovea = Fovea(arguments.fovea, case, arguments.threads, folder)
        error = difference(case, fovea.outputs(), case.run_peer(feeds))
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(fovea.measure(arguments.seconds))
            theirs.append(median_ms(lambda: case.run_peer(feeds), arguments.seconds))
    ok = case.tolerance is None or error <= case.tolerance
    return {"case": case.name, "peer": case.peer, "fovea_ms": min(ours), "peer_ms": min(theirs), "ratio": min(theirs) / min(ours),
            "target": case.target, "error": error, "agrees": ok}


def all_cases(only):
    for path in sorted((HERE / "operator_cases").glob("*.py")):
        if path.stem == "case":
            continue
        module = importlib.import_module(path.stem)
        for case in module.cases() if hasattr(module, "cases") else module.CASES:
            if only in f"{path.stem}: {case.name}":
                yield case


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fovea", default="build/bin/fovea")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--only", default="", help="cases whose 'family: name' contains this")
    parser.add_argument("--json")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows, bad = [], 0
    if arguments.markdown:
        print("| case | peer | Fovea ms | peer ms | ratio | target |\n|---|---|---|---|---|---|")
    else:
        print(f"{'case':60} {'fovea':>9} {'peer':>9} {'ratio':>6} {'target':>6}  error")
    for case in all_cases(arguments.only):
        try:
            row = measure(case, arguments)
        except RuntimeError as error:
            print(f"{case.name[:60]:60} {error}", flush=True)
            bad += 1
            continue
        rows.append(row)
        bad += not row["agrees"]
        if arguments.markdown:
            print(f"| {case.name} | {case.peer} | {row['fovea_ms']:.3f} | {row['peer_ms']:.3f} | {row['ratio']:.2f} | {case.target} |", flush=True)
        else:
            print(f"{case.name[:60]:60} {row['fovea_ms']:9.3f} {row['peer_ms']:9.3f} {row['ratio']:6.2f} {case.target:6.2f}  {row['error']:.1e}"
                  f"{'' if row['agrees'] else '  DIFFERS'}", flush=True)
    if arguments.json:
        with open(arguments.json, "w") as out:
            json.dump(rows, out, indent=1)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
