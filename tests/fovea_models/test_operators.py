# SPDX-License-Identifier: Apache-2.0
"""Operators and small parts against numbers worked out elsewhere, exact where the arithmetic is."""
import math
import unittest

import numpy as np
import torch

from fovea_models import detr_parts, mit, mtmi, weights
from fovea_models.dcnv4 import dcnv4_forward, offset_channels
from fovea_models.ms_deform_attn import ms_deform_attn
from fovea_models.seed import Rule, generate, stream_of


def run_dcnv4(value, offset, group, depth, kernel=3, stride=1, pad=1, dilation=1, scale=1.0, remove_center=0):
    return dcnv4_forward(value, offset, kernel, kernel, stride, stride, pad, pad, dilation, dilation, group, depth, scale, remove_center)


class Dcnv4(unittest.TestCase):
    """value[y,x] = 10y + x + 1 on 3x3; what lies behind the last group must not be read (1e4 there)."""

    def setUp(self):
        y, x = torch.meshgrid(torch.arange(3.0), torch.arange(3.0), indexing="ij")
        self.value = (10 * y + x + 1).view(1, 3, 3, 1)
        self.offset = torch.zeros(1, 3, 3, 32)
        self.offset[..., 27:] = 1e4

    def rows(self, expected):
        got = run_dcnv4(self.value, self.offset, 1, 1)
        self.assertEqual(got.view(3, 3).tolist(), expected)

    def test_points_are_counted_column_by_column(self):
        self.offset[..., 18:27] = torch.arange(1.0, 10.0)
        self.rows([[195, 258, 133], [493, 618, 307], [409, 486, 223]])

    def test_bilinear_x_first_zero_border(self):
        self.offset[..., 8], self.offset[..., 9], self.offset[..., 22] = 0.25, -0.5, 2
        self.rows([[1.25, 2.25, 2.25], [12.5, 14.5, 12.0], [32.5, 34.5, 27.0]])

    def test_sample_at_exactly_minus_one(self):
        self.offset[..., 8], self.offset[..., 22] = -1, 1
        self.rows([[0, 1, 2], [0, 11, 12], [0, 21, 22]])

    def test_nan_coordinates_are_skipped(self):
        self.offset[..., 8], self.offset[..., 22] = math.nan, 1
        self.rows([[0, 0, 0]] * 3)

    def test_padding_of_the_offset_channels(self):
        found = [offset_channels(9, g) for g in (4, 5, 7, 8, 10, 14, 16, 28, 32, 56)]
        self.assertEqual(found, [112, 136, 192, 216, 272, 384, 432, 760, 864, 1512])


# Variants of one general case: 3x4, two groups of two channels. Sum of all, first pixel, last pixel.
GENERAL = [
    ({}, -0.58349609375, (-0.4835205078125, 0.064697265625, 0.29833984375, -0.3935546875),
     (0.26611328125, 0.56787109375, -0.519775390625, 0.0802001953125)),
    ({"remove_center": 1}, -1.3895263671875, (-0.7528076171875, 0.35205078125, -0.03564453125, -0.332275390625),
     (0.0009765625, 0.193115234375, 0.1273193359375, 0.176025390625)),
    ({"stride": 2}, 1.69879150390625, (-0.4835205078125, 0.064697265625, 0.29833984375, -0.3935546875),
     (0.13299560546875, -0.33624267578125, 0.1734619140625, -0.01025390625)),
    ({"dilation": 2, "pad": 2, "scale": 0.5}, -2.1839599609375,
     (-0.535919189453125, 0.18511962890625, 0.3524169921875, -0.48828125),
     (0.4735107421875, 0.5093994140625, -0.45123291015625, 0.176544189453125)),
    ({"scale": 0.5}, -1.0299530029296875, (-0.449371337890625, 0.2103271484375, 0.3446044921875, -0.30157470703125),
     (-0.07330322265625, 0.45013427734375, -0.2596435546875, 0.015655517578125)),
    ({"scale": 2.0}, 0.112548828125, (-0.21533203125, 0.185546875, 0.013671875, -0.134765625),
     (0.5947265625, -0.3671875, -0.3857421875, 0.06396484375)),
]  # fmt: skip


class Dcnv4General(unittest.TestCase):
    def inputs(self, batch, rows, columns, points):
        b, y, x, c = np.ogrid[:batch, :3, :4, :4]
        value = ((7 * y + 3 * x + 5 * c + 2 * b) % 11) / 4 - 1
        used, channels = 3 * points * 2, offset_channels(points, 2)
        b, q, t = np.ogrid[:batch, : rows * columns, :channels]
        offset = np.where(t < used, ((5 * q + 3 * t + b) % 17) / 16 - 0.5, 1e4)
        return torch.tensor(value).float(), torch.tensor(offset).float().view(batch, rows, columns, channels)

    def test_variants(self):
        for options, total, first, last in GENERAL:
            with self.subTest(options):
                out = (2, 2) if options.get("stride") == 2 else (3, 4)
                value, offset = self.inputs(1, *out, 9 - options.get("remove_center", 0))
                got = run_dcnv4(value, offset, 2, 2, **options)
                self.assertEqual(got.double().sum().item(), total)
                self.assertEqual(got[0, 0, 0].tolist(), list(first))
                self.assertEqual(got[0, -1, -1].tolist(), list(last))

    def test_two_images(self):
        got = run_dcnv4(*self.inputs(2, 3, 4, 9), 2, 2)
        self.assertEqual(got.double().sum().item(), -1.03936767578125)
        self.assertEqual(got[1, 0, 0].tolist(), [-0.1064453125, 0.24505615234375, 0.1485595703125, -0.1754150390625])
        self.assertEqual(got[1, 2, 3].tolist(), [-0.351806640625, 0.113037109375, -0.0516357421875, 0.056884765625])


