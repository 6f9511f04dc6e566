# SPDX-License-Identifier: Apache-2.0
"""Softmax attention on shapes of DAB-DETR (encoder, decoder) and SegFormer B0 (first stage)."""
import numpy as np
import torch.nn.functional as F

from case import Case, one_node


def attention(heads, queries, keys, width, value_width, what):
    rng = np.random.default_rng(0)
    feeds = {"q": rng.standard_normal((1, heads, queries, width), np.float32), "k": rng.standard_normal((1, heads, keys, width), np.float32),
             "v": rng.standard_normal((1, heads, keys, value_width), np.float32)}
    model = one_node("Attention", feeds, opset=23)
    return Case(f"Attention {what}: {heads} heads, {queries} queries, {keys} keys, width {width} to {value_width}", 1, "torch scaled_dot_product_attention",
                model, feeds, lambda f: F.scaled_dot_product_attention(f["q"], f["k"], f["v"]))


def cases():
    yield attention(8, 850, 850, 32, 32, "DAB-DETR encoder")
    yield attention(8, 300, 850, 64, 32, "DAB-DETR decoder")
    yield attention(1, 65536, 1024, 32, 32, "SegFormer B0")
    yield attention(12, 197, 197, 64, 64, "ViT-B")
