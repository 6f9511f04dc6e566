# SPDX-License-Identifier: Apache-2.0
"""Normalisations, running extremes, scatter and gather on shapes of real networks."""
import numpy as np
import onnx
import torch
import torch.nn.functional as F

from case import Case, one_node

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape, np.float32) * np.float32(2) + np.float32(1)


def size(array):
    return "x".join(str(extent) for extent in array.shape)


def layer_norm(*shape):
    feeds = {"x": normal(*shape), "scale": normal(shape[-1]), "bias": normal(shape[-1])}
    model = one_node("LayerNormalization", feeds, constants=("scale", "bias"), axis=-1)
    return Case(f"LayerNormalization {size(feeds['x'])}", 1.3, "torch layer_norm", model, feeds,
                lambda f: F.layer_norm(f["x"], (shape[-1],), f["scale"], f["bias"]))


def instance_norm(*shape):
    feeds = {"x": normal(*shape), "scale": normal(shape[1]), "bias": normal(shape[1])}
    return Case(f"InstanceNormalization {size(feeds['x'])}", 1.3, "torch instance_norm", one_node("InstanceNormalization", feeds, constants=("scale", "bias")), feeds,
                lambda f: F.instance_norm(f["x"], weight=f["scale"], bias=f["bias"]))


def group_norm(groups, *shape):
    feeds = {"x": normal(*shape), "scale": normal(shape[1]), "bias": normal(shape[1])}
    model = one_node("GroupNormalization", feeds, constants=("scale", "bias"), num_groups=groups)
    return Case(f"GroupNormalization {size(feeds['x'])}, {groups} groups", 1.3, "torch group_norm", model, feeds,
                lambda f: F.group_norm(f["x"], groups, f["scale"], f["bias"]))


def cummax(dim, *shape):
    feeds = {"x": normal(*shape)}
    model = one_node("cummax", feeds, outputs=("y", "i"), domain="mmcv", types={"i": onnx.TensorProto.INT64}, dim=dim)
    return Case(f"cummax {size(feeds['x'])} along {dim}", 1, "torch cummax", model, feeds, lambda f: torch.cummax(f["x"], dim))


def scatter_nd(rows, *shape):
    feeds = {"x": normal(*shape), "i": RNG.permutation(shape[0])[:rows].astype(np.int64)[:, None], "u": normal(rows, *shape[1:])}
    return Case(f"ScatterND {rows} rows into {size(feeds['x'])}", 1, "torch index_copy", one_node("ScatterND", feeds), feeds,
                lambda f: f["x"].index_copy(0, f["i"][:, 0], f["u"]))


def gather_elements(axis, picked, *shape):
    extents = [*shape]
    extents[axis] = picked
    feeds = {"x": normal(*shape), "i": RNG.integers(0, shape[axis], extents)}
    return Case(f"GatherElements {size(feeds['i'])} of {size(feeds['x'])} along {axis}", 1, "torch gather", one_node("GatherElements", feeds, axis=axis), feeds,
                lambda f: torch.gather(f["x"], axis, f["i"]))


def scatter_elements(axis, picked, *shape):
    extents = [*shape]
    extents[axis] = picked
    feeds = {"x": normal(*shape), "i": RNG.integers(0, shape[axis], extents), "u": normal(*extents)}
    model = one_node("ScatterElements", feeds, axis=axis, reduction="add")
    return Case(f"ScatterElements add {size(feeds['i'])} into {size(feeds['x'])} along {axis}", 1, "torch scatter_add", model, feeds,
                lambda f: f["x"].scatter_add(axis, f["i"], f["u"]))


def cases():
    yield layer_norm(1, 300, 256)
    yield layer_norm(1, 850, 256)
    yield layer_norm(1, 22223, 256)
    yield layer_norm(8, 3136, 64)
    yield layer_norm(1, 16384, 32)
    yield layer_norm(1, 1024, 768)
    yield instance_norm(1, 64, 256, 256)
    yield instance_norm(8, 256, 56, 56)
    yield instance_norm(1, 256, 25, 25)
    yield group_norm(32, 1, 64, 256, 256)
    yield group_norm(32, 8, 256, 56, 56)
    yield group_norm(32, 1, 256, 100, 152)
    yield group_norm(1, 1, 96, 56, 56)
    yield cummax(-1, 1, 256, 128, 128)
    yield cummax(2, 1, 256, 128, 128)
    yield scatter_nd(300, 22223, 256)
    yield scatter_nd(300, 900, 256)
    yield gather_elements(1, 300, 1, 22223, 256)
    yield scatter_elements(1, 300, 1, 22223, 256)