class DetrParts(unittest.TestCase):
    def near(self, got, expected, places=5):
        for a, b in zip(got.flatten().tolist(), expected, strict=True):
            self.assertAlmostEqual(a, b, places)

    def test_image_encoding(self):
        e = detr_parts.image_encoding(torch.zeros(1, 25, 25, dtype=torch.bool), 20, 20)[0, :, 0, 24]
        self.near(e[:4], (0.248690, 0.968583, 0.237542, 0.971377))
        self.near(e[126:132], (0.013168, 0.999913, 0, 1, -0.283391, 0.959004))
        self.near(e[254:], (0.323299, 0.946297))

    def test_anchor_encoding(self):
        e = detr_parts.anchor_encoding(torch.tensor([0.5, 0.25, 0.2, 0.1]))
        self.near(e[:4], (1, 0, 0.977918, 0.208991))
        self.near(e[126:132], (0.000181, 1, 0, -1, 0.408751, -0.912646))
        self.near(torch.cat((e[256:258], e[384:386], e[511:])), (0.951057, 0.309017, 0.587785, 0.809017, 1))

    def test_inverse_sigmoid(self):
        self.near(detr_parts.inverse_sigmoid(torch.tensor([0, 0.1, 1])), (-6.907755, -2.197225, 6.907755))

    def test_feature_mask_is_nearest(self):
        mask = torch.zeros(1, 7, 5, dtype=torch.bool)
        mask[:, 4:], mask[:, :, 3:] = True, True
        got = detr_parts.feature_mask(mask, torch.zeros(1, 1, 3, 2))[0]  # rows 0, 2, 4; columns 0, 2
        self.assertEqual(got.tolist(), [[False, False], [False, False], [True, True]])

    def test_multi_scale_deformable_attention(self):
        value = torch.tensor([1.0, 2, 3, 4, 10]).view(1, 5, 1, 1)
        places = torch.tensor([[0.5, 0.5], [0.25, 0.25], [0.5, 0.5], [0.9, 0.5]]).view(1, 1, 1, 2, 2, 2)
        share = torch.tensor([0.4, 0.1, 0.3, 0.2]).view(1, 1, 1, 2, 2)
        self.near(ms_deform_attn(value, torch.tensor([[2, 2], [1, 1]]), places, share), (5.3,))


class SegmentationHeads(unittest.TestCase):
    @torch.no_grad()
    def test_the_official_head_becomes_a_slim_one(self):
        official = mtmi.OfficialHead(mit.SIZES["b0"].widths).eval()
        weights.fill(official, 3)
        slim = mtmi.slim_from_official(official)
        slim.resize4.steps = [8.0]  # as the official head does it; x4 then x2 blurs differently
        generator = torch.Generator().manual_seed(0)
        maps = [torch.randn(1, c, 32 >> i, 48 >> i, generator=generator) for i, c in enumerate(mit.SIZES["b0"].widths)]
        expected, got = official(*maps), slim(*maps)
        self.assertLess(((got - expected).abs().max() / expected.abs().max()).item(), 2e-6)


class SeedRule(unittest.TestCase):
    """The numbers are also in tests/onnx/seed_test.cpp: both sides must give these bits."""

    def test_bits(self):
        got = generate(0, Rule(stream_of("conv.weight"), 0.0, 0.25), (2, 3))
        self.assertEqual([f"{v:08x}" for v in got.view(np.uint32).flatten()], SEED_BITS)
        moved = generate(2**64 - 1, Rule(1, 1.0, 0.1), (4,))
        self.assertEqual([f"{v:08x}" for v in moved.view(np.uint32)], MOVED_BITS)

    def test_spread(self):
        got = generate(7, Rule(5, 0.5, 2.0), (1 << 16,)).astype(np.float64)
        self.assertTrue(-1.5 <= got.min() < -1.499 and 2.499 < got.max() < 2.5)
        self.assertAlmostEqual(got.mean(), 0.5, delta=5 * 2 / math.sqrt(3) / 256)  # five standard errors


SEED_BITS = ["3d9c19d8", "be478546", "bd49e148", "3de5054c", "3e79c62e", "bddfdb50"]
MOVED_BITS = ["3f76ce18", "3f7c98f6", "3f6d82e4", "3f709f4a"]

if __name__ == "__main__":
    unittest.main()
