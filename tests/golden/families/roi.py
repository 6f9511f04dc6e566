# SPDX-License-Identifier: Apache-2.0
"""RoIAlign under ONNX's and mmcv's names, rotated RoIAlign, corner pooling."""
import math

import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, i64, rounded
from reference.roi import corner_pool, roi_align, roi_align_rotated

SIXTEEN = np.array([[1.0, 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]]).reshape(1, 1, 4, 4)


def settled(function, x, rois, *rest):
    """The result, after a check that coordinates off by rounding would not change it: none lies near a jump of the rules."""
    out = function(x, rois, *rest)
    for factor in (1 - 4e-7, 1 + 4e-7):
        assert np.abs(function(x, np.concatenate([rois[:, :-4], rois[:, -4:] * factor], axis=1), *rest) - out).max() < 1e-4
    return out


def mmcv(name, x, rois, output, scale, ratio, mode, aligned, domain="mmcv", drop=(), exact=True):
    """rois [R, 5]: batch index, then the corners."""
    function = lambda images, r: roi_align(images, r[:, 1:], r[:, 0], output, scale, ratio, mode, aligned)
    out = function(x, rois) if exact else settled(function, x, rois)
    attributes = dict(output_height=output[0], output_width=output[1], spatial_scale=float(scale), sampling_ratio=ratio, mode=mode, aligned=aligned)
    return case("roi/mmcv_" + name, "MMCVRoiAlign", [f32(x), f32(rois)], [f32(out)], domain=domain,
                attributes={k: v for k, v in attributes.items() if k not in drop})


def standard(name, opset, x, rois, output, scale, ratio, mode, half_pixel, kind="f32", exact=True):
    """rois [R, 5] as above; ONNX keeps the batch index apart."""
    x = Stored(kind, x)
    function = lambda images, r: roi_align(images, r[:, 1:], r[:, 0], output, scale, ratio, "max_corner" if mode == "max" else mode, half_pixel)
    out = function(x.exact, rois) if exact else settled(function, x.exact, rois)
    attributes = dict(output_height=output[0], output_width=output[1], spatial_scale=float(scale), sampling_ratio=ratio, mode=mode)
    if opset >= 16:
        attributes["coordinate_transformation_mode"] = "half_pixel" if half_pixel else "output_half_pixel"
    assert opset >= 16 or not half_pixel
    return case(f"roi/roi_align_{opset}_{name}", "RoiAlign", [x, Stored(kind, rois[:, 1:]), i64(rois[:, 0])], [f32(out) if kind == "f32" else rounded(kind, out)],
                opset=opset, attributes=attributes)


def vectors():
    """mmcv_ops.md, section 2."""
    roi = np.array([[0.0, 0, 0, 3, 3]])
    for ratio, aligned, mode, wanted in ((2, 1, "avg", [[1.9375, 4.75], [7.5625, 10.375]]), (0, 1, "avg", [[1.9375, 4.75], [7.5625, 10.375]]),
                                         (2, 0, "avg", [[3.625, 6.875], [10.125, 13.375]]), (2, 1, "max", [[2.875, 6.375], [9.875, 13.375]])):
        expect(roi_align(SIXTEEN, roi[:, 1:], [0], (2, 2), 1.0, ratio, mode, aligned), [[wanted]])
        yield mmcv(f"vector_{ratio}_{aligned}_{mode}", SIXTEEN, roi, (2, 2), 1.0, ratio, mode, aligned)
    point = np.array([[0.0, 1, 1, 1, 1]])
    for aligned, wanted in ((1, 0.0), (0, 8.5)):
        expect(roi_align(SIXTEEN, point[:, 1:], [0], (1, 1), 1.0, 0, "avg", aligned), [[[[wanted]]]])
        yield mmcv(f"degenerate_aligned_{aligned}", SIXTEEN, point, (1, 1), 1.0, 0, "avg", aligned)
        yield standard(f"degenerate_{'half_pixel' if aligned else 'output_half_pixel'}", 16, SIXTEEN, point, (1, 1), 1.0, 0, "avg", aligned)


# batch index, x1, y1, x2, y2: inside, outside, over every edge, thin, without area, turned over, huge
ROIS = np.array([[0.0, 1, 1, 6.5, 4], [1, 0, 0, 7, 5], [0, -3, -2, 3, 2], [1, 5, 3, 12, 9], [0, 20, 20, 30, 30], [1, -9, -9, -4, -4], [0, 2, 2, 2, 4.5],
                 [1, 3, 1, 6, 1], [0, 4, 4, 4, 4], [1, -40, -40, 40, 40], [0, 0.25, 0.5, 0.5, 0.75]])
TURNED_OVER = np.array([[0.0, 5, 4, 1, 1], [1, 6, 1, 2, 3]])
# samples at exactly -1, just outside and inside, at exactly H and W, and on the last pixel (1x1 bins, one sample, aligned: the centre - 0.5)
ON_THE_BORDER = np.array([[0.0, *(c + 0.5 - 1, r + 0.5 - 1), *(c + 0.5 + 1, r + 0.5 + 1)] for r, c in
                          ((-1, -1), (-1 - 2.0**-10, 2), (2, -1 - 2.0**-10), (-1 + 2.0**-10, 2), (6, 8), (6 + 2.0**-10, 3), (3, 8 + 2.0**-10), (5, 7), (5.5, 7.5), (0, 0))])


