# SPDX-License-Identifier: Apache-2.0
"""Normalisations: mean and biased variance in two passes."""
import numpy as np


def normalise(x, axes, epsilon):
    mean = x.mean(axis=axes, keepdims=True)
    inverse = 1 / np.sqrt(((x - mean) ** 2).mean(axis=axes, keepdims=True) + epsilon)
    return (x - mean) * inverse, mean, inverse


def per_channel(v, rank):
    return v.reshape((1, -1) + (1,) * (rank - 2))


def instance_norm(x, scale, bias, epsilon=1e-5):
    return normalise(x, tuple(range(2, x.ndim)), epsilon)[0] * per_channel(scale, x.ndim) + per_channel(bias, x.ndim)


def group_norm(x, scale, bias, groups, epsilon=1e-5, per_group=False):
    """`per_group`: opset 18, scale and bias of length `groups` instead of one for each channel."""
    split = x.reshape((x.shape[0], groups, x.shape[1] // groups) + x.shape[2:])
    y = normalise(split, tuple(range(2, split.ndim)), epsilon)[0].reshape(x.shape)
    if per_group:
        scale, bias = np.repeat(scale, x.shape[1] // groups), np.repeat(bias, x.shape[1] // groups)
    return y * per_channel(scale, x.ndim) + per_channel(bias, x.ndim)


def layer_norm(x, scale=None, bias=None, axis=-1, epsilon=1e-5):
    """Returns y, mean, 1 / standard deviation over the axes from `axis` on."""
    y, mean, inverse = normalise(x, tuple(range(axis % x.ndim, x.ndim)), epsilon)
    y = y if scale is None else y * scale
    return y if bias is None else y + bias, mean, inverse


def welford(values, state=(0.0, 0.0, 0)):
    """(mean, sum of squared deviations, count) after adding values one by one."""
    mean, m2, n = state
    for v in values:
        n += 1
        d = v - mean
        mean += d / n
        m2 += d * (v - mean)
    return mean, m2, n


def welford_merge(a, b):
    n, d = a[2] + b[2], b[0] - a[0]
    return a[0] + d * b[2] / n, a[1] + b[1] + d * d * a[2] * b[2] / n, n
