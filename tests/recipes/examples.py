#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples.py FOVEA BLOOD_SMEAR: every recipe of examples/recipes fits its network (where FOVEA_SHARED has them) and answers; with
an output swapped for another one it is refused while building, by its key, and nothing is written."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

RECIPES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "recipes"
# Recipe: folder of the network; a key of `decode` and the output that it cannot mean.
NETWORKS = {"blazeface_back": ("blazeface_functions", "boxes", "cat"), "deimv2_femto": ("deimv2_femto", "boxes", "scores"),
            "face_landmarks_qdq": ("face_landmarks_qdq", "output", "nope"), "fastestdet": ("fastestdet", "output", "nope"),
            "mobilenetv2_qdq": ("mobilenetv2_qdq_ort", "output", "nope"), "nanodet_m_416": ("nanodet_m_416", None, "dis_pred_stride_16"),
            "ppocr_v3_det": ("ppocr_v3_det", "output", "nope"), "sinet": ("sinet", "output", "nope"),
            "squeezenet_fp16": ("squeezenet_fp16", "output", "nope"), "ultraface": ("ultraface_rfb320", "boxes", "scores"),
            "yunet": ("yunet_n_dynamic", None, "cls_8")}


def spoil(recipe, key, output):
    """The recipe with `output` where it cannot be, and the place that the message must name."""
    if key:
        recipe["decode"][key] = output
        return recipe, f"decode.{key}"
    recipe["decode"]["levels"][0]["boxes"] = output
    return recipe, "decode.levels[0]."


def check(fovea, folder, picture, name, model, key, output):
    build = lambda recipe, engine: subprocess.run([fovea, "build", model, "-o", engine, "--recipe", recipe, "--tune", "none", "--no-verify", "-q"],
                                                  capture_output=True, text=True)
    file, engine = RECIPES / f"{name}.json", folder / f"{name}.fovea"
    done = build(file, engine)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([fovea, "predict", engine, picture, "--json", "-"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    spoiled, place = spoil(json.loads(file.read_text()), key, output)
    (folder / "spoiled.json").write_text(json.dumps(spoiled))
    done = build(folder / "spoiled.json", folder / "spoiled.fovea")
    assert done.returncode == 3 and re.search(rf"spoiled.json: recipe: {re.escape(place)}[a-z]*: expected", done.stderr), f"exit code {done.returncode}: {done.stderr}"
    assert not list(folder.glob("spoiled.fovea*")), "an engine was written"


def main():
    fovea, blood_smear = sys.argv[1:3]
    assert {file.stem for file in RECIPES.glob("*.json")} == set(NETWORKS), "a recipe without a network here"
    shared = pathlib.Path(os.environ.get("FOVEA_SHARED", "")) / "models"
    if not shared.is_dir():
        print("no networks: FOVEA_SHARED is not set")
        return 77
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        subprocess.run([blood_smear, "--seed", "1", "-o", folder / "smear.png"], check=True)
        for name, (network, key, output) in NETWORKS.items():
            model, = (shared / network).glob("*.onnx")
            check(fovea, folder, folder / "smear.png", name, model, key, output)
            print(f"{name}: fits")
    return 0


if __name__ == "__main__":
    sys.exit(main())
