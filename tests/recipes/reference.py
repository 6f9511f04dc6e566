# SPDX-License-Identifier: Apache-2.0
"""What the five networks' own pipelines do before and after the network, in NumPy and Pillow, written from their
specifications and independent of the C++ code. `before` functions give the input tensor, `after` functions the answer."""
import numpy as np
from PIL import Image

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
# The order of Cityscapes' training classes.
CITYSCAPES = np.array([[128, 64, 128], [244, 35, 232], [70, 70, 70], [102, 102, 156], [190, 153, 153], [153, 153, 153], [250, 170, 30], [220, 220, 0],
                       [107, 142, 35], [152, 251, 152], [70, 130, 180], [220, 20, 60], [255, 0, 0], [0, 0, 142], [0, 0, 70], [0, 60, 100],
                       [0, 80, 100], [0, 0, 230], [119, 11, 32]])
ANCHORS = {8: [(10, 13), (16, 30), (33, 23)], 16: [(30, 61), (62, 45), (59, 119)], 32: [(116, 90), (156, 198), (373, 326)]}


def resize(picture, size, method):
    """Rows, then columns: Pillow before 13 in every case, later ones but for those that docs/recipes.md names."""
    return picture.resize((size[0], picture.size[1]), method).resize(size, method)


def planes(pixels, mean, std, scale):
    return ((pixels.astype(np.float64) * scale - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)


# --- FlashInternImage ---

def flash_before(picture, side=224):
    width, height = picture.size
    size = (side, int(side * height / width)) if width <= height else (int(side * width / height), side)
    resized = np.asarray(resize(picture, size, Image.Resampling.BICUBIC))
    top, left = int(round((size[1] - side) / 2.0)), int(round((size[0] - side) / 2.0))
    return planes(resized[top:top + side, left:left + side], MEAN, STD, 1 / 255)


def flash_after(logits, count=5):
    """(class, score), best first."""
    exponents = np.exp(logits[0].astype(np.float64) - logits.max())
    scores = exponents / exponents.sum()
    return [(int(i), scores[i]) for i in np.argsort(-scores, kind="stable")[:count]]


# --- YOLOv5 with raw heads ---

def yolo_scale(picture):
    """640 / side of the side that decides, as a fraction."""
    return 640, max(picture.size)


def yolo_before(picture, canvas=672):
    """The affine warp x' = s x - s W/2 + 320 + s/2 - 0.5 + 16, turned round and with all fractions over one denominator."""
    top, bottom = yolo_scale(picture)
    around = np.pad(np.asarray(picture).astype(np.int64), ((1, 1), (1, 1), (0, 0)), constant_values=114)

    def taps(side):
        at = (2 * np.arange(canvas) - (canvas - 1)) * bottom + (side - 1) * top  # x * 2 * top
        low = np.floor_divide(at, 2 * top)
        share = at - low * 2 * top
        outside = (low < -1) | (low >= side)
        return np.clip(low + 1, 0, side), np.clip(low + 2, 0, side + 1), share, outside

    x0, x1, wx, x_out = taps(picture.size[0])
    y0, y1, wy, y_out = taps(picture.size[1])
    unit = 2 * top
    row = lambda y: around[y][:, x0] * (unit - wx)[None, :, None] + around[y][:, x1] * wx[None, :, None]
    total = row(y0) * (unit - wy)[:, None, None] + row(y1) * wy[:, None, None]
    pixels = (2 * total + unit * unit) // (2 * unit * unit)
    pixels[y_out] = 114
    pixels[:, x_out] = 114
    return planes(pixels, 0.0, 1.0, 1 / 255)


def sigmoid(values):
    return 1 / (1 + np.exp(-values.astype(np.float64)))


def yolo_candidates(heads, threshold):
    """Rows x1 y1 x2 y2 score class, on the canvas, every class of a box that passes."""
    rows = []
    for stride, anchors in ANCHORS.items():
        head = heads[f"s{stride}"][0]
        side_y, side_x = head.shape[1:]
        values = sigmoid(head.reshape(3, 85, side_y, side_x))
        for anchor, (aw, ah) in zip(values, anchors):
            scores = anchor[4] * anchor[5:]
            y, x, label = np.nonzero(scores.transpose(1, 2, 0) >= threshold)
            cx, cy = (2 * anchor[0, y, x] - 0.5 + x) * stride, (2 * anchor[1, y, x] - 0.5 + y) * stride
            w, h = (2 * anchor[2, y, x]) ** 2 * aw, (2 * anchor[3, y, x]) ** 2 * ah
            rows.append(np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, scores[label, y, x], label], 1))
    return np.concatenate(rows)


