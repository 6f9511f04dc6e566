# SPDX-License-Identifier: Apache-2.0
"""Writes the light files of the repository and what PyTorch says they compute, in f32, on small seeded inputs.

    python -m fovea_models.golden models/light [NAME...]

NAME.golden.npz holds `size` and, per output, `NAME/shape`, `/samples` (every `/step`-th value), `/sum` and `/range` (largest
magnitude). `inputs`, which needs NumPy only, makes the same inputs again for the test."""
from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np

from fovea_models.light import write_beside
from fovea_models.seed import Rule, generate, stream_of

# Options of export.py beside --seed 0 --light, and the size of the golden input.
LIGHT = {
    "yolov5n": ("--no-anchor", (1, 3, 96, 64)),
    "mtmi": ("", (1, 3, 96, 64)),
    "flash_intern_image_t": ("", (1, 3, 64, 64)),
    "dab_detr_r50": ("--aux", (1, 3, 96, 64)),
    "dab_deformable_detr_r50": ("", (1, 3, 96, 64)),
}
MOST_SAMPLES = 1000


def inputs(shape) -> np.ndarray:
    """Seeded pictures in -1 .. 1."""
    return generate(1, Rule(stream_of("pictures"), 0.0, 1.0), shape)


def arguments(name: str):
    from fovea_models import export

    options, shape = LIGHT[name]
    parser = export.parser()
    size = f"{shape[2]}x{shape[3]}"
    args = parser.parse_args([name, *options.split(), "--seed", "0", "--light", "--dynamic", "batch,size", "--size", size, "-o", "-"])
    export.check(parser, args)
    return args


def expected(name: str) -> bytes:
    import torch

    from fovea_models import export
    from fovea_models.networks import NETWORKS

    args, shape = arguments(name), LIGHT[name][1]
    network, _ = export.load(NETWORKS[name], args)
    with torch.no_grad():
        results = network(torch.from_numpy(inputs(shape)))
    results = [results] if isinstance(results, torch.Tensor) else list(results)
    entries = {"size": np.array(shape)}
    for output, value in zip(NETWORKS[name].form(args).outputs, results):
        value = value.numpy()
        step = -(-value.size // MOST_SAMPLES) | 1  # odd, so that rows and columns take turns
        entries |= {f"{output}/shape": np.array(value.shape), f"{output}/samples": value.ravel()[::step], f"{output}/step": np.array(step),
                    f"{output}/sum": value.astype(np.float64).sum(), f"{output}/range": np.abs(value).max()}  # fmt: skip
    file = io.BytesIO()
    np.savez_compressed(file, **entries)
    return file.getvalue()


def main() -> None:
    from fovea_models import export

    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or LIGHT:
        write_beside(folder / f"{name}.light.onnx", export.build(arguments(name)).SerializeToString())
        write_beside(folder / f"{name}.golden.npz", expected(name))
        print(name, flush=True)


if __name__ == "__main__":
    main()
