#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mAP of the bundled detector through Fovea's own engine: evaluate_engine.py FOVEA BCCD_FOLDER (images/, instances_test.json).

Builds the engine with the score threshold of the evaluation (0.001), runs `fovea predict --json` and scores with pycocotools."""
import json
import os
import subprocess
import sys
import tempfile

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def main():
    fovea, data = sys.argv[1:3]
    here = os.path.dirname(os.path.abspath(__file__))
    truth = COCO(os.path.join(data, "instances_test.json"))
    category = {c["name"]: c["id"] for c in truth.loadCats(truth.getCatIds())}
    files = {os.path.join(data, "images", i["file_name"]): i["id"] for i in truth.loadImgs(truth.getImgIds())}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(here, "recipe.json")) as file:
            recipe = json.load(file)
        recipe["score_threshold"] = 0.001
        recipe_file, engine, out = (os.path.join(folder, name) for name in ("recipe.json", "net.fovea", "out.json"))
        with open(recipe_file, "w") as file:
            json.dump(recipe, file)
        subprocess.run([fovea, "build", os.path.join(here, "blood_cells.onnx"), "-o", engine, "--recipe", recipe_file, "-q"], check=True)
        subprocess.run([fovea, "predict", engine, *files, "--json", out, "-q"], check=True)
        with open(out) as file:
            pictures = [json.loads(line) for line in file if line.strip()]  # one object a picture
    found = [{"image_id": files[p["image"]], "category_id": category[d["label"]], "score": d["score"],
              "bbox": [d["box"][0], d["box"][1], d["box"][2] - d["box"][0], d["box"][3] - d["box"][1]]}
             for p in pictures for d in p["detections"]]
    scores = COCOeval(truth, truth.loadRes(found), "bbox")
    scores.evaluate()
    scores.accumulate()
    scores.summarize()
    print(f"mAP@0.5 {scores.stats[1]:.4f}  mAP@0.5:0.95 {scores.stats[0]:.4f}  on {len(files)} photos")


if __name__ == "__main__":
    main()
