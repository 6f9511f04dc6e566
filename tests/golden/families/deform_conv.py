# SPDX-License-Identifier: Apache-2.0
"""Deformable convolution under its five names."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, rounded
from reference.deform import deform_conv, output_extent

GRID9 = np.arange(1.0, 10).reshape(1, 1, 3, 3)
DIAGONAL = np.array([[[[1.0, 0], [0, 1]]]])


def onnx_attributes(stride=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), group=1, offset_group=1, kernel=None):
    named = dict(strides=list(stride), pads=list(pads), dilations=list(dilation), group=group, offset_group=offset_group)
    return named if kernel is None else {**named, "kernel_shape": list(kernel)}


def offsets(n, taps, rows, columns, **moved):
    """Zero but for moved taps: y3=1.5 moves tap 3 by 1.5 in y."""
    out = np.zeros((n, 2 * taps, rows, columns))
    for name, value in moved.items():
        out[:, 2 * int(name[1:]) + (name[0] == "x")] = value
    return out


def vectors():
    """mmcv_ops.md, sections 5 and 6."""
    x = np.array([[[[1.0, 2, 3], [0, 1, 2], [3, 5, 2]]]])
    offset = np.zeros((1, 8, 2, 2))
    # The source gives the offsets at (0, 0) only; at the other three places every tap is moved out of the image.
    offset[0, :, 0, 0] = [1.7, 1.1, 3.1, 2.0, 1.6, 2.5, 1.7, 1.7]
    offset[0, :, [0, 1, 1], [1, 0, 1]] = 5
    weight = np.array([[[[.4, .2], [.1, .9]]]])
    expect(deform_conv(x, weight, offset), [[[[1.65, 0], [0, 0]]]], 1e-9)
    yield case("deform/mmcv_deform_conv_test_of_mmcv", "MMCVDeformConv2d", [f32(x), f32(offset), f32(weight)],
               [f32(deform_conv(x, f32(weight).exact, f32(offset).exact))], domain="mmcv", attributes=dict(stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1, deform_groups=1))
    for name, moved, wanted in (("zero_offsets", {}, [[6, 8], [12, 14]]), ("half_offsets", dict(y0=0.5, x3=-0.5), [[7, 9], [13, 15]]),
                                ("fades_out", dict(y3=1.5), [[5, 6.5], [4, 5]])):
        offset = offsets(1, 4, 2, 2, **moved)
        expect(deform_conv(GRID9, DIAGONAL, offset), [[wanted]], 0)
        out = [f32([[wanted]])]
        yield case(f"deform/mmcv_deform_conv_{name}", "MMCVDeformConv2d", [f32(GRID9), f32(offset), f32(DIAGONAL)], out, domain="mmdeploy",
                   attributes=dict(stride=[1], padding=[0], dilation=[1], group=1, deformable_group=1, im2col_step=32, bias=0))
        yield case(f"deform/deform_conv_{name}", "DeformConv", [f32(GRID9), f32(DIAGONAL), f32(offset)], out, opset=19, attributes=onnx_attributes())
    offset = offsets(1, 4, 4, 1)
    strided = deform_conv(GRID9, DIAGONAL, offset, stride=(1, 2), pads=(1, 0, 1, 0))
    expect(strided, [[[[2], [6], [12], [7]]]], 0)
    yield case("deform/mmcv_deform_conv_stride_1_2_pad_1_0", "MMCVDeformConv2d", [f32(GRID9), f32(offset), f32(DIAGONAL)], [f32(strided)], domain="mmcv",
               attributes=dict(stride=[1, 2], padding=[1, 0], dilation=[1, 1]))
    yield case("deform/mmcv_deform_conv_four_paddings", "MMCVDeformConv2d", [f32(GRID9), f32(offset), f32(DIAGONAL)], [f32(strided)], domain="mmdeploy",
               attributes=dict(stride=[1, 2], padding=[1, 1, 0, 0], dilation=[1, 1]))  # mmdeploy: top, bottom, left, right
    offset, mask = offsets(1, 4, 2, 2, y0=0.5, x3=-0.5), np.ones((1, 4, 2, 2))
    mask[:, 3] = 0.25
    out = deform_conv(GRID9, DIAGONAL, offset, np.array([0.5]), mask)
    expect(out, [[[[4.125, 5.375], [7.875, 9.125]]]], 0)
    yield case("deform/mmcv_modulated_quarter_mask", "MMCVModulatedDeformConv2d", [f32(GRID9), f32(offset), f32(mask), f32(DIAGONAL), f32([0.5])], [f32(out)],
               domain="mmcv", attributes=dict(stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1, deform_groups=1))
    x = np.tile(np.array([1.0, 2, 3]), 3).reshape(1, 1, 3, 3)
    out = deform_conv(x, np.ones((1, 1, 2, 2)), np.zeros((1, 8, 4, 4)), None, np.full((1, 4, 4, 4), 0.5), pads=(1, 1, 1, 1))
    expect(out, [[[[.5, 1.5, 2.5, 1.5], [1, 3, 5, 3], [1, 3, 5, 3], [.5, 1.5, 2.5, 1.5]]]], 0)
    yield case("deform/mmcv_modulated_half_mask", "MMCVModulatedDeformConv2d",
               [f32(x), f32(np.zeros((1, 8, 4, 4))), f32(np.full((1, 4, 4, 4), 0.5)), f32(np.ones((1, 1, 2, 2)))], [f32(out)], domain="mmdeploy",
               attributes=dict(stride=[1, 1], padding=[1, 1], dilation=[1, 1], groups=1, deform_groups=1))


# name, x, out channels, kernel, stride, pads, dilation, group, offset group, mask, bias
SHAPES = (
    ("plain", (1, 3, 5, 6), 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1, 1, True, True),
    ("groups", (2, 6, 5, 5), 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 2, 3, True, True),
    ("odd_channels", (1, 5, 4, 7), 3, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1, 5, True, False),
    ("stride_2_1", (3, 4, 7, 5), 2, (3, 2), (2, 1), (1, 0, 1, 0), (1, 1), 1, 2, True, True),
    ("dilation_2_3", (1, 4, 9, 9), 4, (3, 3), (1, 2), (2, 3, 2, 3), (2, 3), 4, 1, False, True),
    ("kernel_1", (2, 4, 3, 5), 6, (1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 2, 2, True, True),
    ("one_pixel", (1, 2, 1, 1), 2, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1, 1, True, False),
    ("depthwise", (1, 4, 6, 6), 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 4, 4, False, False))


def random_inputs(name, shape, out_channels, kernel, stride, pads, dilation, group, offset_group, with_mask, with_bias):
    rows = output_extent(shape[2], pads[0], pads[2], dilation[0], kernel[0], stride[0])
    columns = output_extent(shape[3], pads[1], pads[3], dilation[1], kernel[1], stride[1])
    taps, seed = offset_group * kernel[0] * kernel[1], sum(map(ord, name))
    x, weight = dyadic(seed, shape, -2, 2), dyadic(seed + 1, (out_channels, shape[1] // group, *kernel), -1, 1)
    offset = dyadic(seed + 2, (shape[0], 2 * taps, rows, columns), -2, 2)
    mask = dyadic(seed + 3, (shape[0], taps, rows, columns), 0, 1) if with_mask else None
    bias = dyadic(seed + 4, (out_channels,), -1, 1) if with_bias else None
    return x, weight, offset, bias, mask


def maybe(values, kind="f32"):
    return None if values is None else Stored(kind, values)


def trimmed(inputs):
    while inputs and inputs[-1] is None:
        inputs = inputs[:-1]
    return inputs


def every_name():
    for row in SHAPES:
        name, shape, out_channels, kernel, stride, pads, dilation, group, offset_group, _, _ = row
        x, weight, offset, bias, mask = random_inputs(*row)
        options = dict(stride=stride, pads=pads, dilation=dilation, group=group, offset_group=offset_group)
        out = [f32(deform_conv(x, weight, offset, bias, mask, **options))]
        named = onnx_attributes(**options)
        for opset in (19, 22):
            yield case(f"deform/deform_conv_{opset}_{name}", "DeformConv", trimmed([f32(x), f32(weight), f32(offset), maybe(bias), maybe(mask)]), out, opset=opset,
                       attributes={**named, "kernel_shape": list(kernel)} if opset == 22 else named)
        per_axis = dict(stride=list(stride), padding=list(pads[:2]), dilation=list(dilation), groups=group, deform_groups=offset_group)
        if mask is not None:
            yield case(f"deform/mmcv_modulated_{name}", "MMCVModulatedDeformConv2d", trimmed([f32(x), f32(offset), f32(mask), f32(weight), maybe(bias)]), out,
                       domain="mmcv", attributes=per_axis)
        plain = [f32(deform_conv(x, weight, offset, None, None, **options))]
        yield case(f"deform/mmcv_deform_conv_{name}", "MMCVDeformConv2d", [f32(x), f32(offset), f32(weight)], plain, domain="mmcv", attributes={**per_axis, "im2col_step": 32})
        zero = np.zeros(out_channels) if bias is None else bias
        filler = mask if mask is not None else np.zeros((shape[0], 0, 0, 0))
        torch = dict(zip(("stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w"), (*stride, *pads[:2], *dilation)))
        yield case(f"deform/torchvision_{name}", "deform_conv2d", [f32(x), f32(weight), f32(offset), f32(filler), f32(zero)], out, domain="torchvision",
                   attributes={**torch, "groups": group, "offset_groups": offset_group, "use_mask": int(mask is not None)})


def edges():
    row = ("pads_four_ways", (1, 2, 5, 6), 2, (3, 3), (2, 1), (2, 0, 1, 3), (1, 1), 1, 1, True, True)
    x, weight, offset, bias, mask = random_inputs(*row)
    yield case("deform/deform_conv_pads_four_ways", "DeformConv", [f32(x), f32(weight), f32(offset), f32(bias), f32(mask)],
               [f32(deform_conv(x, weight, offset, bias, mask, stride=(2, 1), pads=(2, 0, 1, 3)))], opset=19, attributes=onnx_attributes((2, 1), (2, 0, 1, 3)))
    yield case("deform/deform_conv_mask_without_bias", "DeformConv", [f32(x), f32(weight), f32(offset), None, f32(mask)],
               [f32(deform_conv(x, weight, offset, None, mask, stride=(2, 1), pads=(2, 0, 1, 3)))], opset=22, attributes=onnx_attributes((2, 1), (2, 0, 1, 3)))
    offset = np.zeros((1, 2, 3, 3))
    for place, (dy, dx) in enumerate(((np.nan, 0), (0, np.nan), (np.inf, 0), (0, -np.inf), (-2, 0), (0, 1), (1e30, 0), (-1 - 1 / 64, 0), (0, 1 - 1 / 64))):
        offset[0, :, place // 3, place % 3] = dy, dx
    out = deform_conv(GRID9, np.array([[[[2.0]]]]), offset)
    yield case("deform/deform_conv_coordinates_not_numbers", "DeformConv", [f32(GRID9), f32([[[[2.0]]]]), f32(offset)], [f32(out)], opset=19, attributes=onnx_attributes())
    yield case("deform/mmcv_deform_conv_coordinates_not_numbers", "MMCVDeformConv2d", [f32(GRID9), f32(offset), f32([[[[2.0]]]])], [f32(out)], domain="mmcv",
               attributes=dict(stride=[1, 1], padding=[0, 0], dilation=[1, 1]))
    sets = []
    for k, (n, h, w) in enumerate(((1, 4, 5), (2, 6, 3), (33, 2, 2))):  # 33 images: not a multiple of im2col_step
        x, offset = dyadic(k, (n, 2, h, w), -1, 1), dyadic(k + 9, (n, 18, h, w), -2, 2)
        weight = dyadic(99, (3, 2, 3, 3), -1, 1)
        sets.append(([f32(x), f32(offset), f32(weight)], [f32(deform_conv(x, weight, offset, pads=(1, 1, 1, 1)))]))
    yield Case("deform/mmcv_deform_conv_dynamic_sizes", "MMCVDeformConv2d", sets, domain="mmcv", constants=(2,),
               attributes=dict(stride=[1, 1], padding=[1, 1], dilation=[1, 1], im2col_step=32))
    for kind in ("f16", "bf16"):
        x, weight, offset = Stored(kind, dyadic(5, (1, 2, 4, 4), -2, 2, 8)), Stored(kind, dyadic(6, (2, 2, 2, 2), -1, 1, 8)), Stored(kind, dyadic(7, (1, 8, 3, 3), -1, 1, 8))
        yield case(f"deform/deform_conv_{kind}", "DeformConv", [x, weight, offset], [rounded(kind, deform_conv(x.exact, weight.exact, offset.exact))],
                   opset=22, attributes=onnx_attributes())


def cases():
    yield from vectors()
    yield from every_name()
    yield from edges()
