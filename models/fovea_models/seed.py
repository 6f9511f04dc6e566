# SPDX-License-Identifier: Apache-2.0
"""The seed rule: weights from a number, equal bit for bit in Python and in C++ (docs/light_onnx.md). NumPy only.

    key  = mix(seed xor mix(stream))                  64-bit integers, wrapping
    u    = (mix(key + (i + 1) * G) >> 40) / 2^23 - 1  element i, a multiple of 2^-23 in [-1, 1)
    w[i] = f32(f64(mean) + f64(scale) * u)            the product is exact, so a fused multiply-add changes nothing"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

G = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio, odd


def mix(z: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64, a bijection of 64-bit integers."""
    z = np.asarray(z, np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def stream_of(name: str) -> int:
    """The stream of a weight is the FNV-1a hash of its name, so adding a weight changes no other."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


@dataclass(frozen=True)
class Rule:
    """Uniform in [mean - scale, mean + scale). `mean` and `scale` are f32 values."""

    stream: int
    mean: float
    scale: float


def generate(seed: int, rule: Rule, shape) -> np.ndarray:
    count = int(np.prod(shape, dtype=np.int64))
    with np.errstate(over="ignore"):
        key = mix(np.uint64(seed) ^ mix(np.uint64(rule.stream)))
        bits = mix(key + np.arange(1, count + 1, dtype=np.uint64) * G)
    u = (bits >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1
    return (np.float64(np.float32(rule.mean)) + np.float64(np.float32(rule.scale)) * u).astype(np.float32).reshape(shape)
