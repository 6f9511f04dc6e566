# SPDX-License-Identifier: Apache-2.0
"""Every network: number of parameters, and the names and shapes that official checkpoints have."""
import unittest

import torch

from fovea_models import mit, mtmi
from fovea_models.export import parser
from fovea_models.networks import NETWORKS

# trainable parameters (shared ones once), state-dict entries
TOTALS = {
    "flash_intern_image_t": (29_815_528, 393),
    "flash_intern_image_s": (50_067_496, 553),
    "flash_intern_image_b": (97_448_960, 553),
    "flash_intern_image_l": (223_297_080, 691),
    "yolov5n": (1_872_157, 349),
    "yolov5s": (7_235_389, 349),
    "yolov5m": (21_190_557, 481),
    "mtmi": (3_319_392 + 1_444_161 + 202_771, 208),
    "mtmi_b1": (19_259_220, 208),
    "mtmi_b2": (30_304_084, 364),
    "dab_detr_r50": (43_671_517, 590),
    "dab_detr_r50_3pat": (43_671_517 + 3 * 256, 591),
    "dab_detr_r50_dc5": (43_671_517, 590),
    "dab_detr_r50_dc5_fixxy": (43_671_517, 590),
    "dab_detr_r50_dc5_3pat": (43_671_517 + 3 * 256, 591),
    "dab_deformable_detr_r50": (47_405_994, 604),
}


def make(name, *options):
    with torch.device("meta"):
        return NETWORKS[name].make(parser().parse_args([name, "--seed", "0", "-o", "x", *options]))


def parameters(module):
    return sum({id(p): p.numel() for p in module.parameters()}.values())


def shapes(module):
    return {k: list(v.shape) for k, v in module.state_dict().items()}


def affine(name, channels):
    return {f"{name}.weight": [channels], f"{name}.bias": [channels]}


def linear(name, c_in, c_out, bias=True):
    return {f"{name}.weight": [c_out, c_in]} | ({f"{name}.bias": [c_out]} if bias else {})


