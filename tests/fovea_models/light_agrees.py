#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A light file of the repository, built and run, against what PyTorch computed when it was made. NumPy only.

light_agrees.py FOVEA NAME: at most 1e-4 of an output's range at any stored value, and in the mean of all values."""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from fovea_models.golden import inputs

FOLDER = Path(__file__).resolve().parents[2] / "models" / "light"
LIMIT = 1e-4


def run(fovea: str, name: str, pictures: np.ndarray) -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        given, engine, results = (Path(folder, f) for f in ("in.npy", "net.fovea", "out.npz"))
        np.save(given, pictures)
        shape = "x".join(map(str, pictures.shape))
        first = {"yolov5n": "images", "mtmi": "image", "flash_intern_image_t": "input"}.get(name, "inputs")
        build = [fovea, "build", FOLDER / f"{name}.light.onnx", "-o", engine, "--shapes", f"{first}:{shape}", "--tune", "none", "--no-verify", "-q"]
        subprocess.run(build, check=True)
        subprocess.run([fovea, "run", engine, "--input", given, "--output", results, "-q"], check=True)
        return dict(np.load(results))


def problems(golden, outputs) -> list[str]:
    found = []
    names = sorted({key.split("/")[0] for key in golden.files if "/" in key})
    if sorted(outputs) != names:
        return [f"outputs: expected {names}, found {sorted(outputs)}"]
    for name in names:
        value, scale = outputs[name], float(golden[f"{name}/range"])
        if list(value.shape) != golden[f"{name}/shape"].tolist():
            found.append(f"{name}: expected shape {golden[f'{name}/shape']}, found {value.shape}")
            continue
        worst = np.abs(value.ravel()[:: int(golden[f"{name}/step"])] - golden[f"{name}/samples"]).max() / scale
        mean = abs(value.astype(np.float64).sum() - float(golden[f"{name}/sum"])) / value.size / scale
        print(f"{name}: largest error {worst:.2e} of the range, of the mean {mean:.2e}")
        if not (worst <= LIMIT and mean <= LIMIT):
            found.append(f"{name}: largest error {worst:.3g}, of the mean {mean:.3g}; limit {LIMIT:g} of the range")
    return found


def main() -> int:
    fovea, name = sys.argv[1:]
    golden = np.load(FOLDER / f"{name}.golden.npz")
    found = problems(golden, run(fovea, name, inputs(tuple(golden["size"]))))
    print("\n".join(f"FAIL {line}" for line in found) or f"ok {name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
