#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""agree.py FOVEA NETWORK: the recipe of a light file against reference.py. Both sides of the network are compared: the tensor
it got, and what became of the tensors it gave. On a synthetic picture, and on a photo where FOVEA_SHARED has some."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import reference
from PIL import Image

LIGHT = pathlib.Path(__file__).resolve().parents[2] / "models" / "light"


def synthetic(width, height):
    """Smooth colours, hard edges and noise."""
    random = np.random.default_rng(width)
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * x / width, 255 * y / height, 127 + 127 * np.sin(x * y / 900)], -1)
    for _ in range(12):
        left, top = random.integers(0, width), random.integers(0, height)
        pixels[top:top + random.integers(5, height // 2), left:left + random.integers(5, width // 2)] = random.integers(0, 256, 3)
    pixels += random.normal(0, 8, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def expect_near(what, found, expected, limit):
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    worst = np.abs(found.astype(np.float64) - expected).max()
    assert worst <= limit, f"{what}: off by {worst}, more than {limit}"


def expect_rows(found, expected, at_least):
    """Classes and their order exactly; boxes to all six digits that the JSON has; scores to a unit of the last."""
    assert len(found) == len(expected), f"{len(found)} answers, expected {len(expected)}"
    assert len(found) >= at_least, f"only {len(found)} answers: nothing to compare"
    six = lambda value: float(f"{np.float32(value):.6g}")
    for i, (ours, (label, score, *box)) in enumerate(zip(found, expected)):
        assert ours["class_id"] == label, f"answer {i}: class {ours['class_id']}, expected {label}"
        assert abs(ours["score"] - score) <= 1e-6, f"answer {i}: score {ours['score']}, expected {score}"
        if box:
            assert ours["box"] == [six(v) for v in box[0]], f"answer {i}: box {ours['box']}, expected {box[0]}"


def check_flash(picture, t, answer, _):
    expect_near("input", t["input"], reference.flash_before(picture), 1e-5)
    expect_rows(answer["classes"], reference.flash_after(t["output"]), 5)


def check_yolo(picture, t, answer, _):
    expect_near("input", t["images"], reference.yolo_before(picture), 1e-5)
    expect_rows(answer["detections"], reference.yolo_after(t, picture), 20)


def check_detr(most):
    def check(picture, t, answer, _):
        expect_near("input", t["inputs"], reference.detr_before(picture), 1e-5)
        expect_rows(answer["detections"], reference.detr_after(t["pred_logits"], t["pred_boxes"], picture, most), most)
    return check


def check_mtmi(picture, t, answer, drawn):
    expect_near("input", t["image"], reference.mtmi_before(picture), 1e-5)
    classes = reference.mtmi_classes(t["seg_logits"])
    assert np.array_equal(np.asarray(Image.open(answer["mask_file"])), classes), "mask is not the argmax of seg_logits"
    shares = np.bincount(classes.reshape(-1), minlength=19) / classes.size
    expect_rows(answer["classes"], [(int(i), shares[i]) for i in np.argsort(-shares, kind="stable") if shares[i]], 2)
    metres = np.load(answer["depth_file"])
    assert np.array_equal(metres, reference.mtmi_depth(t["depth_norm"])), "depth is not 80 times depth_norm"
    # Legend and scale cover the upper left of one panel and the lower edge of the other.
    assert drawn.shape == (1024, 2048, 3), f"drawn picture of {drawn.shape}"
    assert np.array_equal(drawn[:900, 1024:], reference.mtmi_depth_colors(metres)[:900]), "colours of depths differ"
    blend = 0.3 * np.asarray(picture).astype(np.float64) + 0.7 * reference.CITYSCAPES[classes]
    expect_near("colours of classes", drawn[512:, :1024], blend[512:], 1.5)


# Name: the check, the smaller threshold it needs, the synthetic picture's size, the photo.
NETWORKS = {"flash_intern_image_t": (check_flash, None, (333, 500), "tiger_cat.jpg"),
            "yolov5n": (check_yolo, None, (500, 333), "street_coco.jpg"),
            "mtmi": (check_mtmi, None, (1024, 1024), "driving_1024_1.png"),
            "dab_detr_r50": (check_detr(300), 0, (427, 640), "two_people.jpg"),
            "dab_deformable_detr_r50": (check_detr(100), 0, (640, 480), "bus.jpg")}


def main():
    fovea, name = sys.argv[1:3]
    check, threshold, size, photo = NETWORKS[name]
    photo = pathlib.Path(os.environ.get("FOVEA_SHARED", "")) / "data" / "images" / photo
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        engine = folder / "network.fovea"
        subprocess.run([fovea, "build", LIGHT / f"{name}.light.onnx", "-o", engine, "--recipe", LIGHT / f"{name}.recipe.json", "-q", "--tune", "none",
                        "--no-verify"], check=True)
        files = [folder / "synthetic.png"]
        synthetic(*size).save(files[0])
        if photo.is_file():
            files.append(photo)
        else:
            print(f"no photo at {photo}: the synthetic picture only")
        for file in files:
            more = [] if threshold is None else ["--threshold", str(threshold)]
            done = subprocess.run([fovea, "predict", engine, file, "-o", folder / "out", "--tensors", "--json", "-", *more], check=True, capture_output=True, text=True)
            tensors = dict(np.load(folder / "out" / f"{file.stem}_tensors.npz"))
            drawn = np.asarray(Image.open(folder / "out" / f"{file.stem}_predicted.png"))
            check(Image.open(file).convert("RGB"), tensors, json.loads(done.stdout), drawn)
            print(f"{name}: {file.name} agrees with the reference")


if __name__ == "__main__":
    main()
