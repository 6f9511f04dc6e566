# SPDX-License-Identifier: Apache-2.0
"""Deformable operators on shapes of real networks."""
import numpy as np
import torch
import torchvision

from case import Case, one_node


def deform_conv(n, c, oc, h, w, groups, modulated=True):
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((n, c, h, w), np.float32),
             "weight": rng.standard_normal((oc, c, 3, 3), np.float32) / np.float32(c * 9) ** np.float32(0.5),
             "offset": rng.standard_normal((n, groups * 18, h, w), np.float32) * np.float32(2),
             "bias": rng.standard_normal(oc, np.float32)}
    if modulated:
        feeds["mask"] = rng.random((n, groups * 9, h, w), np.float32)
    model = one_node("DeformConv", feeds, constants=("weight", "bias"), pads=[1, 1, 1, 1], kernel_shape=[3, 3], offset_group=groups)
    kind = "modulated " if modulated else ""
    return Case(f"DeformConv {kind}{n}x{c}x{h}x{w} to {oc}, 3x3, {groups} offset groups", 4, "torchvision deform_conv2d", model, feeds,
                lambda f: torchvision.ops.deform_conv2d(f["x"], f["offset"], f["weight"], f["bias"], padding=1, mask=f.get("mask")))


def dcnv4_of_grid_sample(value, offset, group):
    """DCNv4, 3x3, as a PyTorch user composes it: the points of all groups as one grid for grid_sample."""
    n, h, w, c = value.shape
    numbers = offset[..., :group * 27].reshape(n, h * w, group, 27)
    factors = numbers[..., 18:].permute(0, 2, 1, 3)                                          # n, g, pixels, k
    moved = numbers[..., :18].reshape(n, h * w, group, 9, 2).permute(0, 2, 1, 3, 4)
    x, y = torch.meshgrid(torch.arange(3.) - 1, torch.arange(3.) - 1, indexing="ij")         # column by column
    window = torch.stack((x, y), -1).reshape(9, 2)
    row, column = torch.meshgrid(torch.arange(float(h)), torch.arange(float(w)), indexing="ij")
    places = torch.stack((column, row), -1).reshape(h * w, 1, 2) + window + moved
    grid = (2 * places + 1) / torch.tensor([float(w), float(h)]) - 1
    planes = value.reshape(n, h, w, group, c // group).permute(0, 3, 4, 1, 2).reshape(n * group, c // group, h, w)
    samples = torch.nn.functional.grid_sample(planes, grid.reshape(n * group, h * w, 9, 2), align_corners=False)
    sums = (samples * factors.reshape(n * group, 1, h * w, 9)).sum(-1)                       # n*g, d, pixels
    return sums.reshape(n, c, h, w).permute(0, 2, 3, 1)


def dcnv4(n, side, group, unsliced=False):
    rng = np.random.default_rng(0)
    channels, padded = group * 16, (group * 27 + 7) // 8 * 8
    value = rng.standard_normal((n, side, side, channels), np.float32)
    offset = rng.standard_normal((n, side, side, padded), np.float32)
    both = np.concatenate((value, offset), -1)
    op = "DCNv4FuseOffset_Plugin" if unsliced else "DCNv4_Plugin"
    feeds = {"both": both} if unsliced else {"value": value, "offset": offset}
    model = one_node(op, feeds, domain="custom_op", group=group, group_channels=16)

    def peer(f):
        if unsliced:
            return dcnv4_of_grid_sample(f["both"][..., :channels], f["both"][..., channels:], group)
        return dcnv4_of_grid_sample(f["value"], f["offset"], group)
    return Case(f"DCNv4{' not sliced' if unsliced else ''} {n}x{side}x{side}x{channels}, {group} groups", 5, "PyTorch grid_sample", model, feeds, peer)


def cases():
    yield deform_conv(1, 128, 128, 100, 152, 1)
    yield deform_conv(1, 128, 128, 100, 152, 4)
    yield deform_conv(1, 256, 256, 50, 76, 1)
    yield deform_conv(1, 256, 256, 50, 76, 4)
    yield deform_conv(1, 256, 256, 50, 76, 1, modulated=False)
    yield deform_conv(1, 512, 512, 25, 38, 1)
    yield deform_conv(8, 256, 256, 50, 76, 1)
    yield deform_conv(8, 512, 512, 25, 38, 1)
    for batch in (1, 8):
        for side, group in ((56, 4), (28, 8), (14, 16), (7, 32)):
            yield dcnv4(batch, side, group)
    yield dcnv4(1, 56, 4, unsliced=True)
