#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One engine of a light file, with open batch and size, against its definition in PyTorch (f32): three sizes, seeded noise
and, where FOVEA_SHARED has them, real pictures.

agree_with_torch.py FOVEA NAME: at most 1e-4 of an output's range at any value of any output."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from fovea_models import export, golden
from fovea_models.networks import NETWORKS

FOLDER = Path(__file__).resolve().parents[2] / "models" / "light"
SHAPES = [(1, 3, 96, 64), (2, 3, 64, 160), (1, 3, 224, 192)]
MEAN, STD = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
LIMIT = 1e-4


def pictures(shape) -> np.ndarray | None:
    """Real pictures, normalised, in the order of their names."""
    folder = Path(os.environ.get("FOVEA_SHARED", ""), "data", "images")
    files = sorted(f for f in folder.glob("*") if f.suffix in (".jpg", ".png"))
    if not files:
        return None
    batch, _, height, width = shape
    stack = [np.asarray(Image.open(files[i % len(files)]).convert("RGB").resize((width, height), Image.BILINEAR), np.float32) for i in range(batch)]
    return np.ascontiguousarray(((np.stack(stack) / 255 - MEAN) / STD).transpose(0, 3, 1, 2))


def main() -> int:
    fovea, name = sys.argv[1:]
    args = golden.arguments(name)
    network, _ = export.load(NETWORKS[name], args)
    form = NETWORKS[name].form(args)
    first, failed = next(iter(form.inputs)), 0
    with tempfile.TemporaryDirectory() as folder:
        engine, given, results = (Path(folder, f) for f in ("net.fovea", "in.npy", "out.npz"))
        subprocess.run([fovea, "build", FOLDER / f"{name}.light.onnx", "-o", engine, "--min-shapes", f"{first}:1x3x64x64",
                        "--opt-shapes", f"{first}:1x3x96x64", "--max-shapes", f"{first}:4x3x1344x1344", "--tune", "none", "--no-verify", "-q"],
                       check=True)  # fmt: skip
        for shape in SHAPES:
            for kind, value in (("noise", golden.inputs(shape)), ("pictures", pictures(shape))):
                if value is None:
                    print(f"{name} {shape}: no pictures at FOVEA_SHARED, left out")
                    continue
                np.save(given, value)
                subprocess.run([fovea, "run", engine, "--input", given, "--output", results, "-q"], check=True)
                ours = np.load(results)
                with torch.no_grad():
                    theirs = network(torch.from_numpy(value))
                theirs = [theirs] if isinstance(theirs, torch.Tensor) else list(theirs)
                worst = 0.0
                for output, b in zip(form.outputs, theirs):
                    a, b = ours[output], b.numpy()
                    error = np.abs(a - b).max() / np.abs(b).max() if a.shape == b.shape else np.inf
                    worst = max(worst, error if np.isfinite(error) else np.inf)
                print(f"{'ok  ' if worst <= LIMIT else 'FAIL'} {name} {shape} {kind}: largest error {worst:.2e} of the range, {len(form.outputs)} outputs", flush=True)
                failed += worst > LIMIT
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