def random_cases():
    x = dyadic(1, (2, 3, 6, 8), -2, 2)
    for aligned in (1, 0):
        for mode in ("avg", "max"):
            for ratio in (0, 1, 2):
                # adaptive sampling of an empty region has no samples: its maximum is nothing that a definition names
                rois = ROIS if mode == "avg" or ratio or not aligned else ROIS[[0, 1, 2, 3, 4, 5, 9, 10]]
                name = f"{mode}_ratio_{ratio}_{'aligned' if aligned else 'legacy'}"
                yield mmcv(name, x, rois, (2, 4), 1.0, ratio, mode, aligned, "mmcv" if mode == "avg" else "mmdeploy")
                for opset in (10, 16, 22) if not aligned else (16, 22):
                    yield standard(name, opset, x, rois, (2, 4), 1.0, ratio, mode, aligned)
    yield mmcv("7x7_quarter_scale", x, ROIS[[0, 1, 2, 3, 10]] * [1, 3.7, 3.7, 3.9, 4.1, ], (7, 7), 0.25, 2, "avg", 1, exact=False)
    yield standard("7x7_quarter_scale", 16, x, ROIS[[0, 1, 2, 3, 10]] * [1, 3.7, 3.7, 3.9, 4.1], (7, 7), 0.25, 0, "avg", 1, exact=False)
    yield standard("3x5_output_half_pixel", 16, x, ROIS[[0, 1, 2, 3]] * [1, 1.3, 1.1, 1.7, 1.9], (3, 5), 0.6, 0, "avg", 0, exact=False)
    border = dyadic(2, (1, 2, 6, 8), 1, 3)
    for op, function in (("mmcv", lambda *a: mmcv("samples_on_the_border", *a, 1.0, 1, "avg", 1)), ("onnx", lambda *a: standard("samples_on_the_border", 16, *a, 1.0, 1, "avg", 1))):
        yield function(border, ON_THE_BORDER, (1, 1))
    # without clamping (aligned) a turned-over box has negative bins: fixed sampling walks backwards, adaptive takes nothing
    for ratio in (0, 2):
        yield mmcv(f"turned_over_ratio_{ratio}", x, TURNED_OVER, (2, 2), 1.0, ratio, "avg", 1)
    yield mmcv("all_negative_max", -np.abs(x) - 20000, ROIS[[0, 1]], (2, 2), 1.0, 2, "max", 1)  # below -10000, where one implementation starts
    yield mmcv("no_domain", x, ROIS, (2, 2), 0.5, 2, "avg", 1, "")
    yield mmcv("defaults", x, ROIS[[0, 2, 10]], (7, 7), 1.0, 0, "avg", 1, drop=("output_height", "output_width", "spatial_scale", "sampling_ratio", "aligned"), exact=False)
    for opset in (10, 16):  # the mode of coordinates by default
        default = 1 if opset == 16 else 0
        out = roi_align(x, ROIS[:4, 1:], ROIS[:4, 0], (2, 2), 1.0, 2, "avg", default)
        yield case(f"roi/roi_align_{opset}_default_coordinates", "RoiAlign", [f32(x), f32(ROIS[:4, 1:]), i64(ROIS[:4, 0])], [f32(out)], opset=opset,
                   attributes=dict(output_height=2, output_width=2, sampling_ratio=2))
    for kind, opset in (("f16", 16), ("bf16", 22)):
        yield standard(kind, opset, dyadic(4, (2, 2, 6, 8), -2, 2, 4), ROIS[:4], (2, 2), 1.0, 2, "avg", 1, kind)
    yield case("roi/mmcv_no_rois", "MMCVRoiAlign", [f32(x), f32(np.zeros((0, 5)))], [f32(np.zeros((0, 3, 2, 2)))], domain="mmcv",
               attributes=dict(output_height=2, output_width=2, mode="avg"))
    yield case("roi/roi_align_16_no_rois", "RoiAlign", [f32(x), f32(np.zeros((0, 4))), i64(np.zeros(0))], [f32(np.zeros((0, 3, 2, 2)))], opset=16,
               attributes=dict(output_height=2, output_width=2))
    sets = []
    for k, (h, w) in enumerate(((3, 4), (6, 2), (1, 1))):
        x, rois = dyadic(40 + k, (1 + k, 2, h, w), -2, 2), np.array([[k, 0, 0, w, h], [0, -1, -1, w / 2, h / 2], [0, 0, 0, 2 * w, 1]][:3 - k], np.float64)
        sets.append(([f32(x), f32(rois)], [f32(roi_align(x, rois[:, 1:], rois[:, 0], (2, 2), 0.5, 2))]))
    yield Case("roi/mmcv_dynamic_sizes", "MMCVRoiAlign", sets, domain="mmcv",
               attributes=dict(output_height=2, output_width=2, spatial_scale=0.5, sampling_ratio=2, mode="avg", aligned=1))


