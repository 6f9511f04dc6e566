# SPDX-License-Identifier: Apache-2.0
"""Sampling operators: multi-scale deformable attention on shapes of Deformable DETR, GridSample on real pictures and
feature maps. The peer of the attention is its composition from grid_sample."""
import numpy as np
import torch
import torch.nn.functional as F

from case import Case, one_node

LEVELS = ((100, 134), (50, 67), (25, 34), (13, 17))


def composed_attention(value, levels, locations, weights):
    """Samples each level with grid_sample, then one weighted sum."""
    n, _, heads, width = value.shape
    _, queries, _, _, points, _ = locations.shape
    parts = value.split([h * w for h, w in levels], dim=1)
    grids = 2 * locations - 1
    samples = []
    for level, (h, w) in enumerate(levels):
        plane = parts[level].flatten(2).transpose(1, 2).reshape(n * heads, width, h, w)
        grid = grids[:, :, :, level].transpose(1, 2).flatten(0, 1)
        samples.append(F.grid_sample(plane, grid, mode="bilinear", padding_mode="zeros", align_corners=False))
    shares = weights.transpose(1, 2).reshape(n * heads, 1, queries, len(levels) * points)
    out = (torch.stack(samples, dim=-2).flatten(-2) * shares).sum(-1)
    return out.view(n, heads * width, queries).transpose(1, 2).contiguous()


def attention_feeds(queries, heads=8, width=32, points=4, levels=LEVELS, local=False):
    rng = np.random.default_rng(0)
    rows = [h * w for h, w in levels]
    count = len(levels)
    weights = rng.standard_normal((1, queries, heads, count * points), np.float32)
    weights = np.exp(weights) / np.exp(weights).sum(-1, keepdims=True)
    if local:  # an encoder's queries are the pixels themselves, and samples lie a few pixels around them
        at = np.linspace(0, 1, queries, dtype=np.float32)
        centre = np.stack([at * 100 % 1, at], -1).reshape(1, queries, 1, 1, 1, 2)
        spread = rng.standard_normal((1, queries, heads, count, points, 2), np.float32) * np.float32(2)
        locations = centre + spread / np.array([(w, h) for h, w in levels], np.float32).reshape(count, 1, 2)
    else:
        locations = rng.random((1, queries, heads, count, points, 2), np.float32)
    return {"value": rng.standard_normal((1, sum(rows), heads, width), np.float32),
            "spatial_shapes": np.array(levels, np.int64),
            "level_start_index": np.cumsum([0] + rows[:-1]).astype(np.int64),
            "sampling_loc": locations.astype(np.float32),
            "weights": weights.reshape(1, queries, heads, count, points)}


def attention(queries, local=False):
    feeds = attention_feeds(queries, local=local)
    model = one_node("MMCVMultiScaleDeformableAttention", feeds, constants=("spatial_shapes", "level_start_index"), domain="mmdeploy")
    where = "around the pixels" if local else "anywhere"
    return Case(f"deformable attention 4 levels, 8 heads x 32, {queries} queries, samples {where}", 5, "composition from grid_sample", model, feeds,
                lambda f: composed_attention(f["value"], LEVELS, f["sampling_loc"], f["weights"]), tolerance=1e-4)


def flash_attention(queries):
    feeds = attention_feeds(queries)
    logits = np.log(feeds.pop("weights")).reshape(1, queries, 8, 16)
    locations = feeds.pop("sampling_loc")
    feeds["sampling_loc_attn"] = np.concatenate([locations.reshape(1, queries, 8, 32), logits], -1)
    model = one_node("FlashDeformAttn", feeds, constants=("spatial_shapes", "level_start_index"), domain="custom_op", points=4)

    def run(f):
        packed = f["sampling_loc_attn"]
        return composed_attention(f["value"], LEVELS, packed[..., :32].reshape(1, queries, 8, 4, 4, 2),
                                  packed[..., 32:].softmax(-1).reshape(1, queries, 8, 4, 4))
    return Case(f"FlashDeformAttn 4 levels, 8 heads x 32, {queries} queries", 5, "composition from grid_sample", model, feeds, run, tolerance=1e-4)


def grid_case(x, places, mode="linear", padding="zeros", align=0, spread=1.0, what="anywhere"):
    """`what`: anywhere, or near the identity map with a smooth disturbance, as in warps."""
    rng = np.random.default_rng(0)
    axes = len(places)
    if what == "anywhere":
        grid = (rng.random((x[0], *places, axes), np.float32) * 2 - 1) * np.float32(spread)
    else:
        lines = [np.linspace(-1, 1, n, dtype=np.float32) for n in places]
        identity = np.stack(np.meshgrid(*lines, indexing="ij")[::-1], -1)
        grid = np.repeat((identity + 0.05 * np.sin(7 * identity[..., ::-1]))[None], x[0], 0).astype(np.float32)
    feeds = {"x": rng.standard_normal(x, np.float32), "grid": np.ascontiguousarray(grid)}
    model = one_node("GridSample", feeds, mode=mode, padding_mode=padding, align_corners=align)
    peer = {"linear": "bilinear", "nearest": "nearest", "cubic": "bicubic"}[mode]
    text = "x".join(map(str, x)) + " at " + "x".join(map(str, places))
    return Case(f"GridSample {mode} {padding} {text}, {what}", 1.5, "torch grid_sample", model, feeds,
                lambda f: F.grid_sample(f["x"], f["grid"], mode=peer, padding_mode=padding, align_corners=bool(align)),
                tolerance=1e-4 if mode != "nearest" else None)


def cases():
    yield attention(300)
    yield attention(22223)
    yield attention(22223, local=True)
    yield flash_attention(300)
    yield flash_attention(22223)
    for points in ((300, 1), (900, 4), (100, 200)):
        yield grid_case((1, 256, 100, 152), points)
    for mode in ("linear", "nearest", "cubic"):
        yield grid_case((1, 3, 480, 640), (480, 640), mode, "border", what="warp")
    for mode, padding in (("linear", "zeros"), ("linear", "reflection"), ("nearest", "zeros"), ("cubic", "zeros")):
        yield grid_case((1, 32, 48, 64), (48, 64), mode, padding, what="warp")
    for mode in ("linear", "nearest"):
        yield grid_case((1, 32, 16, 56, 56), (16, 56, 56), mode, what="warp")
