#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the networks of models/fovea_models with Fovea beside PyTorch eager in f32 (the better of its two memory formats),
alternating in one run, and compares the outputs.

python bench/networks.py [--fovea build/bin/fovea] [--threads 2] [--rounds 3] [--seconds 2] [--only TEXT] [--json FILE] [--markdown]"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "models"))
from fovea_models import export  # noqa: E402
from fovea_models.networks import NETWORKS  # noqa: E402
from fovea_models.seed import Rule, generate, stream_of  # noqa: E402

# network, options of its exporter, size, the ratio set out for
CASES = [
    ("flash_intern_image_t", "", (224, 224), 3.0),
    ("yolov5s", "--no-anchor", (672, 672), 1.3),
    ("mtmi", "--part encoder", (1024, 1024), 4.0),
    ("dab_detr_r50", "", (800, 1066), 1.8),
]


def median_ms(run, seconds):
    run()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)[len(times) // 2]


def fovea(arguments, *line):
    done = subprocess.run([arguments.fovea, *line, "--threads", str(arguments.threads)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0])
    return done.stdout


def measure(name, options, size, target, arguments, folder):
    parser = export.parser()
    args = parser.parse_args([name, *options.split(), "--seed", "0", "--light", "--size", f"{size[0]}x{size[1]}", "-o", "-"])
    export.check(parser, args)
    model, engine, feed, out = (os.path.join(folder, f) for f in ("net.onnx", "net.fovea", "in.npz", "out.npz"))
    pathlib.Path(model).write_bytes(export.build(args).SerializeToString())
    form = NETWORKS[name].form(args)
    picture = generate(1, Rule(stream_of("pictures"), 0.0, 1.0), (1, 3, *size))
    np.savez(feed, **{next(iter(form.inputs)): picture})
    start = time.perf_counter()
    fovea(arguments, "build", model, "-o", engine, "--data", feed, "-q")
    built = time.perf_counter() - start
    fovea(arguments, "run", engine, "--input", feed, "--output", out)

    network, _ = export.load(NETWORKS[name], args)
    network.eval()
    plain = torch.from_numpy(picture)
    results = network(plain)
    results = [results] if isinstance(results, torch.Tensor) else list(results)
    ours, error = np.load(out), 0.0
    for output, value in zip(form.outputs, results):
        value = value.numpy()
        error = max(error, float(np.abs(ours[output].reshape(value.shape) - value).max() / max(np.abs(value).max(), 1e-30)))

    best = {"fovea": [], "nchw": [], "nhwc": []}
    for _ in range(arguments.rounds):
        report = json.loads(fovea(arguments, "bench", engine, "--input", feed, "--duration", str(arguments.seconds), "--json", "-"))
        best["fovea"].append(report["latency_ms"]["median"])
        network = network.to(memory_format=torch.contiguous_format)
        best["nchw"].append(median_ms(lambda: network(plain), arguments.seconds))
        network = network.to(memory_format=torch.channels_last)
        last = plain.to(memory_format=torch.channels_last)
        best["nhwc"].append(median_ms(lambda: network(last), arguments.seconds))
    times = {key: min(values) for key, values in best.items()}
    peer = min(times["nchw"], times["nhwc"])
    return {"network": f"{name} {options} {size[0]}x{size[1]}".replace("  ", " "), **times, "ratio": peer / times["fovea"], "target": target,
            "error": error, "build_s": built}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fovea", default="build/bin/fovea")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--only", default="")
    parser.add_argument("--json")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    line = "| {:34} | {:>9} | {:>9} | {:>9} | {:>6} | {:>6} | {:>8} | {:>7} |" if arguments.markdown else "{:34} {:>9} {:>9} {:>9} {:>6} {:>6} {:>8} {:>7}"
    print(line.format("network", "fovea ms", "nchw ms", "nhwc ms", "ratio", "target", "error", "build s"), flush=True)
    if arguments.markdown:
        print("|---" * 8 + "|")
    for name, options, size, target in CASES:
        if arguments.only not in name:
            continue
        with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
            row = measure(name, options, size, target, arguments, folder)
        rows.append(row)
        print(line.format(row["network"], f"{row['fovea']:.2f}", f"{row['nchw']:.2f}", f"{row['nhwc']:.2f}", f"{row['ratio']:.2f}",
                          f"{target:.1f}", f"{row['error']:.1e}", f"{row['build_s']:.1f}"), flush=True)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
