# SPDX-License-Identifier: Apache-2.0
"""Random nodes of each family with PyTorch's answer. Smooth operators are computed there in f64 from the same f32 inputs;
those that decide (nearest, adaptive sampling, suppression) in f32, so that both sides decide on the same numbers."""
import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from batch import Batch, single


def double(array):
    return None if array is None else torch.from_numpy(array).double()


def normal(rng, *shape):
    return single(rng.standard_normal(shape))


def deform_conv(rng, count):
    batch = Batch("deform_conv", 19)
    for k in range(count):
        group, offset_group = int(rng.integers(1, 4)), int(rng.integers(1, 4))
        channels, out_channels = group * offset_group * int(rng.integers(1, 4)), group * int(rng.integers(1, 4))
        kernel, stride, dilation = rng.integers(1, 5, 2), rng.integers(1, 4, 2), rng.integers(1, 3, 2)
        pad = rng.integers(0, 3, 2)
        extent = [int(rng.integers(max(1, d * (f - 1) + 1 - 2 * p), 14)) for d, f, p in zip(dilation, kernel, pad)]
        out = [(e + 2 * p - (d * (f - 1) + 1)) // s + 1 for e, p, d, f, s in zip(extent, pad, dilation, kernel, stride)]
        n, taps = int(rng.integers(1, 4)), int(offset_group * kernel.prod())
        x, weight = normal(rng, n, channels, *extent), normal(rng, out_channels, channels // group, *kernel)
        offset = normal(rng, n, 2 * taps, *out) * np.float32(rng.choice([0.3, 2, 6]))
        mask = single(rng.random((n, taps, *out))) if rng.random() < 0.6 else None
        bias = normal(rng, out_channels) if rng.random() < 0.5 else None
        wanted = torchvision.ops.deform_conv2d(double(x), double(offset), double(weight), double(bias), tuple(map(int, stride)), tuple(map(int, pad)),
                                               tuple(map(int, dilation)), double(mask))
        names = dict(stride=[int(s) for s in stride], padding=[int(p) for p in pad], dilation=[int(d) for d in dilation], groups=group, deform_groups=offset_group)
        expected = [single(wanted)]
        if k % 3 == 0 or (mask is None and bias is not None):
            inputs = [x, weight, offset, bias, mask] if mask is not None else [x, weight, offset, bias] if bias is not None else [x, weight, offset]
            batch.add("DeformConv", inputs, expected, strides=names["stride"], pads=names["padding"] * 2, dilations=names["dilation"], group=group, offset_group=offset_group)
        elif mask is None:
            batch.add("MMCVDeformConv2d", [x, offset, weight], expected, domain="mmcv", **names)
        elif k % 3 == 1:
            batch.add("MMCVModulatedDeformConv2d", [x, offset, mask, weight] + ([] if bias is None else [bias]), expected, domain="mmcv", **names)
        else:
            torch_names = {f"{name}_{axis}": names[full][i] for name, full in (("stride", "stride"), ("pad", "padding"), ("dilation", "dilation")) for i, axis in enumerate("hw")}
            batch.add("deform_conv2d", [x, weight, offset, mask, np.zeros(out_channels, np.float32) if bias is None else bias], expected, domain="torchvision",
                      groups=group, offset_groups=offset_group, use_mask=1, **torch_names)
    return batch


def roi_align(rng, count):
    batch = Batch("roi_align", 16)
    for k in range(count):
        n, c, h, w = (int(rng.integers(1, top)) for top in (4, 6, 20, 20))
        rois, scale = int(rng.integers(0 if k % 20 == 0 else 1, 12)), float(np.float32(rng.choice([1.0, 0.5, 0.25, 0.0625, 0.37])))
        output, ratio, aligned = [int(v) for v in rng.integers(1, 8, 2)], int(rng.integers(0, 4)), int(rng.integers(0, 2))
        corners = rng.random((rois, 2, 2)) * 1.5 * np.array([w, h]) - 0.25 * np.array([w, h])
        boxes = single(np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1) / scale)
        which = rng.integers(0, n, rois)
        x = normal(rng, n, c, h, w)
        listed = np.concatenate([single(which)[:, None], boxes], axis=1)
        wanted = torchvision.ops.roi_align(torch.from_numpy(x), torch.from_numpy(listed), output, scale, ratio, bool(aligned))
        names = dict(output_height=output[0], output_width=output[1], spatial_scale=scale, sampling_ratio=ratio, mode="avg")
        if k % 2:
            batch.add("RoiAlign", [x, boxes, which], [single(wanted)], coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel", **names)
        else:
            batch.add("MMCVRoiAlign", [x, listed], [single(wanted)], domain="mmcv", aligned=aligned, **names)
    return batch


def random_boxes(rng, count):
    low = rng.random((count, 2)) * rng.choice([5, 20, 60])
    return single(np.concatenate([low, low + rng.random((count, 2)) * 20], axis=1))


def nms(rng, count):
    """torchvision's nms as mmcv's form and as ONNX's, its batched_nms as ONNX's with one row of scores a class."""
    batch = Batch("nms", 11)
    for k in range(count):
        boxes, size = random_boxes(rng, size := int(rng.integers(1, 150))), size
        scores, threshold = single(rng.permutation(size) + 0.5) / np.float32(size), float(np.float32(rng.random()))
        if k % 3 == 0:
            kept = torchvision.ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).numpy()
            batch.add("NonMaxSuppression", [boxes, scores], [kept], domain="mmcv", iou_threshold=threshold, offset=0)
            continue
        classes = 1 if k % 3 == 1 else int(rng.integers(2, 6))
        which = rng.integers(0, classes, size)
        kept = torchvision.ops.batched_nms(torch.from_numpy(boxes), torch.from_numpy(scores), torch.from_numpy(which), threshold).numpy()
        spread = np.where(which == np.arange(classes)[:, None], scores, np.float32(-1))
        rows = np.array([(0, c, i) for c in range(classes) for i in kept if which[i] == c], np.int64).reshape(-1, 3)
        batch.add("NonMaxSuppression", [boxes[None], single(spread[None]), np.array([size]), single([threshold]), single([0])], [rows], constants=(2, 3, 4) if k % 2 else ())
    return batch


def grid_sample(rng, count):
    batch = Batch("grid_sample", 20)
    modes, paddings = ["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"]
    for k in range(count):
        mode, padding, align, deep = modes[k % 3], paddings[k // 3 % 3], int(rng.integers(0, 2)), k % 3 != 2 and k % 5 == 0
        spatial, out = [[int(v) for v in rng.integers(1, 12 if not deep else 7, 3 if deep else 2)] for _ in range(2)]
        n, c = int(rng.integers(1, 4)), int(rng.integers(1, 6))
        x, grid = normal(rng, n, c, *spatial), single(rng.random((n, *out, len(out))) * rng.choice([2, 3, 4]) - 1.2)
        convert = torch.from_numpy if mode == "nearest" else double
        wanted = F.grid_sample(convert(x), convert(grid), mode, padding, bool(align))
        if k % 4 == 3 or (k % 4 == 1 and mode == "bicubic"):
            batch.add("GridSample", [x, grid], [single(wanted)], mode={"bilinear": "linear", "nearest": "nearest", "bicubic": "cubic"}[mode], padding_mode=padding, align_corners=align)
        else:
            batch.add("grid_sampler", [x, grid], [single(wanted)], domain="mmcv", interpolation_mode=k % 3, padding_mode=k // 3 % 3, align_corners=align)
    return batch


def cumulative(rng, count):
    batch = Batch("cumulative", 17)
    for k in range(count):
        shape = [int(v) for v in rng.integers(1, 9, int(rng.integers(1, 6)))]
        x, dim = normal(rng, *shape), int(rng.integers(-len(shape), len(shape)))
        if k % 2:  # many equal values
            x = np.round(x)
        if k % 5 == 0:
            x[rng.random(shape) < 0.1] = np.nan
        name, function = (("cummax", torch.cummax), ("cummin", torch.cummin))[k // 2 % 2]
        values, indices = function(torch.from_numpy(x), dim)
        batch.add(name, [x], [values.numpy(), indices.numpy()], domain="mmcv", dim=dim)
    return batch


def normalisation(rng, count):
    batch = Batch("normalisation", 21)
    for k in range(count):
        epsilon, kind = float(np.float32(rng.choice([1e-5, 1e-3, 0.1]))), k % 4
        if kind == 0:
            shape = [int(v) for v in rng.integers(1, 8, int(rng.integers(1, 4)))] + [int(rng.integers(2, 700))]
            axis = int(rng.integers(0, len(shape)))
            x, scale, bias = normal(rng, *shape), normal(rng, *shape[axis:]), normal(rng, *shape[axis:])
            wanted = F.layer_norm(double(x), shape[axis:], double(scale), double(bias), epsilon)
            batch.add("LayerNormalization", [x, scale, bias], [single(wanted)], axis=axis, epsilon=epsilon)
            continue
        channels = int(rng.integers(1, 5)) * (groups := int(rng.integers(1, 5)))
        shape = [int(rng.integers(1, 4)), channels] + [int(v) for v in rng.integers(2, 12, int(rng.integers(1, 4)))]
        x, scale, bias = normal(rng, *shape) + np.float32(rng.choice([0, 20])), normal(rng, channels), normal(rng, channels)
        if kind == 1:
            wanted = F.group_norm(double(x), groups, double(scale), double(bias), epsilon)
            batch.add("GroupNormalization", [x, scale, bias], [single(wanted)], num_groups=groups, epsilon=epsilon)
        else:
            wanted = F.instance_norm(double(x), None, None, double(scale), double(bias), True, 0.1, epsilon)
            op, domain = ("InstanceNormalization", "") if kind == 2 else ("MMCVInstanceNormalization", "mmcv")
            batch.add(op, [x, scale, bias], [single(wanted)], domain=domain, epsilon=epsilon)
    return batch


def attention_of(value, shapes, locations, weights):
    """Multi-scale deformable attention composed from grid_sample, level by level."""
    n, _, heads, depth = value.shape
    out, start = 0, 0
    for level, (h, w) in enumerate(shapes):
        maps = value[:, start:start + h * w].permute(0, 2, 3, 1).reshape(n * heads, depth, h, w)
        start += h * w
        grid = 2 * locations[:, :, :, level].transpose(1, 2).flatten(0, 1) - 1
        sampled = F.grid_sample(maps, grid, "bilinear", "zeros", False)  # [N*M, D, Q, P]
        out = out + (sampled * weights[:, :, :, level].transpose(1, 2).flatten(0, 1)[:, None]).sum(-1)
    return out.reshape(n, heads, depth, -1).permute(0, 3, 1, 2)


def attention(rng, count):
    batch = Batch("attention", 17)
    for k in range(count):
        shapes = [[int(v) for v in rng.integers(1, 9, 2)] for _ in range(int(rng.integers(1, 5)))]
        n, heads, depth, queries, points = (int(rng.integers(1, top)) for top in (4, 5, 34, 9, 6))
        value = normal(rng, n, sum(h * w for h, w in shapes), heads, depth)
        locations = single(rng.random((n, queries, heads, len(shapes), points, 2)) * 1.6 - 0.3)
        logits = normal(rng, n, queries, heads, len(shapes) * points)
        sizes, starts = np.array(shapes, np.int64), np.cumsum([0] + [h * w for h, w in shapes])[:-1].astype(np.int64)
        softened = torch.softmax(double(logits), -1)
        if k % 3 == 0:
            packed = single(np.concatenate([locations.reshape(n, queries, heads, -1), logits], axis=-1))
            wanted = attention_of(double(value), shapes, double(locations), softened.reshape(n, queries, heads, len(shapes), points))
            batch.add("FlashDeformAttn", [value, sizes, starts, packed], [single(wanted.flatten(2))], domain="custom_op", points=points, softmax=1)
            continue
        weights = single(softened).reshape(n, queries, heads, len(shapes), points)
        wanted = single(attention_of(double(value), shapes, double(locations), double(weights)))
        if k % 3 == 1:
            batch.add("MMCVMultiScaleDeformableAttention", [value, sizes, starts, locations, weights], [wanted.reshape(n, queries, -1)], domain="mmcv",
                      constants=(1, 2) if k % 2 else ())
        else:
            batch.add("MultiscaleDeformableAttnPlugin_TRT", [value, sizes.astype(np.int32), starts.astype(np.int32), locations, weights], [wanted])
    return batch


ALL = {f.__name__: f for f in (attention, cumulative, deform_conv, grid_sample, nms, normalisation, roi_align)}
