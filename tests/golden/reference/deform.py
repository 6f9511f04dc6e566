# SPDX-License-Identifier: Apache-2.0
"""Deformable sampling: DCNv4 and deformable convolution (with and without modulation)."""
import math

import numpy as np


def bilinear(image, y, x):
    """image [H, W, C] at a fractional pixel; zero outside. Nothing counts unless -1 < y < H and -1 < x < W (so NaN does not)."""
    height, width, channels = image.shape
    result = np.zeros(channels)
    if not (-1 < y < height and -1 < x < width):
        return result
    y0, x0 = math.floor(y), math.floor(x)
    for row, wy in ((y0, y0 + 1 - y), (y0 + 1, y - y0)):
        for column, wx in ((x0, x0 + 1 - x), (x0 + 1, x - x0)):
            if 0 <= row < height and 0 <= column < width:
                result += wy * wx * image[row, column]
    return result


def output_extent(extent, pad_begin, pad_end, dilation, kernel, stride):
    return (extent + pad_begin + pad_end - (dilation * (kernel - 1) + 1)) // stride + 1


def dcnv4(value, offset, group, group_channels, kernel=(3, 3), stride=(1, 1), pad=(1, 1), dilation=(1, 1), offscale=1.0,
          remove_center=0, softmax=0):
    """value [B, H, W, G*D], offset [B, Ho, Wo, P] -> [B, Ho, Wo, G*D].

    Per group of a pixel: K pairs (dx, dy), then K modulation scalars. Points are counted column by column (x outside,
    y inside), the removed centre has no slot. `offscale` stretches the kernel's grid and the offsets about its centre."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = kernel, stride, pad, dilation
    points = [(i, j) for i in range(kw) for j in range(kh) if not (remove_center and i == kw // 2 and j == kh // 2)]
    count = len(points)
    batch, height, width, channels = value.shape
    assert channels == group * group_channels and offset.shape[3] >= 3 * count * group
    rows, columns = output_extent(height, ph, ph, dh, kh, sh), output_extent(width, pw, pw, dw, kw, sw)
    assert offset.shape[:3] == (batch, rows, columns)
    hy, hx = dh * (kh - 1) // 2, dw * (kw - 1) // 2
    out = np.zeros((batch, rows, columns, channels))
    for b, yo, xo, g in np.ndindex(batch, rows, columns, group):
        mine = slice(g * group_channels, (g + 1) * group_channels)
        scalars = offset[b, yo, xo, g * 3 * count:(g + 1) * 3 * count]
        modulation = scalars[2 * count:]
        if softmax:
            modulation = np.exp(modulation - modulation.max())
            modulation = modulation / modulation.sum()
        for k, (i, j) in enumerate(points):
            x = xo * sw - pw + hx - offscale * hx + offscale * (i * dw + scalars[2 * k])
            y = yo * sh - ph + hy - offscale * hy + offscale * (j * dh + scalars[2 * k + 1])
            if -1 < y < height and -1 < x < width:
                out[b, yo, xo, mine] += modulation[k] * bilinear(value[b, :, :, mine], y, x)
    return out


def dcnv4_fused(value_and_offset, group, group_channels, **attributes):
    """One tensor [B, H, W, C + P]: channels 0..C-1 are the value, the rest the offsets of the same pixel."""
    channels = group * group_channels
    return dcnv4(value_and_offset[..., :channels], value_and_offset[..., channels:], group, group_channels, **attributes)


def deform_conv(x, weight, offset, bias=None, mask=None, stride=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), group=1, offset_group=1):
    """x [N, C, H, W], weight [O, C/group, kH, kW], offset [N, 2*offset_group*kH*kW, oH, oW] with y before x for each tap,
    mask [N, offset_group*kH*kW, oH, oW]; pads are top, left, bottom, right."""
    batch, channels, height, width = x.shape
    out_channels, per_group, kh, kw = weight.shape
    rows = output_extent(height, pads[0], pads[2], dilation[0], kh, stride[0])
    columns = output_extent(width, pads[1], pads[3], dilation[1], kw, stride[1])
    assert offset.shape == (batch, 2 * offset_group * kh * kw, rows, columns) and per_group * group == channels
    out = np.zeros((batch, out_channels, rows, columns))
    for n, yo, xo in np.ndindex(batch, rows, columns):
        taps = np.zeros((channels, kh, kw))
        for d, i, j in np.ndindex(offset_group, kh, kw):
            mine = slice(d * channels // offset_group, (d + 1) * channels // offset_group)
            t = d * kh * kw + i * kw + j
            y = yo * stride[0] - pads[0] + i * dilation[0] + offset[n, 2 * t, yo, xo]
            xx = xo * stride[1] - pads[1] + j * dilation[1] + offset[n, 2 * t + 1, yo, xo]
            taps[mine, i, j] = bilinear(np.moveaxis(x[n, mine], 0, 2), y, xx)
            if mask is not None:
                taps[mine, i, j] *= mask[n, t, yo, xo]
        for o in range(out_channels):
            g = o // (out_channels // group)
            out[n, o, yo, xo] = (weight[o] * taps[g * per_group:(g + 1) * per_group]).sum()
    return out if bias is None else out + bias[None, :, None, None]
