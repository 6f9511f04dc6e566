# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression: ONNX's, mmcv's, mmdeploy's and TensorRT's forms, upright and rotated boxes."""
import math

import numpy as np


def ordered(boxes, center_point):
    """Boxes as x1, y1, x2, y2 with x1 <= x2 and y1 <= y2 (which axis is x does not matter)."""
    if center_point:
        half = boxes[..., 2:] / 2
        boxes = np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)
    return np.concatenate([np.minimum(boxes[..., :2], boxes[..., 2:]), np.maximum(boxes[..., :2], boxes[..., 2:])], axis=-1)


def iou(a, b, offset=0):
    """0 for a box without area; `offset` is added to all widths and heights."""
    w = min(a[2], b[2]) - max(a[0], b[0]) + offset
    h = min(a[3], b[3]) - max(a[1], b[1]) + offset
    inter = max(w, 0.0) * max(h, 0.0)
    area = lambda box: (box[2] - box[0] + offset) * (box[3] - box[1] + offset)
    if inter <= 0 or area(a) <= 0 or area(b) <= 0:
        return 0.0
    return inter / (area(a) + area(b) - inter)


def corners_of(box):
    """Corners of (cx, cy, w, h, angle in radians), counter-clockwise."""
    cx, cy, w, h, angle = box
    c, s = math.cos(angle), math.sin(angle)
    return [(cx + c * x - s * y, cy + s * x + c * y) for x, y in ((-w / 2, -h / 2), (w / 2, -h / 2), (w / 2, h / 2), (-w / 2, h / 2))]


def polygon_area(points):
    return 0.5 * sum(p[0] * q[1] - q[0] * p[1] for p, q in zip(points, points[1:] + points[:1])) if points else 0.0


def rotated_iou(a, b):
    """The first box cut by the four half-planes of the second."""
    area_a, area_b = a[2] * a[3], b[2] * b[3]
    if area_a <= 0 or area_b <= 0:
        return 0.0
    polygon, clip = corners_of(a), corners_of(b)
    for p, q in zip(clip, clip[1:] + clip[:1]):
        side = [(q[0] - p[0]) * (v[1] - p[1]) - (q[1] - p[1]) * (v[0] - p[0]) for v in polygon]
        kept = []
        for k, v in enumerate(polygon):
            s, t, after = side[k], side[(k + 1) % len(polygon)], polygon[(k + 1) % len(polygon)]
            if s >= 0:
                kept.append(v)
            if (s > 0) != (t > 0) and s != t and s * t < 0:
                f = s / (s - t)
                kept.append((v[0] + f * (after[0] - v[0]), v[1] + f * (after[1] - v[1])))
        polygon = kept
        if not polygon:
            return 0.0
    inter = polygon_area(polygon)
    return inter / (area_a + area_b - inter)


def suppress(scores, candidates, overlap, limit, suppressed):
    """Greedy: candidates by falling score (ties: lower index first), `suppressed(overlap)` decides."""
    kept = []
    for c in sorted(candidates, key=lambda i: -scores[i]):
        if len(kept) >= limit:
            break
        if not any(suppressed(overlap(k, c)) for k in kept):
            kept.append(c)
    return kept


def non_max_suppression(boxes, scores, max_output=0, iou_threshold=0.0, score_threshold=None, center_point=0, offset=0):
    """boxes [B, S, 4], scores [B, C, S] -> rows (batch, class, box). Kept: score > threshold (if given), IoU not > threshold."""
    boxes, rows = ordered(boxes, center_point), []
    for b, c in np.ndindex(scores.shape[:2]):
        s = scores[b, c]
        candidates = [i for i in range(len(s)) if score_threshold is None or s[i] > score_threshold]
        for i in suppress(s, candidates, lambda p, q: iou(boxes[b, p], boxes[b, q], offset), max_output, lambda v: v > iou_threshold):
            rows.append((b, c, i))
    return np.array(rows, np.int64).reshape(-1, 3)


