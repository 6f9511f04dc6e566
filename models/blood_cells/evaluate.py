# SPDX-License-Identifier: Apache-2.0
# From network output to COCO figures: score threshold, class-aware greedy suppression, boxes back
# in photo pixels, and mAP by pycocotools. Runs the PyTorch network or an exported ONNX file:
#   python evaluate.py blood_cells.onnx --data bccd --split test
from __future__ import annotations

import argparse
import contextlib
import io
import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from data import Photos, letterbox, load_split
from loss import overlap
from network import LABELS, anchor_points, decode


def suppress(boxes: Tensor, scores: Tensor, iou: float) -> Tensor:
    """Greedy suppression within one class: indices of the boxes kept, best first."""
    order = scores.argsort(descending=True, stable=True)
    clash = (overlap(boxes[order, None], boxes[None, order]) > iou).cpu().numpy()
    alive = np.ones(len(order), bool)
    kept = []
    for i in range(len(order)):
        if alive[i]:
            kept.append(i)
            alive &= ~clash[i]
    return order[torch.tensor(kept, dtype=torch.long, device=order.device)]


def detections(boxes: Tensor, scores: Tensor, threshold: float, iou: float, limit: int):
    """One image: boxes [A, 4] and scores [A, 3] to lists of (box, score, label), best first.
    A grid point counts with its best class only."""
    best, label = scores.max(-1)
    keep = (best > threshold).nonzero()[:, 0]
    keep = keep[best[keep].argsort(descending=True, stable=True)][:3000]
    boxes, best, label = boxes[keep], best[keep], label[keep]
    found = []
    for kind in range(len(LABELS)):
        mine = (label == kind).nonzero()[:, 0]
        if len(mine):
            mine = mine[suppress(boxes[mine], best[mine], iou)]
            found += zip(boxes[mine].tolist(), best[mine].tolist(), [kind] * len(mine))
    return sorted(found, key=lambda d: -d[1])[:limit]


@torch.no_grad()
def predict(forward, photos: Photos, side: int, threshold=0.001, iou=0.6, limit=300) -> list[dict]:
    """COCO results of `forward` (images -> boxes, scores) on every photo."""
    results = []
    h, w = photos.images.shape[-2:]
    for i in range(len(photos)):
        x, scale, left, top = letterbox(photos.images[i : i + 1], side)
        boxes, scores = forward(x)
        offset = torch.tensor([left, top, left, top], device=boxes.device)
        boxes = (boxes[0].float() - offset) / scale
        limits = torch.tensor([w, h, w, h], device=boxes.device)
        boxes = boxes.clamp(min=0).minimum(limits)
        found = detections(boxes, scores[0].float(), threshold, iou, limit)
        for (x1, y1, x2, y2), score, kind in found:
            results.append(
                {
                    "image_id": photos.ids[i],
                    "category_id": kind + 1,
                    "score": score,
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                }
            )
    return results


def network_forward(network, side: int, device):
    points, strides = anchor_points(side, device)

    def forward(x: Tensor):
        sides, classes = network(x)
        return decode(sides, points, strides), classes.float().sigmoid()

    return forward


def onnx_forward(path: Path):
    """The exported network in ONNX Runtime, and the side of its input."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def forward(x: Tensor):
        boxes, scores = session.run(["boxes", "scores"], {"images": x.numpy()})
        return torch.from_numpy(boxes), torch.from_numpy(scores)

    return forward, session.get_inputs()[0].shape[-1]


def coco_figures(results: list[dict], labels_file: Path) -> dict:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(labels_file))
        if not results:
            return {"map50": 0.0, "map": 0.0, "per_class": {}}
        run = COCOeval(truth, truth.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    precision = run.eval["precision"]  # [T, R, K, A, M]

    def mean(part) -> float:
        part = part[part > -1]
        return float(part.mean()) if part.size else 0.0

    per_class = {}
    for k, name in enumerate(LABELS):
        at_half, at_all = precision[0, :, k, 0, 2], precision[:, :, k, 0, 2]
        per_class[name] = {"ap50": round(mean(at_half), 4), "ap": round(mean(at_all), 4)}
    map50, mean_ap = round(float(run.stats[1]), 4), round(float(run.stats[0]), 4)
    return {"map50": map50, "map": mean_ap, "per_class": per_class}


def f1_table(results: list[dict], labels_file: Path, thresholds) -> dict:
    """Precision and recall at IoU 0.5 over all classes, to pick a score threshold."""
    coco = json.loads(labels_file.read_text())
    truth: dict = {}
    for a in coco["annotations"]:
        x, y, w, h = a["bbox"]
        truth.setdefault((a["image_id"], a["category_id"]), []).append([x, y, x + w, y + h])
    total = len(coco["annotations"])
    table = {}
    for t in thresholds:
        used = {k: np.zeros(len(v), bool) for k, v in truth.items()}
        hits = count = 0
        for r in sorted((r for r in results if r["score"] >= t), key=lambda r: -r["score"]):
            count += 1
            key = (r["image_id"], r["category_id"])
            if key not in truth:
                continue
            x, y, w, h = r["bbox"]
            iou = overlap(torch.tensor([[x, y, x + w, y + h]]), torch.tensor(truth[key])).numpy()
            iou[used[key]] = 0
            if iou.max() >= 0.5:
                used[key][iou.argmax()] = True
                hits += 1
        p, r = hits / max(count, 1), hits / total
        table[t] = {
            "precision": round(p, 3),
            "recall": round(r, 3),
            "f1": round(2 * p * r / max(p + r, 1e-9), 3),
        }
    return table


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--iou", type=float, default=0.6)
    args = parser.parse_args()
    photos = load_split(args.data, args.split)
    forward, side = onnx_forward(args.model)
    results = predict(forward, photos, side, iou=args.iou)
    labels_file = args.data / f"instances_{args.split}.json"
    print(json.dumps(coco_figures(results, labels_file), indent=1))
    for t, row in f1_table(results, labels_file, [0.25, 0.3, 0.35, 0.4, 0.45, 0.5]).items():
        print("threshold", t, row)


if __name__ == "__main__":
    main()
