# SPDX-License-Identifier: Apache-2.0
"""Multi-scale deformable attention: locations in 0..1 of each level, pixel centres at half-integers."""
import numpy as np

from .deform import bilinear


def ms_deform_attn(value, shapes, starts, locations, weights):
    """value [N, S, M, D], shapes [L, 2] as (H, W), starts [L], locations [N, Q, M, L, P, 2] as (x, y), weights
    [N, Q, M, L, P] -> [N, Q, M, D]."""
    batch, _, heads, depth = value.shape
    queries, points = locations.shape[1], locations.shape[4]
    out = np.zeros((batch, queries, heads, depth))
    for level, ((height, width), start) in enumerate(zip(shapes, starts)):
        height, width, start = int(height), int(width), int(start)
        maps = value[:, start:start + height * width].reshape(batch, height, width, heads, depth)
        for n, q, m, p in np.ndindex(batch, queries, heads, points):
            x, y = locations[n, q, m, level, p]
            out[n, q, m] += weights[n, q, m, level, p] * bilinear(maps[n, :, :, m], y * height - 0.5, x * width - 0.5)
    return out


def flash_deform_attn(value, shapes, starts, packed, points, softmax=1):
    """packed [N, Q, M, 3*L*P]: L*P pairs (x, y), then L*P logits, which a softmax over all of them turns into weights."""
    batch, queries, heads, _ = packed.shape
    levels = len(shapes)
    count = levels * points
    locations = packed[..., :2 * count].reshape(batch, queries, heads, levels, points, 2)
    weights = packed[..., 2 * count:]
    if softmax:
        weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
        weights = weights / weights.sum(axis=-1, keepdims=True)
    out = ms_deform_attn(value, shapes, starts, locations, weights.reshape(batch, queries, heads, levels, points))
    return out.reshape(batch, queries, heads * value.shape[3])