def plugin_rows(boxes, scores, max_output=0, iou_threshold=0.0, score_threshold=0.0, center_point=0, offset=0):
    """mmcv's attribute form: a limit of 0 means all, a score threshold of 0 means none; rows padded with -1 to a fixed number."""
    limit = min(max_output, boxes.shape[1]) if max_output > 0 else boxes.shape[1]
    rows = non_max_suppression(boxes, scores, limit, iou_threshold, score_threshold if score_threshold > 0 else None, center_point, offset)
    padded = np.full((scores.shape[0] * scores.shape[1] * limit, 3), -1, np.int64)
    padded[:len(rows)] = rows
    return padded


def mmcv_nms(boxes, scores, iou_threshold=0.0, offset=0):
    """boxes [N, 4], scores [N] -> kept indices by falling score."""
    kept = suppress(scores, range(len(scores)), lambda p, q: iou(boxes[p], boxes[q], offset), len(scores), lambda v: v > iou_threshold)
    return np.array(kept, np.int64)


def nms_rotated(boxes, scores, iou_threshold, score_threshold):
    """boxes [B, N, 5], scores [B, C, N] -> rows (batch, class, box)."""
    rows = []
    for b, c in np.ndindex(scores.shape[:2]):
        s = scores[b, c]
        kept = suppress(s, range(len(s)), lambda p, q: rotated_iou(boxes[b, p], boxes[b, q]), len(s), lambda v: v > iou_threshold)
        rows += [(b, c, i) for i in kept if s[i] > score_threshold]
    return np.array(rows, np.int64).reshape(-1, 3)


def decode(boxes, anchors, box_coding):
    if anchors is None:
        return boxes
    anchors = anchors[:, :, None] if boxes.ndim == 4 else anchors
    if box_coding == 0:
        return ordered(boxes, 0) + ordered(anchors, 0)
    return np.concatenate([boxes[..., :2] * anchors[..., 2:] + anchors[..., :2], anchors[..., 2:] * np.exp(boxes[..., 2:])], axis=-1)


def efficient_nms(boxes, scores, anchors=None, score_threshold=0.25, iou_threshold=0.5, max_output_boxes=100, background_class=-1,
                  score_activation=0, class_agnostic=0, box_coding=0):
    """boxes [B, N, 4] or [B, N, C, 4], scores [B, N, C] -> count [B, 1], boxes, scores, classes; the rest is 0. Kept:
    score >= threshold, IoU not >= threshold, the best of all classes first."""
    if score_activation:
        scores = 1 / (1 + np.exp(-scores))
    boxes = decode(boxes, anchors, box_coding)
    if box_coding == 1:
        boxes = np.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., :2] + boxes[..., 2:] / 2], axis=-1)
    if boxes.ndim == 3:
        boxes = np.repeat(boxes[:, :, None], scores.shape[2], axis=2)
    batch, count, classes = scores.shape
    out = (np.zeros((batch, 1)), np.zeros((batch, max_output_boxes, 4)), np.zeros((batch, max_output_boxes)), np.zeros((batch, max_output_boxes)))
    for b in range(batch):
        flat, tight = scores[b].reshape(-1), ordered(boxes[b].reshape(-1, 4), 0)
        candidates = [i for i in range(count * classes) if i % classes != background_class and flat[i] >= score_threshold]
        overlap = lambda p, q: iou(tight[p], tight[q]) if class_agnostic or p % classes == q % classes else -1.0
        kept = suppress(flat, candidates, overlap, max_output_boxes, lambda v: v >= iou_threshold)
        out[0][b, 0] = len(kept)
        for k, i in enumerate(kept):
            out[1][b, k], out[2][b, k], out[3][b, k] = boxes[b].reshape(-1, 4)[i], flat[i], i % classes
    return out


