# SPDX-License-Identifier: Apache-2.0
# Turns the BCCD repository (Pascal VOC files) into what train.py reads: COCO labels per split and
# a folder of photos. Boxes without area are left out.
#   git clone https://github.com/Shenggan/BCCD_Dataset
#   python prepare.py BCCD_Dataset/BCCD bccd
from __future__ import annotations

import argparse
import json
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from network import LABELS


def convert(source: Path, names: list[str], photos: Path) -> dict:
    """The COCO record of the photos `names`, which are copied to `photos`."""
    coco = {
        "info": {"description": "BCCD"},
        "images": [],
        "annotations": [],
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)],
    }
    for name in sorted(names):
        root = ElementTree.parse(source / "Annotations" / f"{name}.xml").getroot()
        number = int(name.rsplit("_", 1)[1])
        width, height = (int(root.find("size").find(side).text) for side in ("width", "height"))
        photo = {"id": number, "file_name": f"{name}.jpg", "width": width, "height": height}
        coco["images"].append(photo)
        for cell in root.iter("object"):
            edges = [
                float(cell.find("bndbox").find(k).text) for k in ("xmin", "ymin", "xmax", "ymax")
            ]
            w, h = edges[2] - edges[0], edges[3] - edges[1]
            if w <= 0 or h <= 0:
                continue
            coco["annotations"].append(
                {
                    "id": len(coco["annotations"]) + 1,
                    "image_id": number,
                    "category_id": LABELS.index(cell.find("name").text) + 1,
                    "bbox": [edges[0], edges[1], w, h],
                    "area": w * h,
                    "iscrowd": 0,
                }
            )
        shutil.copyfile(source / "JPEGImages" / f"{name}.jpg", photos / f"{name}.jpg")
    return coco


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path, help="the folder BCCD of the repository")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    photos = args.out / "images"
    photos.mkdir(parents=True, exist_ok=True)
    for split in ("train", "val", "test"):
        names = (args.source / "ImageSets" / "Main" / f"{split}.txt").read_text().split()
        coco = convert(args.source, names, photos)
        (args.out / f"instances_{split}.json").write_text(json.dumps(coco))
        print(split, len(coco["images"]), "photos,", len(coco["annotations"]), "cells")


if __name__ == "__main__":
    main()
