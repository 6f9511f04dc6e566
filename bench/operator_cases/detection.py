# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression and RoIAlign on the sizes of real detectors."""
import numpy as np
import onnx
import torch
import torchvision

from case import Case, one_node


def detector_outputs(boxes, classes, seed=0):
    """Boxes of a 640 x 640 picture: a tenth around one of 60 objects, the rest background with low scores."""
    rng = np.random.default_rng(seed)
    objects = rng.uniform(40, 600, (60, 2)), rng.uniform(20, 200, (60, 2))
    of_object, near = rng.integers(0, 60, boxes), rng.random(boxes) < 0.1
    centre = np.where(near[:, None], objects[0][of_object] + rng.normal(0, 5, (boxes, 2)), rng.uniform(0, 640, (boxes, 2)))
    size = np.where(near[:, None], objects[1][of_object] * rng.uniform(0.8, 1.25, (boxes, 2)), rng.uniform(8, 160, (boxes, 2)))
    logits = rng.normal(-9.5, 1.3, (classes, boxes))
    logits[of_object % classes, np.arange(boxes)] += near * rng.uniform(4, 12, boxes)
    corners = np.concatenate([centre - size / 2, centre + size / 2], 1).astype(np.float32)
    return corners, (1 / (1 + np.exp(-logits))).astype(np.float32)


def batched(boxes, classes, threshold, iou):
    corners, scores = detector_outputs(boxes, classes)
    feeds = {"boxes": corners[None], "scores": scores[None], "limit": np.array([boxes]), "iou": np.float32([iou]), "above": np.float32([threshold])}
    model = one_node("NonMaxSuppression", feeds, constants=("limit", "iou", "above"), types={"y": onnx.TensorProto.INT64})
    return Case(f"NonMaxSuppression {boxes} boxes, {classes} classes, threshold {threshold} ({(scores > np.float32(threshold)).sum()} candidates)", 5,
                "torch nonzero, torchvision batched_nms", model, feeds, lambda f: batched_peer(f["boxes"][0], f["scores"][0], threshold, iou), tolerance=None)


def batched_peer(boxes, scores, threshold, iou):
    of_class, of_box = torch.nonzero(scores > threshold, as_tuple=True)
    kept = torchvision.ops.batched_nms(boxes[of_box], scores[of_class, of_box], of_class, iou)
    return torch.stack([torch.zeros_like(kept), of_class[kept], of_box[kept]], 1)


def one_class(boxes, iou):
    corners, scores = detector_outputs(boxes, 1)
    feeds = {"boxes": corners, "scores": scores[0]}
    model = one_node("NonMaxSuppression", feeds, domain="mmcv", types={"y": onnx.TensorProto.INT64}, iou_threshold=float(iou), offset=0)
    return Case(f"NonMaxSuppression {boxes} boxes, 1 class", 5, "torchvision nms", model, feeds,
                lambda f: torchvision.ops.nms(f["boxes"], f["scores"], iou))


def efficient(boxes, classes, threshold, iou, keep=300):
    corners, scores = detector_outputs(boxes, classes)
    feeds = {"boxes": corners[None], "scores": np.ascontiguousarray(scores.T)[None]}
    integers = {"count": onnx.TensorProto.INT32, "classes": onnx.TensorProto.INT32}
    model = one_node("EfficientNMS_TRT", feeds, outputs=("count", "found", "best", "classes"), domain="TRT", types=integers, score_threshold=threshold,
                     iou_threshold=iou, max_output_boxes=keep, background_class=-1, score_activation=0, box_coding=0)

    def peer(f):
        kept = batched_peer(f["boxes"][0], f["scores"][0].T.contiguous(), threshold, iou)[:keep]
        return torch.tensor([[len(kept)]], dtype=torch.int32)

    return Case(f"EfficientNMS_TRT {boxes} boxes, {classes} classes, threshold {threshold}", 5, "torch nonzero, torchvision batched_nms", model, feeds, peer)


def top_k(shape, k):
    # Distinct numbers: the peer promises no order of equal ones.
    x = np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape).astype(np.float32)
    feeds = {"x": x, "k": np.array([k])}
    model = one_node("TopK", feeds, outputs=("values", "indices"), constants=("k",), types={"indices": onnx.TensorProto.INT64})
    return Case(f"TopK {'x'.join(map(str, shape))}, k {k}", 1, "torch topk", model, feeds, lambda f: torch.topk(f["x"], k))


def corner_pool(mode, peer):
    feeds = {"x": np.random.default_rng(0).standard_normal((1, 128, 128, 128), np.float32)}
    return Case(f"MMCVCornerPool 1x128x128x128, mode {mode}", 1, "torch cummax", one_node("MMCVCornerPool", feeds, domain="mmcv", mode=mode), feeds, peer)


def roi_align(height, width, stride, smallest, largest, sampling, regions=1000, channels=256):
    rng = np.random.default_rng(0)
    size = rng.uniform(smallest, largest, (regions, 2))
    corner = rng.uniform(0, 1, (regions, 2)) * np.maximum(np.array([width, height]) * stride - size, 0)
    rois = np.concatenate([corner, corner + size], 1).astype(np.float32)
    feeds = {"x": rng.standard_normal((1, channels, height, width), np.float32), "rois": rois, "batch": np.zeros(regions, np.int64)}
    model = one_node("RoiAlign", feeds, output_height=7, output_width=7, spatial_scale=1 / stride, sampling_ratio=sampling)
    return Case(f"RoiAlign 1x{channels}x{height}x{width}, {regions} regions, 7x7, sampling {sampling or 'adaptive'}", 3, "torchvision roi_align", model, feeds,
                lambda f: torchvision.ops.roi_align(f["x"], torch.cat([torch.zeros(regions, 1), f["rois"]], 1), 7, 1 / stride, sampling, True))


def cases():
    for boxes in (8400, 25200):
        for threshold in (0.25, 0.001):
            yield batched(boxes, 80, threshold, 0.5)
    for boxes in (8400, 25200):
        yield one_class(boxes, 0.5)
    for boxes, threshold in ((8400, 0.25), (25200, 0.001)):
        yield efficient(boxes, 80, threshold, 0.5)
    yield top_k((1, 8400), 300)
    yield top_k((80, 8400), 100)
    yield top_k((1, 8400 * 80), 300)
    yield corner_pool(1, lambda f: torch.cummax(f["x"], 2)[0])
    yield corner_pool(3, lambda f: torch.cummax(f["x"], 3)[0])
    for sampling in (2, 0):
        yield roi_align(200, 304, 4, 16, 112, sampling)
        yield roi_align(100, 152, 8, 112, 224, sampling)
        yield roi_align(50, 76, 16, 224, 448, sampling)
        yield roi_align(25, 38, 32, 400, 800, sampling)
