# SPDX-License-Identifier: Apache-2.0
"""RoIAlign: ONNX's, mmcv's and the rotated form; corner pooling."""
import math

import numpy as np


def corners(y, x, height, width):
    """Four (row, column, weight), or none outside of [-1, H] x [-1, W]; from -1 to 0 and beyond the last pixel the border counts."""
    if y < -1 or y > height or x < -1 or x > width:
        return []

    def axis(v, extent):
        v = max(v, 0.0)
        low = int(v)
        if low >= extent - 1:
            return [(extent - 1, 1.0), (extent - 1, 0.0)]
        return [(low, 1 - (v - low)), (low + 1, v - low)]

    return [(r, c, wy * wx) for r, wy in axis(y, height) for c, wx in axis(x, width)]


def pool(image, samples, mode):
    """image [C, H, W]; the samples (y, x) of one bin. `max_corner` is ONNX's: the largest weighted corner."""
    values = np.zeros((len(samples), image.shape[0]))
    for s, (y, x) in enumerate(samples):
        weighted = [w * image[:, r, c] for r, c, w in corners(y, x, *image.shape[1:])]
        if weighted:
            values[s] = np.max(weighted, axis=0) if mode == "max_corner" else np.sum(weighted, axis=0)
    if mode == "avg":
        return values.sum(axis=0) / max(len(samples), 1)
    return values.max(axis=0) if samples else np.zeros(image.shape[0])


def samples_per_side(sampling_ratio, extent, bins):
    return sampling_ratio if sampling_ratio > 0 else max(math.ceil(extent / bins), 0)


def roi_align(x, rois, batch_indices, output, spatial_scale=1.0, sampling_ratio=0, mode="avg", aligned=1):
    """rois [R, 4] as x1, y1, x2, y2 -> [R, C, oh, ow]."""
    (oh, ow), offset = output, 0.5 if aligned else 0.0
    out = np.zeros((len(rois), x.shape[1], oh, ow))
    for r, roi in enumerate(rois):
        x1, y1, x2, y2 = roi * spatial_scale - offset
        width, height = x2 - x1, y2 - y1
        if not aligned:
            width, height = max(width, 1.0), max(height, 1.0)
        gh, gw = samples_per_side(sampling_ratio, height, oh), samples_per_side(sampling_ratio, width, ow)
        bh, bw = height / oh, width / ow
        for ph, pw in np.ndindex(oh, ow):
            samples = [(y1 + ph * bh + (iy + 0.5) * bh / gh, x1 + pw * bw + (ix + 0.5) * bw / gw) for iy in range(gh) for ix in range(gw)]
            out[r, :, ph, pw] = pool(x[int(batch_indices[r])], samples, mode)
    return out


def roi_align_rotated(x, rois, output, spatial_scale=1.0, sampling_ratio=0, aligned=1, clockwise=0):
    """rois [R, 6] as batch, cx, cy, w, h, angle in radians; the grid of an upright box turned about its centre."""
    (oh, ow), offset = output, 0.5 if aligned else 0.0
    out = np.zeros((len(rois), x.shape[1], oh, ow))
    for r, (batch, cx, cy, width, height, angle) in enumerate(rois):
        cx, cy, width, height = cx * spatial_scale - offset, cy * spatial_scale - offset, width * spatial_scale, height * spatial_scale
        if not aligned:
            width, height = max(width, 1.0), max(height, 1.0)
        angle = -angle if clockwise else angle
        cos, sin = math.cos(angle), math.sin(angle)
        gh, gw = samples_per_side(sampling_ratio, height, oh), samples_per_side(sampling_ratio, width, ow)
        bh, bw = height / oh, width / ow
        for ph, pw in np.ndindex(oh, ow):
            samples = []
            for iy, ix in np.ndindex(gh, gw):
                yy, xx = -height / 2 + ph * bh + (iy + 0.5) * bh / gh, -width / 2 + pw * bw + (ix + 0.5) * bw / gw
                samples.append((yy * cos - xx * sin + cy, yy * sin + xx * cos + cx))
            out[r, :, ph, pw] = pool(x[int(batch)], samples, "avg")
    return out


def corner_pool(x, mode):
    """Running maximum: 0 top (from the bottom row upward), 1 bottom, 2 left (from the right column leftward), 3 right."""
    axis = 2 if mode < 2 else 3
    if mode in (1, 3):
        return np.maximum.accumulate(x, axis=axis)
    return np.flip(np.maximum.accumulate(np.flip(x, axis), axis=axis), axis)
