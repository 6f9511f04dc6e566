# SPDX-License-Identifier: Apache-2.0
"""Multi-scale deformable attention: mmcv's, mmdeploy's and TensorRT's names, and FlashDeformAttn."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, i32, i64, rounded
from reference.attention import flash_deform_attn, ms_deform_attn

MMCV, TRT = "MMCVMultiScaleDeformableAttention", "MultiscaleDeformableAttnPlugin_TRT"


def starts_of(shapes):
    return np.concatenate([[0], np.cumsum([h * w for h, w in shapes])[:-1]])


def store(kind, values):
    return f32(values) if kind == "f32" else rounded(kind, values)


def msda(name, op, domain, value, shapes, locations, weights, kind="f32", index=i64, **attributes):
    v, loc, w = (Stored(kind, t) for t in (value, locations, weights))
    out = ms_deform_attn(v.exact, shapes, starts_of(shapes), loc.exact, w.exact)
    if op == MMCV:
        out = out.reshape(*out.shape[:2], -1)
    return case("attention/" + name, op, [v, index(shapes), index(starts_of(shapes)), loc, w], [store(kind, out)], domain=domain, attributes=attributes)


def vector():
    """dab_detr.md, section 10: two levels, one head, the result is 5.3."""
    value, shapes = np.array([1.0, 2, 3, 4, 10]).reshape(1, 5, 1, 1), [(2, 2), (1, 1)]
    locations = np.array([[.5, .5], [.25, .25], [.5, .5], [.9, .5]]).reshape(1, 1, 1, 2, 2, 2)
    weights = np.array([.4, .1, .3, .2]).reshape(1, 1, 1, 2, 2)
    expect(ms_deform_attn(value, shapes, starts_of(shapes), locations, weights), [[[[5.3]]]], 1e-12)
    yield msda("mmcv_vector", MMCV, "mmcv", value, shapes, locations, weights)
    yield msda("mmdeploy_vector", MMCV, "mmdeploy", value, shapes, locations, weights, index=i32)
    yield msda("trt_vector", TRT, "", value, shapes, locations, weights, index=i32, plugin_version="1", plugin_namespace="")


# name, batch, levels, heads, depth, queries, points
SHAPES = (("deformable_detr", 1, [(4, 5), (2, 3), (1, 2), (1, 1)], 8, 4, 5, 4), ("odd", 2, [(3, 2), (5, 1)], 3, 5, 4, 3),
          ("one_of_each", 1, [(1, 1)], 1, 1, 1, 1), ("depth_32", 2, [(4, 4), (2, 2)], 2, 32, 3, 4))


def random_inputs(name, batch, shapes, heads, depth, queries, points):
    seed, levels = sum(map(ord, name)), len(shapes)
    value = dyadic(seed, (batch, sum(h * w for h, w in shapes), heads, depth), -2, 2)
    locations = dyadic(seed + 1, (batch, queries, heads, levels, points, 2), -0.25, 1.25)
    weights = dyadic(seed + 2, (batch, queries, heads, levels, points), 0, 1)
    return value, shapes, locations, weights


def edges():
    value, shapes, locations, weights = random_inputs("edges", 1, [(4, 2), (2, 4)], 1, 2, 3, 4)
    # pixel coordinates at exactly -1, -1 + a hair, H and W on the first level; not numbers and far away on the second
    locations[0, 0, 0, 0] = [[-1 / 4, .5], [.5, -1 / 8], [1.25, .5], [.5, 1.125]]
    locations[0, 1, 0, 0] = [[-1 / 4 + 2.0**-10, .5], [.5, -1 / 8 + 2.0**-10], [1.25 - 2.0**-10, .5], [.5, 1.125 - 2.0**-10]]
    locations[0, 0, 0, 1] = [[np.nan, .5], [.5, np.nan], [np.inf, .5], [.5, -np.inf]]
    locations[0, 1, 0, 1] = [[1e30, 1e30], [-1e9, .5], [.5, 3e9], [.5, .5]]
    for op, domain in ((MMCV, "mmcv"), (TRT, "")):
        yield msda(("mmcv" if op == MMCV else "trt") + "_borders_and_not_numbers", op, domain, value, shapes, locations, weights)
    sets = []
    for k, shapes in enumerate(([(3, 4), (2, 2)], [(1, 5), (4, 3)], [(2, 2), (1, 1)])):
        v, _, loc, w = random_inputs("dynamic" + "x" * k, k + 1, shapes, 2, 3, 4 + k, 2)
        out = ms_deform_attn(v, shapes, starts_of(shapes), loc, w).reshape(k + 1, 4 + k, 6)
        sets.append(([f32(v), i64(shapes), i64(starts_of(shapes)), f32(loc), f32(w)], [f32(out)]))
    yield Case("attention/mmcv_dynamic_sizes", MMCV, sets, domain="mmcv")
    v, shapes, loc, w = random_inputs("constants", 1, [(3, 4), (2, 2)], 2, 4, 3, 2)
    out = ms_deform_attn(v, shapes, starts_of(shapes), loc, w).reshape(1, 3, 8)
    yield case("attention/mmcv_constant_shapes", MMCV, [f32(v), i64(shapes), i64(starts_of(shapes)), f32(loc), f32(w)], [f32(out)], domain="mmdeploy",
               constants=(1, 2), attributes=dict(im2col_step=64))


def flash(name, value, shapes, packed, points, kind="f32", domain="custom_op", index=i64, **attributes):
    v, s = Stored(kind, value), Stored(kind, packed)
    out = flash_deform_attn(v.exact, shapes, starts_of(shapes), s.exact, points, attributes.get("softmax", 1))
    return case("attention/flash_" + name, "FlashDeformAttn", [v, index(shapes), index(starts_of(shapes)), s], [store(kind, out)], domain=domain,
                attributes={"points": points, **attributes})


def flash_cases():
    """dcnv4.md, section 13."""
    value, shapes = np.arange(1.0, 9).reshape(1, 8, 1, 1), [(2, 3), (1, 2)]
    places = [.5, .5, 0, 0, 1, 1, .25, .75, .5, .5, .25, .5, .75, .5, 1.5, .5]
    for name, logits, wanted in (("equal_logits", np.zeros(8), 4.0), ("logits", np.log([1, 2, 3, 4, 5, 6, 7, 4]), 5.03125)):
        packed = np.concatenate([places, logits]).reshape(1, 1, 1, 24)
        expect(flash_deform_attn(value, shapes, starts_of(shapes), packed, 4), [[[wanted]]])
        yield flash(name, value, shapes, packed, 4)
    for name, batch, shapes, heads, depth, queries, points in SHAPES:
        value, _, locations, _ = random_inputs(name, batch, shapes, heads, depth, queries, points)
        logits = dyadic(len(name), (batch, queries, heads, len(shapes) * points), -4, 4)
        packed = np.concatenate([locations.reshape(batch, queries, heads, -1), logits], axis=3)
        yield flash(name, value, shapes, packed, points)
        yield flash(name + "_no_softmax", value, shapes, packed, points, softmax=0, domain="", index=i32)
    value, _, locations, _ = random_inputs("half", 1, [(2, 3), (2, 1)], 2, 4, 3, 2)
    packed = np.concatenate([locations.reshape(1, 3, 2, -1), dyadic(4, (1, 3, 2, 4), 0, 1, 16)], axis=3)
    yield flash("f16_no_softmax", np.round(value * 4) / 4, [(2, 3), (2, 1)], packed, 2, "f16", softmax=0)
    yield flash("f16", np.round(value * 4) / 4, [(2, 3), (2, 1)], packed, 2, "f16")


def cases():
    yield from vector()
    for row in SHAPES:
        value, shapes, locations, weights = random_inputs(*row)
        yield msda(f"mmcv_{row[0]}", MMCV, "mmcv", value, shapes, locations, weights)
        yield msda(f"mmdeploy_{row[0]}", MMCV, "mmdeploy", value, shapes, locations, weights, index=i32)
        yield msda(f"trt_{row[0]}", TRT, "TRT", value, shapes, locations, weights, index=i32)
    value, shapes, locations, weights = random_inputs("f16", 1, [(2, 3), (1, 2)], 2, 4, 3, 2)
    yield msda("trt_f16", TRT, "", np.round(value * 8) / 8, shapes, np.round(locations * 32) / 32, np.round(weights * 8) / 8, "f16", i32)
    yield from edges()
    yield from flash_cases()