def rotated(name, x, rois, output, scale, ratio, aligned, clockwise, domain="mmcv"):
    rois = f32(rois).exact
    out = roi_align_rotated(x, rois, output, scale, ratio, aligned, clockwise)
    for shift in (-1e-5, 1e-5):
        moved = rois.copy()
        moved[:, 1:3] += shift
        moved[:, 3:5] *= 1 - abs(shift) / 8
        assert np.abs(roi_align_rotated(x, moved, output, scale, ratio, aligned, clockwise) - out).max() < 2e-3, name
    return case("roi/rotated_" + name, "MMCVRoIAlignRotated", [f32(x), f32(rois)], [f32(out)], domain=domain,
                attributes=dict(output_height=output[0], output_width=output[1], spatial_scale=float(scale), sampling_ratio=ratio, aligned=aligned, clockwise=clockwise))


def rotated_cases():
    x = dyadic(5, (2, 2, 7, 9), -2, 2)
    rois = np.array([[0, 4, 3, 3.3, 2.2, 0.3], [1, 5, 4, 5.1, 3.3, -0.7], [0, 2, 2, 6.3, 1.1, 2.1], [1, 8, 6, 4.2, 4.4, math.pi / 4], [0, 40, 40, 3, 3, 1.0]])
    for aligned in (1, 0):
        for clockwise in (0, 1):
            for ratio in (0, 2):
                yield rotated(f"ratio_{ratio}_{'aligned' if aligned else 'legacy'}_{'clockwise' if clockwise else 'counter'}", x, rois, (2, 3), 0.9, ratio, aligned, clockwise)
    # upright is RoIAlign; a quarter turn of a square permutes the bins
    upright = np.array([[0, 4, 3, 3, 2.5, 0]])
    expect(roi_align_rotated(x, upright, (2, 2), 1.0, 2), roi_align(x, np.array([[2.5, 1.75, 5.5, 4.25]]), [0], (2, 2), 1.0, 2))
    square, turned = np.array([[0, 4, 3, 3, 3, 0]]), np.array([[0, 4, 3, 3, 3, math.pi / 2]])
    expect(roi_align_rotated(x, turned, (2, 2), 1.0, 2), np.rot90(roi_align_rotated(x, square, (2, 2), 1.0, 2), -1, (2, 3)), 1e-9)
    yield rotated("upright", x, upright, (2, 2), 1.0, 2, 1, 0, "mmdeploy")
    yield rotated("quarter_turn", x, turned + [0, 0, 0, 0, 0, 1e-3], (2, 2), 1.0, 2, 1, 0, "mmdeploy")
    yield rotated("without_area", x, np.array([[0, 3, 3, 0, 2, 0.5], [1, 3, 3, 0, 0, 1.0]]), (1, 2), 1.0, 2, 1, 0)
    yield rotated("without_area_legacy", x, np.array([[0, 3, 3, 0, 2, 0.5], [1, 3, 3, 0, 0, 1.0]]), (1, 2), 1.0, 0, 0, 0)
    yield case("roi/rotated_no_rois", "MMCVRoIAlignRotated", [f32(x), f32(np.zeros((0, 6)))], [f32(np.zeros((0, 2, 2, 2)))], domain="mmcv",
               attributes=dict(output_height=2, output_width=2, spatial_scale=1.0, sampling_ratio=2, aligned=1, clockwise=0))


def corner_cases():
    row = np.array([2.0, 1, 3, 0, 2]).reshape(1, 1, 1, 5)
    expect(corner_pool(row, 2).ravel(), [3, 3, 3, 2, 2], 0)
    expect(corner_pool(row, 3).ravel(), [2, 2, 3, 3, 3], 0)
    for mode, name in enumerate(("top", "bottom", "left", "right")):
        shape = (1, 1, 5, 1) if mode < 2 else (1, 1, 1, 5)
        yield case(f"roi/corner_pool_{name}_vector", "MMCVCornerPool", [f32(row.reshape(shape))], [f32(corner_pool(row.reshape(shape), mode))], domain="mmcv",
                   attributes=dict(mode=mode))
        x = dyadic(50 + mode, (2, 3, 5, 7), -4, 4)
        yield case(f"roi/corner_pool_{name}", "MMCVCornerPool", [f32(x)], [f32(corner_pool(x, mode))], domain="mmdeploy" if mode % 2 else "", attributes=dict(mode=mode))
    sets = [([f32(x)], [f32(corner_pool(x, 1))]) for x in (dyadic(60, (1, 2, 3, 4), -2, 2), dyadic(61, (2, 1, 1, 1), -2, 2), dyadic(62, (1, 2, 8, 3), -2, 2))]
    yield Case("roi/corner_pool_dynamic_sizes", "MMCVCornerPool", sets, domain="mmcv", attributes=dict(mode=1))
    yield case("roi/corner_pool_negative", "MMCVCornerPool", [f32(-np.abs(row) - 1e30)], [f32(corner_pool(-np.abs(row) - 1e30, 2))], domain="mmcv", attributes=dict(mode=2))


def cases():
    yield from vectors()
    yield from random_cases()
    yield from rotated_cases()
    yield from corner_cases()
