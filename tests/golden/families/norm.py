# SPDX-License-Identifier: Apache-2.0
"""InstanceNormalization, GroupNormalization, LayerNormalization and the plugins of the same purpose."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, rounded, seek
from reference.norm import group_norm, instance_norm, layer_norm, welford, welford_merge


def store(kind, values):
    return f32(values) if kind == "f32" else rounded(kind, values)


def affine(seed, count):
    return dyadic(seed, (count,), -2, 2), dyadic(seed + 1, (count,), -2, 2)


def instance(name, op, domain, x, scale, bias, kind="f32", opset=17, **attributes):
    inputs = [Stored(kind, t) for t in (x, scale, bias)]
    out = instance_norm(*(t.exact for t in inputs), float(np.float32(attributes.get("epsilon", 1e-5))))
    return case("norm/" + name, op, inputs, [store(kind, out)], domain=domain, opset=opset, attributes=attributes)


def instance_cases():
    x = np.array([1.0, 2, 3, 4]).reshape(1, 1, 2, 2)
    expect(instance_norm(x, np.array([2.0]), np.array([1.0])).ravel(), [-1.683271, 0.105576, 1.894424, 3.683271], 5e-7)  # mmcv_ops.md, section 9
    spellings = (("mmcv_instance_norm", "MMCVInstanceNormalization", "mmcv"), ("mmcv_instance_norm_no_domain", "MMCVInstanceNormalization", ""),
                 ("trt_instance_norm", "TRTInstanceNormalization", "mmdeploy"), ("instance_norm", "InstanceNormalization", ""))
    for name, op, domain in spellings:
        yield instance(name + "_vector", op, domain, x, np.array([2.0]), np.array([1.0]))
        yield instance(name + "_epsilon", op, domain, dyadic(2, (2, 3, 4, 5), -2, 2), *affine(3, 3), epsilon=0.125)
    for shape in ((2, 3, 7), (2, 5, 3, 4), (1, 3, 2, 3, 4), (1, 2, 2, 2, 2, 2), (2, 3, 1, 1), (1, 17, 9, 1)):
        name, seed = "x".join(map(str, shape)), sum(shape)
        for prefix, op, domain in (spellings[0], spellings[3]):
            yield instance(f"{prefix}_{name}", op, domain, dyadic(seed, shape, -2, 2), *affine(seed + 1, shape[1]))
    # far from zero: a single pass that subtracts squares loses everything
    yield instance("instance_norm_far_from_zero", "InstanceNormalization", "", dyadic(5, (1, 2, 6, 6), 2000, 2002), *affine(6, 2))
    yield instance("mmcv_instance_norm_far_from_zero", "MMCVInstanceNormalization", "mmcv", dyadic(5, (1, 2, 6, 6), 2000, 2002), *affine(6, 2))
    yield instance("instance_norm_constant", "InstanceNormalization", "", np.full((1, 2, 3, 3), 7.0), *affine(7, 2))
    yield instance("mmcv_instance_norm_tiny_epsilon", "MMCVInstanceNormalization", "mmcv", dyadic(8, (1, 2, 3, 3), -2, 2), *affine(9, 2), epsilon=1e-12)
    for kind in ("f16", "bf16"):
        # scale a power of two, no bias: whether these round once or step by step makes no difference
        yield seek(lambda seed: instance(f"instance_norm_{kind}", "InstanceNormalization", "", dyadic(seed, (1, 2, 3, 4), -2, 2, 8), np.array([2.0, 0.5]),
                                         np.zeros(2), kind, opset=22))
    sets = []
    for k, shape in enumerate(((1, 3, 2, 5), (2, 3, 4, 1), (1, 3, 8, 8))):
        x, (scale, bias) = dyadic(k, shape, -2, 2), affine(k + 5, 3)
        sets.append(([f32(x), f32(scale), f32(bias)], [f32(instance_norm(x, scale, bias, float(np.float32(1e-5))))]))
    yield Case("norm/mmcv_instance_norm_dynamic_sizes", "MMCVInstanceNormalization", sets, domain="mmcv")


def group_cases():
    for shape, groups in (((2, 6, 3, 4), 3), ((1, 4, 5), 2), ((2, 3, 2, 2, 2), 1), ((1, 5, 3, 3), 5), ((2, 32, 2, 3), 32)):
        name, x = "x".join(map(str, shape)) + f"_{groups}", dyadic(sum(shape), shape, -2, 2)
        epsilon = float(np.float32(1e-5))
        for opset, count in ((18, groups), (21, shape[1])):
            scale, bias = affine(groups + opset, count)
            yield case(f"norm/group_norm_{opset}_{name}", "GroupNormalization", [f32(x), f32(scale), f32(bias)],
                       [f32(group_norm(x, scale, bias, groups, epsilon, per_group=opset == 18))], opset=opset, attributes=dict(num_groups=groups))
    x, (scale, bias) = dyadic(21, (1, 4, 3, 3), 500, 501), affine(22, 4)
    yield case("norm/group_norm_21_far_from_zero_epsilon", "GroupNormalization", [f32(x), f32(scale), f32(bias)], [f32(group_norm(x, scale, bias, 2, 0.25))],
               opset=21, attributes=dict(num_groups=2, epsilon=0.25))


def layer(name, x, scale, bias, axis=-1, epsilon=1e-5, kind="f32", outputs=1, opset=17, **attributes):
    inputs = [None if t is None else Stored(kind, t) for t in (x, scale, bias)]
    found = layer_norm(*(None if t is None else t.exact for t in inputs), axis, float(np.float32(epsilon)))
    stored = [store(kind, found[0])] + [f32(t) for t in found[1:outputs]]  # the statistics are f32: stash_type 1
    while inputs[-1] is None:
        inputs.pop()
    return case("norm/layer_norm_" + name, "LayerNormalization", inputs, stored, opset=opset, attributes=dict(axis=axis, epsilon=epsilon, **attributes))


def layer_cases():
    row = np.array([1.0, 2, 3, 4, 8])  # dab_detr.md, section 8.7
    expect(welford([1, 2, 3]), (2, 2, 3))
    expect(welford([4, 8]), (6, 8, 2))
    expect(welford_merge(welford([1, 2, 3]), welford([4, 8])), (3.6, 29.2, 5))
    expect(layer_norm(row)[0], [-1.075887, -0.662084, -0.248282, 0.165521, 1.820731], 5e-7)
    yield layer("vector", row.reshape(1, 5), np.ones(5), np.zeros(5))
    for shape, axis in (((3, 4), -1), ((2, 3, 5), -1), ((2, 3, 4), 1), ((2, 3, 4), 0), ((2, 2, 3, 4), -2), ((4, 1), -1), ((2, 7), 1), ((2, 3, 17), -1)):
        tail = shape[axis % len(shape):]
        name, seed = "x".join(map(str, shape)) + f"_axis_{axis}".replace("-", "minus_"), sum(shape) + axis
        x, scale, bias = dyadic(seed, shape, -2, 2), dyadic(seed + 1, tail, -2, 2), dyadic(seed + 2, tail, -2, 2)
        yield layer(name, x, scale, bias, axis)
        yield layer(name + "_three_outputs", x, scale, None, axis, outputs=3)
    for columns in (1, 2, 3, 8, 31, 64, 100, 256, 1024, 1030, 2048):  # every choice of pack and row length in section 8.3
        x = dyadic(columns, (3, columns), -2, 2)
        yield layer(f"columns_{columns}", x, dyadic(columns + 1, (columns,), -2, 2), dyadic(columns + 2, (columns,), -2, 2))
    yield layer("far_from_zero", dyadic(30, (4, 64), 2000, 2002), *affine(31, 64))
    yield layer("constant_rows", np.full((2, 8), 3.0), *affine(32, 8))
    yield layer("epsilon_half", dyadic(33, (4, 9), -2, 2), *affine(34, 9), epsilon=0.5)
    for kind in ("f16", "bf16"):
        yield seek(lambda seed: layer(kind, dyadic(seed, (3, 12), -2, 2, 8), np.full(12, 2.0), np.zeros(12), kind=kind, stash_type=1))
    sets = []
    for k, shape in enumerate(((2, 3, 16), (1, 7, 16), (5, 1, 16))):
        x, (scale, bias) = dyadic(k + 50, shape, -2, 2), affine(60, 16)
        sets.append(([f32(x), f32(scale), f32(bias)], [f32(layer_norm(x, scale, bias, -1, float(np.float32(1e-5)))[0])]))
    yield Case("norm/layer_norm_dynamic_sizes", "LayerNormalization", sets, constants=(1, 2))


def plugin_cases():
    """The plugin `LayerNorm` of dab_detr.md, section 7.4: no scale, no bias, the last axis."""
    for name, shape, epsilon, spelled in (("256", (2, 3, 256), 1e-5, 1e-5), ("unit_test", (4, 8, 256), 6e-6, 6e-6), ("list", (1, 2, 256), 1e-5, [1e-5]),
                                          ("version_1", (1, 3, 64), 1e-5, 1e-5), ("version_2", (1, 3, 64), 1e-3, 1e-3), ("odd", (3, 2, 31), 1e-2, 1e-2),
                                          ("rank_2", (5, 12), 1e-5, 1e-5), ("rank_4", (1, 2, 3, 8), 1e-5, 1e-5)):
        x = dyadic(len(name), shape, -1, 1)
        attributes = dict(epsilon=spelled)
        if name.startswith("version"):
            attributes.update(plugin_version=name[-1], plugin_namespace="")
        yield case(f"norm/plugin_layer_norm_{name}", "LayerNorm", [f32(x)], [f32(layer_norm(x, epsilon=float(np.float32(epsilon)))[0])], opset=12, attributes=attributes)
    x = dyadic(3, (2, 2, 16), -1, 1)
    yield case("norm/plugin_layer_norm_default_epsilon", "LayerNorm", [f32(x)], [f32(layer_norm(x, epsilon=float(np.float32(1e-5)))[0])], opset=12)


def cases():
    yield from instance_cases()
    yield from group_cases()
    yield from layer_cases()
    yield from plugin_cases()
