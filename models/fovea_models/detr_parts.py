# SPDX-License-Identifier: Apache-2.0
"""What DAB-DETR and its deformable variant share: position encodings, box arithmetic, small networks, attention.

Sequences are batch-first here ([N, tokens, channels]); channel orders and constants are those of the official models."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TAU = 2 * math.pi


class Mlp(nn.Module):
    """Linear layers with ReLU between them."""

    def __init__(self, c_in: int, hidden: int, c_out: int, depth: int):
        super().__init__()
        sizes = [c_in] + [hidden] * (depth - 1) + [c_out]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return self.layers[-1](x)


def inverse_sigmoid(x: Tensor) -> Tensor:
    """log(x / (1 - x)) with both parts held above 1e-3."""
    x = x.clamp(0, 1)
    return torch.log(x.clamp(min=1e-3) / (1 - x).clamp(min=1e-3))


def _periods(count: int, temperature: float, device) -> Tensor:
    """t_i = T^(2*floor(i/2)/count)."""
    i = torch.arange(count, dtype=torch.float32, device=device)
    return temperature ** (2 * torch.floor(i / 2) / count)


def waves(x: Tensor, count: int, temperature: float) -> Tensor:
    """[...] -> [..., count]: sin(x / t_i) for even i, cos(x / t_i) for odd i."""
    angle = x.unsqueeze(-1) / _periods(count, temperature, x.device)
    return torch.stack((angle[..., 0::2].sin(), angle[..., 1::2].cos()), dim=-1).flatten(-2)


def image_encoding(mask: Tensor, height_temperature: float, width_temperature: float, shift: float = 0.0) -> Tensor:
    """mask [N,h,w], true where padded -> [N, 256, h, w]; 128 channels of the row, then 128 of the column."""
    valid = (~mask).float()
    y, x = valid.cumsum(1), valid.cumsum(2)
    y = (y - shift) / (y[:, -1:, :] + 1e-6) * TAU
    x = (x - shift) / (x[:, :, -1:] + 1e-6) * TAU
    return torch.cat((waves(y, 128, height_temperature), waves(x, 128, width_temperature)), dim=-1).permute(0, 3, 1, 2)


def anchor_encoding(boxes: Tensor) -> Tensor:
    """[..., 4] (cx, cy, w, h) -> [..., 512]: 128 channels each of y, x, w, h; temperature 10000."""
    cx, cy, w, h = boxes.unbind(-1)
    return torch.cat([waves(v * TAU, 128, 10000.0) for v in (cy, cx, w, h)], dim=-1)


def feature_mask(mask: Tensor, feature: Tensor) -> Tensor:
    """The image's padding mask at a feature map's size, by nearest."""
    return F.interpolate(mask[:, None].float(), size=feature.shape[2:], mode="nearest")[:, 0].bool()


def heads_of(x: Tensor, heads: int) -> Tensor:
    """[N, tokens, C] -> [N, heads, tokens, C / heads]."""
    return x.reshape(x.shape[0], -1, heads, x.shape[2] // heads).transpose(1, 2)


def attend(q: Tensor, k: Tensor, v: Tensor, padding: Tensor | None) -> Tensor:
    """q, k [N,heads,*,D], v [N,heads,*,E] -> [N,*,heads*E]; `padding` [N, keys] is true where a key does not count."""
    score = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)
    if padding is not None:
        score = score.masked_fill(padding[:, None, None, :], float("-inf"))
    return (score.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)


class PackedAttention(nn.Module):
    """Multi-head attention whose three input projections are one matrix, in the order q, k, v."""

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, q: Tensor, k: Tensor, v: Tensor, padding: Tensor | None = None) -> Tensor:
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (heads_of(F.linear(x, w, b), self.heads) for x, w, b in zip((q, k, v), weights, biases))
        return self.out_proj(attend(q, k, v, padding))


class OutputProjection(nn.Module):
    """Attention without input projections: these belong to the layer around it."""

    def __init__(self, channels: int):
        super().__init__()
        self.out_proj = nn.Linear(channels, channels)
