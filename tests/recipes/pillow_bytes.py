#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pillow_bytes.py FOVEA: antialiased resizing gives Pillow's bytes, on noise, on hard edges and on photos, at many sizes. Where
Pillow 13 takes columns first (docs/recipes.md), ours gives those of the versions before it.

A network that hands its input through takes the resized picture; `predict --tensors` shows what it got."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import PIL
from onnx import TensorProto, helper
from PIL import Image

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
EDGE_SIZES = [(1, 1), (1, 9), (13, 1), (2, 2), (3, 64), (200, 3)]


def pass_through(path):
    """1 x 3 x H x W in, its mean per channel out, as three classes."""
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    nodes = [helper.make_node("GlobalAveragePool", ["picture"], ["mean"]), helper.make_node("Flatten", ["mean"], ["scores"])]
    graph = helper.make_graph(nodes, "means", [info("picture", [1, 3, "H", "W"])], [info("scores", [1, 3])])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def pictures(random):
    """Names and RGB pictures of many sizes."""
    for width, height in [(1, 1), (2, 3), (37, 23), (64, 64), (301, 199), (640, 480)]:
        yield f"noise_{width}x{height}", Image.fromarray(random.integers(0, 256, (height, width, 3), dtype=np.uint8))
    stripes = np.zeros((90, 121, 3), np.uint8)  # black and white: bicubic overshoots at every edge
    stripes[:, ::3] = 255
    stripes[::5] ^= 255
    yield "stripes", Image.fromarray(stripes)
    photos = pathlib.Path(os.environ.get("FOVEA_SHARED", "")) / "data" / "images"
    for photo in sorted(photos.glob("*.jpg"))[:2]:
        yield photo.stem, Image.open(photo).convert("RGB")


def pillow(picture, size, method):
    """Rows, then columns. In one call Pillow must do the same, or from 13 on columns first by the rule of docs/recipes.md."""
    (width, height), (w, h), f = picture.size, size, FILTERS[method]
    rows_first = picture.resize((w, height), f).resize(size, f)
    columns_first = picture.resize((width, h), f).resize(size, f)
    changed = int(PIL.__version__.split(".")[0]) >= 13 and h < height and height - h > 2 * (width - w)
    order = "columns" if changed else "rows"
    assert picture.resize(size, f) == (columns_first if changed else rows_first), f"Pillow {PIL.__version__}: {picture.size} -> {size} is not {order} first"
    return rows_first


def differing_pictures(fovea, folder, images, size, method):
    width, height = size
    recipe = {"task": "classification", "decode": {"output": "scores"},
              "input": {"size": [height, width], "resize": "stretch", "filter": method, "antialias": True}}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    files = [str(folder / f"{name}.png") for name in images]
    subprocess.run([fovea, "predict", folder / "means.fovea", *files, "--recipe", folder / "recipe.json", "-o", folder / "out", "--tensors", "-q"],
                   check=True, stdout=subprocess.DEVNULL)
    found = 0
    for name, picture in images.items():
        ours = np.load(folder / "out" / f"{name}_tensors.npz")["picture"][0].transpose(1, 2, 0)
        theirs = np.asarray(pillow(picture, size, method))
        wrong = int((ours != theirs).sum()) if ours.shape == theirs.shape else theirs.size
        if wrong:
            found += 1
            print(f"FAILED {name} {picture.size} -> {size}, {method}: {wrong} bytes differ")
    return found


def main():
    fovea, random = sys.argv[1], np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        pass_through(folder / "means.onnx")
        subprocess.run([fovea, "build", folder / "means.onnx", "-o", folder / "means.fovea", "-q", "--tune", "none"], check=True)
        images = dict(pictures(random))
        for name, picture in images.items():
            picture.save(folder / f"{name}.png", compress_level=1)
        sizes = [*EDGE_SIZES, *dict.fromkeys(picture.size for picture in images.values())]
        sizes += [tuple(int(side) for side in random.integers(1, 500, 2)) for _ in range(6)]
        failed = sum(differing_pictures(fovea, folder, images, size, method) for size in sizes for method in FILTERS)
        compared = len(sizes) * len(FILTERS) * len(images)
    print(f"{compared - failed} of {compared} resized pictures equal Pillow's")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
