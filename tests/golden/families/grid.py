# SPDX-License-Identifier: Apache-2.0
"""GridSample of opsets 16, 20 and 22 and mmcv's grid_sampler."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, rounded
from reference.grid import grid_sample

PADDINGS = ("zeros", "border", "reflection")
MODES = ("linear", "nearest", "cubic")
OLD_NAMES = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}
NINE = np.arange(1.0, 10).reshape(1, 1, 3, 3)
POINTS = np.array([[0, 0], [-1, -1], [.5, -.5], [1.4, 0]]).reshape(1, 1, 4, 2)
# mmcv_ops.md, section 7: align_corners, padding -> bilinear, nearest (half to even)
TABLE = {(0, "zeros"): ([5, .25, 3.5, 0], [5, 1, 3, 0]), (0, "border"): ([5, 1, 3.5, 6], [5, 1, 3, 6]), (0, "reflection"): ([5, 1, 3.5, 5.9], [5, 1, 3, 6]),
         (1, "zeros"): ([5, 1, 4, 3.6], [5, 1, 3, 6]), (1, "border"): ([5, 1, 4, 6], [5, 1, 3, 6]), (1, "reflection"): ([5, 1, 4, 5.6], [5, 1, 3, 6])}


def standard(name, x, grid, mode, padding, align, opset, kind="f32", spelled=None):
    x, grid = Stored(kind, x), Stored(kind, grid)
    out = grid_sample(x.exact, grid.exact, mode, padding, align)
    attributes = dict(mode=(OLD_NAMES[mode] if opset < 20 else mode), padding_mode=padding, align_corners=align)
    return case(f"grid/grid_sample_{opset}_{name}", "GridSample", [x, grid], [f32(out) if kind == "f32" else rounded(kind, out)], opset=opset,
                attributes=attributes if spelled is None else spelled)


def sampler(name, x, grid, mode, padding, align, domain="mmcv", spelled=None):
    out = grid_sample(x, grid, mode, padding, align, round_first=False)
    assert np.array_equal(out, grid_sample(x, grid, mode, padding, align)), "the order of rounding and reflection is no promise of ours"
    attributes = dict(interpolation_mode=MODES.index(mode), padding_mode=PADDINGS.index(padding), align_corners=align)
    return case(f"grid/grid_sampler_{name}", "grid_sampler", [f32(x), f32(grid)], [f32(out)], domain=domain, attributes=attributes if spelled is None else spelled)


def vectors():
    for (align, padding), (linear, nearest) in TABLE.items():
        for mode, wanted in (("linear", linear), ("nearest", nearest)):
            expect(grid_sample(NINE, POINTS, mode, padding, align).ravel(), wanted)
            name = f"table_{mode}_{padding}_{align}"
            points = f32(POINTS).exact
            for opset in (16, 20, 22):
                yield standard(name, NINE, points, mode, padding, align, opset)
            yield sampler(name, NINE, points, mode, padding, align, "mmcv" if align else "mmdeploy")


def random_grids():
    """Coordinates on a grid of 1/16: far outside, on borders, and on ties of nearest."""
    flat, flat_grid = dyadic(1, (2, 3, 4, 5), -2, 2), dyadic(2, (2, 3, 5, 2), -1.75, 1.75, 16)
    deep, deep_grid = dyadic(3, (2, 2, 3, 4, 2), -2, 2), dyadic(4, (2, 2, 2, 3, 3), -1.75, 1.75, 16)
    for mode in MODES:
        for padding in PADDINGS:
            for align in (0, 1):
                name = f"{mode}_{padding}_{align}"
                yield standard(name + "_4d", flat, flat_grid, mode, padding, align, 16)
                yield standard(name + "_4d", flat, flat_grid, mode, padding, align, 20)
                yield standard(name + "_5d", deep, deep_grid, mode, padding, align, 20)
                off_ties = 1 / 64 if (mode, padding, align) == ("nearest", "reflection", 0) else 0
                yield sampler(name + "_4d", flat, flat_grid + off_ties, mode, padding, align)
                if mode != "cubic":
                    yield standard(name + "_5d", deep, deep_grid, mode, padding, align, 22)
                    yield sampler(name + "_5d", deep, deep_grid + off_ties, mode, padding, align, "mmdeploy")


def edges():
    for padding in PADDINGS:
        for align in (0, 1):
            one = dyadic(7, (1, 2, 1, 1), 1, 2)  # extents of 1: reflection between equal borders gives pixel 0
            yield standard(f"one_pixel_{padding}_{align}", one, dyadic(8, (1, 3, 3, 2), -3, 3, 8), "linear", padding, align, 20)
            yield standard(f"one_row_{padding}_{align}", dyadic(9, (1, 2, 1, 5), -2, 2), dyadic(10, (1, 3, 3, 2), -3, 3, 8), "nearest", padding, align, 20)
            # many reflections
            yield sampler(f"far_{padding}_{align}", dyadic(11, (1, 1, 3, 4), -2, 2), dyadic(12, (1, 4, 4, 2), -40, 40, 8), "linear", padding, align)
    special = np.array([[np.nan, 0], [0, np.nan], [np.inf, 0], [0, -np.inf], [3e38, 0], [0, -3e38], [1e12, 1e12], [0, 0]]).reshape(1, 2, 4, 2)
    for mode in MODES:
        yield standard(f"not_numbers_{mode}", NINE, special, mode, "zeros", 0, 20)
        yield sampler(f"not_numbers_{mode}", NINE, special, mode, "zeros", 1)
    infinite = np.array([[np.inf, 0], [0, -np.inf], [3e38, 3e38], [-np.inf, np.inf]]).reshape(1, 2, 2, 2)
    yield standard("infinite_border", NINE, infinite, "linear", "border", 0, 20)
    # ties of nearest with align_corners: 0.5, 1.5, 2.5 and -0.5 on an axis of 5
    ties = np.array([[-.75, -1], [-.25, -1], [.25, -1], [.75, -1], [-1.25, -1], [1.25, -1]]).reshape(1, 1, 6, 2)
    for padding in PADDINGS:
        yield standard(f"nearest_ties_{padding}", dyadic(13, (1, 1, 2, 5), -2, 2), ties, "nearest", padding, 1, 16)
    yield standard("defaults", NINE, POINTS, "linear", "zeros", 0, 16, spelled={})
    yield standard("defaults", NINE, POINTS, "linear", "zeros", 0, 20, spelled={})
    yield sampler("defaults", NINE, POINTS, "linear", "zeros", 0, spelled={})
    yield sampler("no_domain", NINE, POINTS, "linear", "border", 1, "")
    for kind, opset in (("f16", 16), ("f16", 20), ("bf16", 22)):
        yield standard(f"{kind}", dyadic(14, (1, 2, 3, 4), -2, 2, 4), dyadic(15, (1, 2, 3, 2), -1, 1, 8), "linear", "zeros", 1, opset, kind)
    sets = []
    for k, (n, c, h, w, oh, ow) in enumerate(((1, 2, 3, 4, 2, 2), (2, 2, 5, 2, 3, 1), (1, 2, 1, 7, 1, 4))):
        x, g = dyadic(20 + k, (n, c, h, w), -2, 2), dyadic(30 + k, (n, oh, ow, 2), -1.5, 1.5, 16)
        sets.append(([f32(x), f32(g)], [f32(grid_sample(x, g, "linear", "border", 0))]))
    yield Case("grid/grid_sample_20_dynamic_sizes", "GridSample", sets, opset=20, attributes=dict(mode="linear", padding_mode="border"))
    yield case("grid/grid_sample_20_empty", "GridSample", [f32(NINE), f32(np.zeros((1, 0, 4, 2)))], [f32(np.zeros((1, 1, 0, 4)))], opset=20)
    line = dyadic(16, (2, 2, 6), -2, 2)  # three dimensions: one axis
    yield standard("3d", line, dyadic(17, (2, 5, 1), -1.5, 1.5, 16), "linear", "border", 0, 20)


def cases():
    yield from vectors()
    yield from random_grids()
    yield from edges()
