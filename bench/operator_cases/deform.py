# SPDX-License-Identifier: Apache-2.0
"""Deformable operators on shapes of real networks."""
import numpy as np
import torchvision

from case import Case, one_node


def deform_conv(n, c, oc, h, w, groups):
    rng = np.random.default_rng(0)
    feeds = {"x": rng.standard_normal((n, c, h, w), np.float32),
             "weight": rng.standard_normal((oc, c, 3, 3), np.float32) / np.float32(c * 9) ** np.float32(0.5),
             "offset": rng.standard_normal((n, groups * 18, h, w), np.float32) * np.float32(2),
             "bias": rng.standard_normal(oc, np.float32),
             "mask": rng.random((n, groups * 9, h, w), np.float32)}
    model = one_node("DeformConv", feeds, constants=("weight", "bias"), pads=[1, 1, 1, 1], kernel_shape=[3, 3], offset_group=groups)
    return Case(f"DeformConv modulated {n}x{c}x{h}x{w} to {oc}, 3x3, {groups} offset groups", 4, "torchvision deform_conv2d", model, feeds,
                lambda f: torchvision.ops.deform_conv2d(f["x"], f["offset"], f["weight"], f["bias"], padding=1, mask=f["mask"]))


def cases():
    yield deform_conv(1, 128, 128, 100, 152, 1)
    yield deform_conv(1, 256, 256, 50, 76, 1)
    yield deform_conv(1, 256, 256, 50, 76, 4)
    yield deform_conv(1, 512, 512, 25, 38, 1)
