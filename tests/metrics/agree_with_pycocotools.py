#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`fovea val` against pycocotools: all twelve figures to 1e-6, on invented scenes and, where they are, on real annotations.

agree_with_pycocotools.py FOVEA SHARED   exit code 0 agree, 1 differ, 77 skipped."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]


def invented_truth(rng, images, categories, crowded):
    truth = {"images": [{"id": int(i), "file_name": f"{i}.jpg"} for i in rng.permutation(images * 3)[:images]],
             "categories": [{"id": 3 * c + 1, "name": f"c{c}"} for c in range(categories)], "annotations": []}
    for image in truth["images"]:
        for _ in range(rng.integers(0, 14)):
            x, y = rng.uniform(0, 400, 2)
            w, h = np.exp(rng.uniform(1, 5.5, 2))
            truth["annotations"].append({"id": len(truth["annotations"]) + 1, "image_id": image["id"],
                                         "category_id": 3 * int(rng.integers(categories)) + 1, "bbox": [x, y, w, h],
                                         "area": float(w * h * rng.uniform(0.4, 1)), "iscrowd": int(crowded and rng.random() < 0.15)})
    return truth


def invented_detections(rng, truth, ties):
    """Objects found more or less, several times, with wrong classes, and things that are not there."""
    found, categories = [], [c["id"] for c in truth["categories"]]
    for a in truth["annotations"]:
        for _ in range(rng.integers(0, 4)):
            x, y, w, h = np.array(a["bbox"]) + rng.normal(0, 0.08, 4) * np.array([a["bbox"][2], a["bbox"][3]] * 2)
            category = a["category_id"] if rng.random() < 0.85 else int(rng.choice(categories))
            found.append((a["image_id"], category, [x, y, max(w, 0.5), max(h, 0.5)]))
    for image in truth["images"]:
        for _ in range(rng.integers(0, 160 if rng.random() < 0.1 else 12)):
            found.append((image["id"], int(rng.choice(categories)), [*rng.uniform(0, 400, 2), *rng.uniform(1, 200, 2)]))
    rng.shuffle(found)
    score = (lambda: float(rng.integers(1, 9)) / 8) if ties else (lambda: float(rng.random()))
    return [{"image_id": int(i), "category_id": c, "bbox": [float(v) for v in box], "score": score()} for i, c, box in found]


def judge(truth, detections):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        coco.dataset.setdefault("info", {})
        evaluation = COCOeval(coco, coco.loadRes(detections), "bbox")
        evaluation.evaluate(), evaluation.accumulate(), evaluation.summarize()
    return [float(v) for v in evaluation.stats]


def differences(fovea, truth, detections, folder):
    files = [os.path.join(folder, name) for name in ("truth.json", "found.json", "out.json")]
    for path, value in zip(files, (truth, detections)):
        with open(path, "w") as out:
            json.dump(value, out)
    done = subprocess.run([fovea, "val", "--annotations", files[0], "--detections", files[1], "--json", files[2], "-q"], capture_output=True, text=True)
    if done.returncode:
        return [done.stderr.strip()]
    with open(files[2]) as file:
        ours = json.load(file)
    return [f"{name}: {ours[name]:.8f} instead of {theirs:.8f}" for name, theirs in zip(NAMES, judge(truth, detections)) if not abs(ours[name] - theirs) <= 1e-6]


def cases(shared):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        truth = invented_truth(rng, 1 + 7 * seed, 1 + seed % 5, crowded=seed % 2 == 1)
        found = invented_detections(rng, truth, ties=seed % 3 == 0)
        if found:
            yield f"invented, seed {seed}", truth, found
    for name in ("coco_val79/instances_val2017.json", "bccd/instances_test.json", "bccd/instances_val.json"):
        path = os.path.join(shared, "data", name)
        if not os.path.exists(path):
            print(f"skip {name}: not at {shared}; set FOVEA_SHARED")
            continue
        with open(path) as file:
            truth = json.load(file)
        yield name, truth, invented_detections(np.random.default_rng(5), truth, ties=False)


def main():
    fovea, shared = sys.argv[1:3]
    try:
        import pycocotools  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}; scripts/bootstrap.sh test installs the judges")
        return 77
    failed = 0
    for name, truth, found in cases(shared):
        with tempfile.TemporaryDirectory() as folder:
            problems = differences(fovea, truth, found, folder)
        print(f"{'FAIL' if problems else 'ok  '} {name}: {len(truth['annotations'])} objects, {len(found)} detections", flush=True)
        for problem in problems:
            print(f"     {problem}")
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
