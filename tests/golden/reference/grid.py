# SPDX-License-Identifier: Apache-2.0
"""GridSample in any number of spatial dimensions."""
import itertools
import math

import numpy as np

FAR = -100.0  # what a coordinate that is not a number of pixels becomes: outside


def unnormalise(g, extent, align_corners):
    return (g + 1) / 2 * (extent - 1) if align_corners else ((g + 1) * extent - 1) / 2


def reflect(v, extent, align_corners):
    low, high = (0.0, extent - 1.0) if align_corners else (-0.5, extent - 0.5)
    span = high - low
    if span == 0:
        return 0.0
    v = abs(v - low)
    flips, rest = math.floor(v / span), math.fmod(v, span)
    return rest + low if flips % 2 == 0 else span - rest + low


def pad_coordinate(v, extent, padding, align_corners):
    if not math.isfinite(v) and padding != "border":
        return FAR
    if padding == "border":
        v = min(max(v, 0.0), extent - 1.0)
    elif padding == "reflection":
        v = min(max(reflect(v, extent, align_corners), 0.0), extent - 1.0)
    return v if abs(v) < 2.0**31 else FAR


def cubic_weights(t, a=-0.75):
    near = lambda d: ((a + 2) * d - (a + 3)) * d * d + 1
    far = lambda d: ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return [far(1 + t), near(t), near(1 - t), far(2 - t)]


def taps_of(v, extent, mode, padding, align_corners, round_first):
    """(index, weight) pairs along one axis; indices outside are left out: they count as zero. ONNX rounds for `nearest`
    before it pads, mmcv after (they differ only where a reflected coordinate is a tie)."""
    if mode == "cubic":  # every tap is padded by itself
        if not math.isfinite(v) or abs(v) >= 2.0**31:
            return []
        first = math.floor(v) - 1
        pairs = [(pad_coordinate(first + k, extent, padding, align_corners), w) for k, w in enumerate(cubic_weights(v - math.floor(v)))]
    else:
        v = pad_coordinate(np.rint(v) if mode == "nearest" and round_first else v, extent, padding, align_corners)
        if mode == "nearest":
            pairs = [(np.rint(v), 1.0)]  # ties to even
        else:
            pairs = [(math.floor(v), math.floor(v) + 1 - v), (math.floor(v) + 1, v - math.floor(v))]
    return [(int(i), w) for i, w in pairs if 0 <= i < extent]


def grid_sample(x, grid, mode="linear", padding="zeros", align_corners=0, round_first=True):
    """x [N, C, spatial...], grid [N, out..., D] with the innermost axis (x) first."""
    extents = x.shape[2:]
    out = np.zeros(x.shape[:2] + grid.shape[1:-1])
    for n, *place in np.ndindex(grid.shape[:-1]):
        point = grid[(n, *place)][::-1]
        axes = [taps_of(unnormalise(g, e, align_corners), e, mode, padding, align_corners, round_first) for g, e in zip(point, extents)]
        for combination in itertools.product(*axes):
            index = tuple(i for i, _ in combination)
            weight = math.prod(w for _, w in combination)
            out[(n, slice(None), *place)] += weight * x[(n, slice(None), *index)]
    return out
