# SPDX-License-Identifier: Apache-2.0
"""DCNv4 in both forms."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, rounded
from reference.deform import dcnv4, dcnv4_fused

from . import deform_conv

BASE = dict(kernel=(3, 3), stride=(1, 1), pad=(1, 1), dilation=(1, 1), offscale=1.0, remove_center=0)
IGNORED = 1e4  # padding channels: whoever reads them is far off


def attributes_of(group, group_channels, softmax=None, **options):
    o = {**BASE, **options}
    named = dict(zip(("kh", "kw", "sh", "sw", "ph", "pw", "dh", "dw"), (*o["kernel"], *o["stride"], *o["pad"], *o["dilation"])))
    named.update(group=group, group_channels=group_channels, offscale=float(o["offscale"]), step=256, remove_center=o["remove_center"])
    return named if softmax is None else {**named, "softmax": softmax}


def node(name, value, offset, group, group_channels, kind="f32", domain="custom_op", softmax=None, extra=None, **options):
    v, o = Stored(kind, value), Stored(kind, offset)
    out = dcnv4(v.exact, o.exact, group, group_channels, softmax=softmax or 0, **{**BASE, **options})
    out = f32(out) if kind == "f32" else rounded(kind, out)
    return case("deform/" + name, "DCNv4_Plugin", [v, o], [out], domain=domain,
                attributes={**attributes_of(group, group_channels, softmax, **options), **(extra or {})})


def padded_channels(count):
    return 8 * -(-count // 8)


def nine_points(active):
    """Section 6 A and B: 3x3 image 10y + x + 1, one channel; `active` {k: (m, dx, dy)}, the rest 0."""
    y, x = np.mgrid[0:3, 0:3]
    offset = np.full((1, 3, 3, 32), IGNORED)
    offset[..., :27] = 0
    for k, (m, dx, dy) in active.items():
        offset[..., 2 * k], offset[..., 2 * k + 1], offset[..., 18 + k] = dx, dy, m
    return (10.0 * y + x + 1).reshape(1, 3, 3, 1), offset


def general(batch=1, rows=3, columns=4, remove_center=0):
    """Section 6 C: 3x4 image, G = D = 2, filled by the generators there."""
    b, y, x, c = np.ogrid[0:batch, 0:3, 0:4, 0:4]
    used = 3 * (9 - remove_center) * 2
    q = np.arange(rows * columns).reshape(1, rows, columns, 1)
    t = np.arange(used).reshape(1, 1, 1, used)
    offset = np.full((batch, rows, columns, padded_channels(used)), IGNORED)
    offset[..., :used] = ((5 * q + 3 * t + b) % 17) / 16 - 0.5
    return ((7 * y + 3 * x + 5 * c + 2 * b) % 11) / 4 - 1, offset


C_ROWS = """-0.4835205078125 0.064697265625 0.29833984375 -0.3935546875
-0.037841796875 -0.0445556640625 -0.18701171875 0.24163818359375
-0.784423828125 0.0687255859375 0.440185546875 0.069580078125
0.1927490234375 0.4222412109375 0.0462646484375 0.0316162109375
-0.363525390625 0.1116943359375 -0.05517578125 -0.61767578125
-0.4146728515625 -0.2276611328125 -0.1279296875 0.333740234375
-0.0325927734375 -0.0155029296875 0.48077392578125 -0.1231689453125
0.2896728515625 0.2861328125 -0.4559326171875 -0.020751953125
0.1585693359375 0.0836181640625 0.28582763671875 -0.49798583984375
-0.1900634765625 0.21435546875 -0.6480712890625 0.158935546875
0.290771484375 -0.322265625 0.560791015625 -0.06494140625
0.26611328125 0.56787109375 -0.519775390625 0.0802001953125"""
# name, options, extents of the output, batch, sum, a pixel, its values, the last pixel
VARIANTS = (
    ("c", {}, (3, 4), 1, -0.58349609375, 0, (-0.4835205078125, 0.064697265625, 0.29833984375, -0.3935546875),
     (0.26611328125, 0.56787109375, -0.519775390625, 0.0802001953125)),
    ("c_remove_center", dict(remove_center=1), (3, 4), 1, -1.3895263671875, 0, (-.7528076171875, .35205078125, -.03564453125, -.332275390625),
     (.0009765625, .193115234375, .1273193359375, .176025390625)),
    ("c_stride_2", dict(stride=(2, 2)), (2, 2), 1, 1.69879150390625, 0, (-0.4835205078125, 0.064697265625, 0.29833984375, -0.3935546875),
     (.13299560546875, -.33624267578125, .1734619140625, -.01025390625)),
    ("c_dilation_2_scale_half", dict(dilation=(2, 2), pad=(2, 2), offscale=0.5), (3, 4), 1, -2.1839599609375, 0,
     (-.535919189453125, .18511962890625, .3524169921875, -.48828125), (.4735107421875, .5093994140625, -.45123291015625, .176544189453125)),
    ("c_scale_half", dict(offscale=0.5), (3, 4), 1, -1.0299530029296875, 0, (-.449371337890625, .2103271484375, .3446044921875, -.30157470703125),
     (-.07330322265625, .45013427734375, -.2596435546875, .015655517578125)),
    ("c_scale_2", dict(offscale=2.0), (3, 4), 1, 0.112548828125, 0, (-.21533203125, .185546875, .013671875, -.134765625),
     (.5947265625, -.3671875, -.3857421875, .06396484375)),
    ("c_batch_2", {}, (3, 4), 2, -1.03936767578125, 12, (-.1064453125, .24505615234375, .1485595703125, -.1754150390625),
     (-.351806640625, .113037109375, -.0516357421875, .056884765625)))


def vectors():
    """Section 6, its numbers asserted."""
    for name, active, wanted in (
            ("a_point_order", {k: (k + 1, 0, 0) for k in range(9)}, [[195, 258, 133], [493, 618, 307], [409, 486, 223]]),
            ("b_bilinear", {4: (2, 0.25, -0.5)}, [[1.25, 2.25, 2.25], [12.5, 14.5, 12], [32.5, 34.5, 27]]),
            ("b_exactly_minus_one", {4: (1, -1, 0)}, [[0, 1, 2], [0, 11, 12], [0, 21, 22]])):
        value, offset = nine_points(active)
        expect(dcnv4(value, offset, 1, 1, **BASE)[0, :, :, 0], wanted, 0)
        yield node("dcnv4_" + name, value, offset, 1, 1)
    for name, options, extents, batch, total, pixel, values, last in VARIANTS:
        value, offset = general(batch, *extents, options.get("remove_center", 0))
        out = dcnv4(value, offset, 2, 2, **{**BASE, **options}).reshape(-1, 4)
        expect(out.sum(), total, 0)
        expect(out[pixel], values, 0)
        expect(out[-1], last, 0)
        yield node("dcnv4_" + name, value, offset, 2, 2, **options)
    value, offset = general()
    expect(dcnv4(value, offset, 2, 2, **BASE).reshape(-1, 4), [[float(v) for v in row.split()] for row in C_ROWS.split("\n")], 0)


def fused():
    """Value and offset in one tensor, a row stride of 60."""
    for batch in (1, 2):
        value, offset = general(batch)
        both = np.concatenate([value, offset], axis=3)
        out = dcnv4_fused(both, 2, 2, **BASE)
        expect(out, dcnv4(value, offset, 2, 2, **BASE), 0)
        for kind in ("f32", "f16", "bf16") if batch == 2 else ("f32",):
            stored = Stored(kind, both)
            out = dcnv4_fused(stored.exact, 2, 2, **BASE)
            yield case(f"deform/dcnv4_fused_batch_{batch}_{kind}", "DCNv4FuseOffset_Plugin", [stored], [f32(out) if kind == "f32" else rounded(kind, out)],
                       domain="custom_op", attributes=attributes_of(2, 2))
    value, offset = dyadic(31, (1, 4, 5, 15), -2, 2, 16), dyadic(32, (1, 4, 5, 80), -1, 1, 16)  # G 3 of 5 channels, K 8: 72 used
    both = np.concatenate([value, offset], axis=3)
    yield case("deform/dcnv4_fused_softmax_odd_channels", "DCNv4FuseOffset_Plugin", [f32(both)],
               [f32(dcnv4_fused(both, 3, 5, softmax=1, **{**BASE, "remove_center": 1}))], domain="custom_op",
               attributes=attributes_of(3, 5, 1, remove_center=1))
    yield case("deform/dcnv4_fused_no_domain", "DCNv4FuseOffset_Plugin", [f32(both)], [f32(dcnv4_fused(both, 3, 5, **{**BASE, "remove_center": 1}))],
               attributes={**attributes_of(3, 5, remove_center=1), "plugin_version": "1", "plugin_namespace": ""})


def edges():
    value, offset = nine_points({k: (1 + k / 4, 0, 0) for k in range(9)})
    special = offset.copy()
    for place, (dx, dy) in enumerate(((np.nan, 0), (0, np.nan), (np.inf, 0), (0, -np.inf), (1e30, 1e30), (-1e9, 0), (0, 3e9))):
        special[0, place // 3, place % 3, 0:18:2], special[0, place // 3, place % 3, 1:18:2] = dx, dy
    yield node("dcnv4_coordinates_not_numbers", value, special, 1, 1)
    border = offset.copy()  # every point of every pixel at exactly -1, H or a hair inside
    for place, (dx, dy) in enumerate(((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (1, 1), (-1 + 2.0**-10, 0), (1 - 2.0**-10, 0), (0, -1 + 2.0**-10))):
        border[0, place // 3, place % 3, 0:18:2], border[0, place // 3, place % 3, 1:18:2] = dx, dy
    yield node("dcnv4_points_on_the_border", value, border, 1, 1)
    value, offset = general()
    yield node("dcnv4_no_domain", value, offset, 2, 2, domain="", extra=dict(plugin_version="1", plugin_namespace=""))
    yield node("dcnv4_softmax", value, offset, 2, 2, softmax=1)
    yield node("dcnv4_softmax_large_logits", value, offset * 200, 2, 2, softmax=1)
    for kind in ("f16", "bf16"):
        for variant, options, extents, batch, *_ in (VARIANTS[0], VARIANTS[1], VARIANTS[2], VARIANTS[6]):
            v, o = general(batch, *extents, options.get("remove_center", 0))
            yield node(f"dcnv4_{kind}_{variant}", v, o, 2, 2, kind, **options)
    # f16 coordinates beyond 32 have steps of 1/32: 55.99 must not become 56
    wide = dyadic(1, (1, 2, 56, 2), -2, 2, 16)
    far = np.full((1, 2, 56, 32), 0.0)
    far[..., :18:2], far[..., 18:27] = 63 / 64, 0.25
    yield node("dcnv4_f16_wide_row", wide, far, 1, 2, "f16")
    # odd extents, channels and groups; other kernels; a flat image; nothing but padding
    for name, shape, g, d, options in (
            ("odd_channels", (2, 5, 7), 3, 5, {}), ("one_channel_groups", (1, 4, 4), 7, 1, {}), ("depth_16", (1, 5, 6), 4, 16, {}),
            ("depth_24", (1, 3, 3), 2, 24, dict(remove_center=1)), ("kernel_1x1", (1, 4, 3), 2, 4, dict(kernel=(1, 1), pad=(0, 0))),
            ("kernel_3x5", (1, 6, 7), 2, 3, dict(kernel=(3, 5), pad=(1, 2))), ("kernel_2x4", (1, 6, 7), 2, 3, dict(kernel=(2, 4), pad=(1, 1))),
            ("kernel_4x2_remove_center", (1, 6, 5), 2, 4, dict(kernel=(4, 2), pad=(2, 1), remove_center=1)),
            ("kernel_5x5_remove_center", (1, 6, 6), 1, 8, dict(kernel=(5, 5), pad=(2, 2), remove_center=1)),
            ("stride_2x1_dilation_1x2", (2, 7, 6), 2, 4, dict(stride=(2, 1), dilation=(1, 2), pad=(1, 2))),
            ("stride_3_batch_3", (3, 8, 8), 2, 8, dict(stride=(3, 3))), ("one_pixel", (1, 1, 1), 2, 4, {}), ("one_row", (2, 1, 9), 2, 4, {}),
            ("scale_quarter", (1, 5, 5), 2, 4, dict(offscale=0.25)), ("no_padding", (1, 5, 6), 2, 4, dict(pad=(0, 0))),
            ("straddles_batch", (4, 3, 4), 2, 8, {})):
        o = {**BASE, **options}
        used = 3 * (o["kernel"][0] * o["kernel"][1] - o["remove_center"]) * g
        out = [(e + 2 * p - (dil * (k - 1) + 1)) // s + 1 for e, p, dil, k, s in zip(shape[1:], o["pad"], o["dilation"], o["kernel"], o["stride"])]
        seed = sum(map(ord, name))
        offset = np.full((shape[0], *out, padded_channels(used)), IGNORED)
        offset[..., :used] = dyadic(seed + 1, (*offset.shape[:3], used), -2, 2, 32)
        yield node("dcnv4_" + name, dyadic(seed, (*shape, g * d), -2, 2, 32), offset, g, d, **options)
    # offset tensors may have exactly 3KG channels, and two sizes run with one model
    sets = []
    for k, (batch, h, w) in enumerate(((1, 3, 4), (2, 5, 3), (3, 1, 2))):
        v, o = dyadic(70 + k, (batch, h, w, 8), -1, 1, 32), dyadic(80 + k, (batch, h, w, 54), -1, 1, 32)
        sets.append(([f32(v), f32(o)], [f32(dcnv4(v, o, 2, 4, **BASE))]))
    yield Case("deform/dcnv4_dynamic_sizes", "DCNv4_Plugin", sets, domain="custom_op", attributes=attributes_of(2, 4))
    v, o = general()
    minimal = dict(group=2, group_channels=2)  # all else by default
    yield case("deform/dcnv4_default_attributes", "DCNv4_Plugin", [f32(v), f32(o)], [f32(dcnv4(v, o, 2, 2, **BASE))], domain="custom_op", attributes=minimal)


def cases():
    yield from vectors()
    yield from fused()
    yield from edges()
    yield from deform_conv.cases()