def efficient_nms_onnx(boxes, scores, score_threshold, iou_threshold, max_output_boxes_per_class, center_point_box=0):
    """EfficientNMS_ONNX_TRT: rows (image, class, box), the best `max_output_boxes_per_class` of all classes of each image; the last
    one is repeated to batch * max_output_boxes_per_class rows, -1 where nothing is found."""
    batch, count, classes = scores.shape
    rows = []
    for b in range(batch):
        flat, own = scores[b].reshape(-1), ordered(boxes[b] if boxes.ndim == 4 else np.repeat(boxes[b][:, None], classes, axis=1), center_point_box).reshape(-1, 4)
        candidates = [i for i in range(count * classes) if flat[i] >= score_threshold]
        overlap = lambda p, q: iou(own[p], own[q]) if p % classes == q % classes else -1.0
        kept = suppress(flat, candidates, overlap, max_output_boxes_per_class, lambda v: v >= iou_threshold)
        rows += [(b, i % classes, i // classes) for i in kept]
    room = batch * max_output_boxes_per_class
    return np.array((rows + [rows[-1] if rows else (-1, -1, -1)] * room)[:room], np.int64).reshape(room, 3)


def batched(boxes, scores, overlap, background, top_k, keep_top_k, score_threshold, iou_threshold):
    """Per image the kept (score, class, box) over all classes, best first: up to `top_k` candidates a class, score >
    threshold, IoU not > threshold. boxes [N, C or 1, 4 or 5], scores [N, C]."""
    found = []
    for c in range(scores.shape[1]):
        s, mine = scores[:, c], boxes[:, c if boxes.shape[1] > 1 else 0]
        if c == background:
            continue
        candidates = sorted([i for i in range(len(s)) if s[i] > score_threshold], key=lambda i: -s[i])[:top_k]
        kept = suppress(s, candidates, lambda p, q: overlap(mine[p], mine[q]), len(s), lambda v: v > iou_threshold)
        found += [(s[i], c, i) for i in kept]
    return sorted(found, key=lambda f: -f[0])[:keep_top_k]


def batched_nms_trt(boxes, scores, backgroundLabelId, topK, keepTopK, scoreThreshold, iouThreshold, isNormalized=1, clipBoxes=1):
    """TensorRT: count, boxes, scores, classes; padding is 0 with class -1. Boxes that are not normalised are a pixel wider."""
    batch = scores.shape[0]
    out = (np.zeros((batch, 1)), np.zeros((batch, keepTopK, 4)), np.zeros((batch, keepTopK)), np.full((batch, keepTopK), -1.0))
    overlap = lambda a, b: iou(ordered(a, 0), ordered(b, 0), 0 if isNormalized else 1)
    for b in range(batch):
        found = batched(boxes[b], scores[b], overlap, backgroundLabelId, topK, keepTopK, scoreThreshold, iouThreshold)
        out[0][b, 0] = len(found)
        for k, (score, c, i) in enumerate(found):
            box = boxes[b, i, c if boxes.shape[2] > 1 else 0]
            out[1][b, k], out[2][b, k], out[3][b, k] = np.clip(box, 0, 1) if clipBoxes else box, score, c
    return out


def trt_batched_nms(boxes, scores, background_label_id, topk, keep_topk, score_threshold, iou_threshold, clip_boxes=0, rotated=False):
    """mmdeploy: dets [N, keep_topk, box + score], labels and indices, both -1 where empty. topk <= 0 means all."""
    batch, width = scores.shape[0], boxes.shape[3]
    dets, labels, index = np.zeros((batch, keep_topk, width + 1)), np.full((batch, keep_topk), -1), np.full((batch, keep_topk), -1)
    overlap = rotated_iou if rotated else iou
    for b in range(batch):
        top = topk if 0 < topk <= scores.shape[1] else scores.shape[1]
        for k, (score, c, i) in enumerate(batched(boxes[b], scores[b], overlap, background_label_id, top, keep_topk, score_threshold, iou_threshold)):
            box = boxes[b, i, c if boxes.shape[2] > 1 else 0]
            dets[b, k] = [*(np.clip(box, 0, 1) if clip_boxes else box), score]
            labels[b, k], index[b, k] = c, i
    return dets, labels, index