def flash_keys(channels, depths, offsets, post_norm, biased):
    keys = {"patch_embed.conv1.weight": [channels // 2, 3, 3, 3], "patch_embed.conv1.bias": [channels // 2]}
    keys |= affine("patch_embed.norm1.1", channels // 2) | affine("patch_embed.norm2.1", channels)
    keys |= {"patch_embed.conv2.weight": [channels, channels // 2, 3, 3], "patch_embed.conv2.bias": [channels]}
    for level, depth in enumerate(depths):
        c, top = channels << level, f"levels.{level}."
        for b in range(depth):
            p = f"{top}blocks.{b}."
            keys |= affine(p + "norm1.0", c) | affine(p + "norm2.0", c)
            keys |= linear(p + "dcn.offset_mask", c, offsets[level]) | linear(p + "dcn.value_proj", c, c)
            keys |= linear(p + "dcn.output_proj", c, c, biased)
            keys |= linear(p + "mlp.fc1", c, 4 * c) | linear(p + "mlp.fc2", 4 * c, c, biased)
            if post_norm:
                keys |= {p + "gamma1": [c], p + "gamma2": [c]}
                keys |= {p + "dcn.offset_mask_dw.weight": [c, 1, 3, 3], p + "dcn.offset_mask_dw.bias": [c]}
        if not post_norm:
            keys |= affine(top + "norm.0", c)
        if level < 3:
            keys |= {top + "downsample.conv.weight": [2 * c, c, 3, 3]} | affine(top + "downsample.norm.1", 2 * c)
    head = 12 * channels
    keys |= {"conv_head.0.weight": [head, 8 * channels, 1, 1]} | affine("conv_head.1.0", head)
    keys |= {"conv_head.1.0.running_mean": [head], "conv_head.1.0.running_var": [head], "conv_head.1.0.num_batches_tracked": []}
    return keys | linear("head", head, 1000)


def mit_keys(widths, depths):
    keys, previous = {}, 3
    for s, (c, depth, sr) in enumerate(zip(widths, depths, (8, 4, 2, 1)), 1):
        k = 7 if s == 1 else 3
        keys |= {f"patch_embed{s}.proj.weight": [c, previous, k, k], f"patch_embed{s}.proj.bias": [c]}
        keys |= affine(f"patch_embed{s}.norm", c) | affine(f"norm{s}", c)
        for j in range(depth):
            p = f"block{s}.{j}."
            keys |= affine(p + "norm1", c) | affine(p + "norm2", c)
            keys |= linear(p + "attn.q", c, c) | linear(p + "attn.kv", c, 2 * c) | linear(p + "attn.proj", c, c)
            if sr > 1:
                keys |= {p + "attn.sr.weight": [c, c, sr, sr], p + "attn.sr.bias": [c]} | affine(p + "attn.norm", c)
            keys |= linear(p + "mlp.fc1", c, 4 * c) | linear(p + "mlp.fc2", 4 * c, c)
            keys |= {p + "mlp.dwconv.dwconv.weight": [4 * c, 1, 3, 3], p + "mlp.dwconv.dwconv.bias": [4 * c]}
        previous = c
    return keys


def mlp(name, *sizes):
    return {k: v for i, (a, b) in enumerate(zip(sizes, sizes[1:])) for k, v in linear(f"{name}.layers.{i}", a, b).items()}


def resnet_keys():
    def conv(name, norm, c_out, c_in, k):
        return {f"{p}{name}.weight": [c_out, c_in, k, k]} | {
            f"{p}{norm}.{leaf}": [c_out] for leaf in ("weight", "bias", "running_mean", "running_var")
        }

    p = "backbone.0.body."
    keys, c_in = conv("conv1", "bn1", 64, 3, 7), 64
    for stage, depth in enumerate((3, 4, 6, 3), 1):
        w = 32 << stage
        for i in range(depth):
            p = f"backbone.0.body.layer{stage}.{i}."
            keys |= conv("conv1", "bn1", w, c_in, 1) | conv("conv2", "bn2", w, w, 3) | conv("conv3", "bn3", 4 * w, w, 1)
            if i == 0:
                keys |= conv("downsample.0", "downsample.1", 4 * w, c_in, 1)
            c_in = 4 * w
    return keys


def dab_keys():
    keys = resnet_keys() | {"input_proj.weight": [256, 2048, 1, 1], "input_proj.bias": [256]}
    keys |= mlp("transformer.encoder.query_scale", 256, 256, 256)
    for i in range(6):
        p = f"transformer.encoder.layers.{i}."
        keys |= {p + "self_attn.in_proj_weight": [768, 256], p + "self_attn.in_proj_bias": [768], p + "activation.weight": [1]}
        keys |= linear(p + "self_attn.out_proj", 256, 256) | linear(p + "linear1", 256, 2048) | linear(p + "linear2", 2048, 256)
        keys |= affine(p + "norm1", 256) | affine(p + "norm2", 256)
        p = f"transformer.decoder.layers.{i}."
        names = ["sa_qcontent", "sa_qpos", "sa_kcontent", "sa_kpos", "sa_v", "ca_qcontent", "ca_kcontent", "ca_kpos", "ca_v",
                 "ca_qpos_sine"] + (["ca_qpos"] if i == 0 else [])  # fmt: skip
        for name in [n + "_proj" for n in names] + ["self_attn.out_proj", "cross_attn.out_proj"]:
            keys |= linear(p + name, 256, 256)
        keys |= linear(p + "linear1", 256, 2048) | linear(p + "linear2", 2048, 256) | {p + "activation.weight": [1]}
        keys |= affine(p + "norm1", 256) | affine(p + "norm2", 256) | affine(p + "norm3", 256)
    d = "transformer.decoder."
    keys |= affine(d + "norm", 256) | mlp(d + "query_scale", 256, 256, 256) | mlp(d + "ref_point_head", 512, 256, 256)
    keys |= mlp(d + "ref_anchor_head", 256, 256, 2) | mlp("bbox_embed", 256, 256, 256, 4) | mlp(d + "bbox_embed", 256, 256, 256, 4)
    return keys | linear("class_embed", 256, 91) | {"refpoint_embed.weight": [300, 4]}


class Totals(unittest.TestCase):
    def test_every_network(self):
        self.assertEqual(sorted(TOTALS), sorted(NETWORKS))
        for name, expected in TOTALS.items():
            with self.subTest(name):
                network = make(name)
                self.assertEqual((parameters(network), len(network.state_dict())), expected)


class FlashInternImage(unittest.TestCase):
    def test_names_and_shapes(self):
        t = flash_keys(64, (4, 4, 18, 4), (112, 216, 432, 864), False, False)
        self.assertEqual(shapes(make("flash_intern_image_t")), t)
        self.assertEqual(sum(v.numel() for v in make("flash_intern_image_t").parameters()) * 4, 119_262_112)
        s = flash_keys(80, (4, 4, 21, 4), (136, 272, 544, 1080), True, False)
        self.assertEqual(shapes(make("flash_intern_image_s")), s)
        b = flash_keys(112, (4, 4, 21, 4), (192, 384, 760, 1512), True, False)
        self.assertEqual(shapes(make("flash_intern_image_b")), b)
        large = flash_keys(160, (5, 5, 22, 5), (272, 544, 1080, 2160), True, True)
        self.assertEqual(shapes(make("flash_intern_image_l")), large)

    def test_parts_of_t(self):
        t = make("flash_intern_image_t")
        parts = [parameters(m) for m in (t.patch_embed, *t.levels, t.conv_head, t.head)]
        self.assertEqual(parts, [19_584, 269_376, 1_067_104, 15_017_568, 12_278_144, 394_752, 769_000])

    def test_norms(self):
        t = make("flash_intern_image_t")
        self.assertEqual({m.eps for m in t.modules() if isinstance(m, torch.nn.LayerNorm)}, {1e-6})
        self.assertEqual(t.conv_head[1][0].eps, 1e-5)
        scales = [make(f"flash_intern_image_{s}").levels[0].blocks[0].dcn.offset_scale for s in "tsbl"]
        self.assertEqual(scales, [1.0, 1.0, 0.5, 2.0])


class Yolov5(unittest.TestCase):
    def test_layers_of_s(self):
        s = make("yolov5s")
        counts = [parameters(layer) for layer in s.model]
        self.assertEqual(counts, [3520, 18560, 18816, 73984, 115712, 295424, 625152, 1180672, 1182720, 656896, 131584, 0, 0, 361984,
                                  33024, 0, 0, 90880, 147712, 0, 296448, 590336, 0, 1182720, 229245])  # fmt: skip
        norms = [m for m in s.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        self.assertEqual(len(norms), 57)
        self.assertEqual({m.eps for m in norms}, {1e-3})
        # Folded: two numbers per channel become one bias.
        self.assertEqual(parameters(s) - sum(m.num_features for m in norms), 7_225_885)

    def test_names_and_shapes(self):
        keys = shapes(make("yolov5s"))
        for name, shape in {
            "model.0.conv.weight": [32, 3, 6, 6], "model.4.m.1.cv2.conv.weight": [64, 64, 3, 3],
            "model.9.cv2.conv.weight": [512, 1024, 1, 1], "model.13.cv1.conv.weight": [128, 512, 1, 1],
            "model.23.m.0.cv1.bn.running_var": [256], "model.23.cv3.bn.num_batches_tracked": [],
            "model.24.m.0.weight": [255, 128, 1, 1], "model.24.m.2.weight": [255, 512, 1, 1], "model.24.m.1.bias": [255],
            "model.24.anchors": [3, 3, 2],
        }.items():  # fmt: skip
            self.assertEqual(keys[name], shape, name)
        self.assertEqual(shapes(make("yolov5s", "--classes", "3"))["model.24.m.1.weight"], [24, 256, 1, 1])

    def test_anchors_are_in_grid_cells(self):
        from fovea_models.yolov5 import Yolov5 as Network

        anchors = Network().model[24].anchors
        self.assertEqual(anchors[1, 2].tolist(), [59 / 16, 119 / 16])


class Mtmi(unittest.TestCase):
    def test_encoder(self):
        for name, size in mit.SIZES.items():
            with self.subTest(name), torch.device("meta"):
                self.assertEqual(shapes(mit.MixTransformer(size)), mit_keys(size.widths, size.depths))
        b0 = make("mtmi").backbone
        stages = [sum(p.numel() for k, p in b0.named_parameters() if f"{s}." in k.split("block")[-1][:2] or k.startswith((f"patch_embed{s}", f"norm{s}")))
                  for s in range(1, 5)]
        self.assertEqual(stages, [164_096, 255_296, 930_080, 1_969_920])
        eps = {name: m.eps for name, m in b0.named_modules() if isinstance(m, torch.nn.LayerNorm)}
        self.assertEqual({e for n, e in eps.items() if "patch_embed" in n or "attn" in n}, {1e-5})
        self.assertEqual({e for n, e in eps.items() if "patch_embed" not in n and "attn" not in n}, {1e-6})

    def test_heads(self):
        whole, widths = make("mtmi"), mit.SIZES["b0"].widths
        self.assertEqual([parameters(p) for p in (whole.backbone, whole.depth_head, whole.decode_head)], [3_319_392, 1_444_161, 202_771])
        depth = [parameters(m) for m in (whole.depth_head.fuse_conv1, whole.depth_head.fuse_conv2, whole.depth_head.fuse_conv3,
                                         whole.depth_head.fuse_conv4, whole.depth_head.fused_1, whole.depth_head.fused_2,
                                         whole.depth_head.fused_3, whole.depth_head.fused_4, whole.depth_head.fused_5,
                                         whole.depth_head.disp1_layer)]  # fmt: skip
        self.assertEqual(depth, [65_792, 25_760, 4_160, 1_056, 590_080, 599_200, 129_088, 27_680, 1_056, 289])
        self.assertEqual(parameters(mtmi.SlimHead(widths, 168, "concat")), 202_963)
        official = mtmi.OfficialHead(widths)
        # The published 400,147 counts the two running statistics of the fuse's norm.
        self.assertEqual(parameters(official) + 2 * 256, 400_147)
        self.assertEqual(shapes(official)["linear_fuse.conv.weight"], [256, 1024, 1, 1])
        self.assertEqual(shapes(official)["linear_c3.proj.weight"], [256, 160])

    def test_padding_of_the_depth_head_is_in_no_name(self):
        self.assertEqual(shapes(make("mtmi")), shapes(make("mtmi", "--depth-padding", "reflect")))


class DabDetr(unittest.TestCase):
    def test_names_and_shapes(self):
        network = make("dab_detr_r50")
        self.assertEqual(shapes(network), dab_keys())
        self.assertEqual(len([k for k in shapes(network) if k.startswith("backbone")]), 265)
        self.assertEqual(sum(b.numel() for b in network.buffers()), 106_240)
        self.assertEqual(shapes(make("dab_detr_r50_3pat")), dab_keys() | {"transformer.patterns.weight": [3, 256]})
        self.assertEqual(shapes(make("dab_detr_r50_dc5")), dab_keys())
        self.assertIs(network.bbox_embed, network.transformer.decoder.bbox_embed)

    def test_dc5_keeps_twice_the_resolution(self):
        with torch.device("meta"):
            image = torch.zeros(1, 3, 70, 100)
        sizes = {n: list(make(n).backbone[0]["body"](image)[2].shape) for n in ("dab_detr_r50", "dab_detr_r50_dc5")}
        self.assertEqual(sizes, {"dab_detr_r50": [1, 2048, 3, 4], "dab_detr_r50_dc5": [1, 2048, 5, 7]})

    def test_deformable(self):
        keys = shapes(make("dab_deformable_detr_r50"))
        for name, shape in {
            "input_proj.0.0.weight": [256, 512, 1, 1], "input_proj.3.0.weight": [256, 2048, 3, 3], "input_proj.3.1.weight": [256],
            "transformer.level_embed": [4, 256], "tgt_embed.weight": [300, 256], "refpoint_embed.weight": [300, 4],
            "transformer.encoder.layers.5.self_attn.sampling_offsets.weight": [256, 256],
            "transformer.encoder.layers.5.self_attn.attention_weights.weight": [128, 256],
            "transformer.decoder.layers.0.cross_attn.value_proj.weight": [256, 256],
            "transformer.decoder.layers.0.self_attn.in_proj_weight": [768, 256],
            "bbox_embed.5.layers.2.weight": [4, 256], "transformer.decoder.bbox_embed.5.layers.2.weight": [4, 256],
            "class_embed.5.weight": [91, 256],
        }.items():  # fmt: skip
            self.assertEqual(keys[name], shape, name)
        norms = [m for m in make("dab_deformable_detr_r50").modules() if isinstance(m, torch.nn.LayerNorm)]
        self.assertEqual(len(norms), 30)


if __name__ == "__main__":
    unittest.main()