def suppress(rows, limit, most):
    """Greedy, best first, within a class; the 30000 best at most, as in YOLOv5."""
    rows = rows[np.argsort(-rows[:, 4], kind="stable")][:30000]
    kept = np.empty((0, 6))
    for row in rows:
        if len(kept) == most:
            break
        same = kept[kept[:, 5] == row[5]]
        low, high = np.maximum(same[:, :2], row[:2]), np.minimum(same[:, 2:4], row[2:4])
        both = np.prod(np.clip(high - low, 0, None), axis=1)
        area = lambda boxes: (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
        if not np.any(both / (area(same) + area(row) - both) >= limit):
            kept = np.vstack([kept, row])
    return kept


def yolo_after(heads, picture, threshold=0.25, limit=0.5, most=1000):
    """(class, score, box), best first."""
    top, bottom = yolo_scale(picture)
    s, (width, height) = top / bottom, picture.size
    rows = yolo_candidates(heads, threshold)
    for axis, side in ((0, width), (1, height)):
        shift = -s * side / 2 + 320 + s / 2 - 0.5 + 16
        rows[:, axis:4:2] = np.clip((rows[:, axis:4:2] - shift) / s, 0, side)
    single = rows[:, :4].astype(np.float32)
    rows = rows[(single[:, 2] > single[:, 0]) & (single[:, 3] > single[:, 1])]
    return [(int(r[5]), r[4], r[:4]) for r in suppress(rows, limit, most)]


# --- MTMI, pictures of 1024 x 1024 ---

def mtmi_before(picture):
    return planes(np.asarray(picture), np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375]), 1.0)


def mtmi_classes(logits):
    return logits[0].argmax(0)


def mtmi_depth(depth):
    """Metres."""
    return (depth[0, 0].astype(np.float64) * 80).astype(np.float32)


def jet():
    lines = {0: [(0, 0), (0.35, 0), (0.66, 1), (0.89, 1), (1, 0.5)], 1: [(0, 0), (0.125, 0), (0.375, 1), (0.64, 1), (0.91, 0), (1, 0)],
             2: [(0, 0.5), (0.11, 1), (0.34, 1), (0.65, 0), (1, 0)]}
    at = np.arange(256) / 255
    return np.stack([np.floor(255 * np.interp(at, *zip(*lines[c])) + 0.5 + 1e-9).astype(np.uint8) for c in range(3)], 1)


def mtmi_depth_colors(metres):
    """80 - metres, from 0.001 to 80, over the colour map."""
    share = ((80 - metres.astype(np.float64)) - 0.001) / (80 - 0.001)
    return jet()[np.clip(255 * share, 0, 254).astype(np.int64)]


# --- DAB-DETR ---

def detr_size(width, height, shorter=800, longer=1333):
    if max(width, height) / min(width, height) * shorter > longer:
        shorter = round(longer * min(width, height) / max(width, height))
    if min(width, height) == shorter:
        return width, height
    return (shorter, int(shorter * height / width)) if width < height else (int(shorter * width / height), shorter)


def detr_before(picture):
    return planes(np.asarray(resize(picture, detr_size(*picture.size), Image.Resampling.BILINEAR)), MEAN, STD, 1 / 255)


def detr_after(logits, boxes, picture, most):
    """(class, score, box), best first."""
    scores = sigmoid(logits[0]).reshape(-1)
    best = np.argsort(-scores, kind="stable")[:most]
    cx, cy, w, h = boxes[0].astype(np.float64)[best // logits.shape[2]].T
    corners = np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], 1) * np.array(picture.size * 2)
    return [(int(i % logits.shape[2]), scores[i], box) for i, box in zip(best, corners)]
