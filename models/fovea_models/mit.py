# SPDX-License-Identifier: Apache-2.0
"""MiT-B0, B1, B2: the hierarchical transformer encoder of SegFormer. image [N,3,H,W] -> maps of strides 4, 8, 16, 32.

LayerNorm epsilon is 1e-6 in blocks and after stages, 1e-5 in patch embeddings and after the key/value reduction."""
from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

HEADS = (1, 2, 5, 8)
REDUCTIONS = (8, 4, 2, 1)


@dataclass(frozen=True)
class Size:
    widths: tuple[int, int, int, int]
    depths: tuple[int, int, int, int]


SIZES = {
    "b0": Size((32, 64, 160, 256), (2, 2, 2, 2)),
    "b1": Size((64, 128, 320, 512), (2, 2, 2, 2)),
    "b2": Size((64, 128, 320, 512), (3, 4, 6, 3)),
}


def to_map(tokens: Tensor, height, width) -> Tensor:
    return tokens.transpose(1, 2).reshape(tokens.shape[0], tokens.shape[2], height, width)


def to_tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


class PatchEmbed(nn.Module):
    """Overlapping patches: a strided convolution, then a norm over channels."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int):
        super().__init__()
        self.proj = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(c_out)

    def forward(self, x: Tensor):
        x = self.proj(x)
        return self.norm(to_tokens(x)), x.shape[2], x.shape[3]


class Attention(nn.Module):
    """Self-attention whose keys and values come from a map reduced by `reduction` on each side."""

    def __init__(self, channels: int, heads: int, reduction: int):
        super().__init__()
        self.heads, self.scale = heads, (channels // heads) ** -0.5
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)
        self.proj = nn.Linear(channels, channels)
        if reduction > 1:
            self.sr = nn.Conv2d(channels, channels, reduction, reduction)
            self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, height, width) -> Tensor:
        batch, tokens, channels = x.shape
        source = self.norm(to_tokens(self.sr(to_map(x, height, width)))) if hasattr(self, "sr") else x
        q = self.q(x).reshape(batch, tokens, self.heads, channels // self.heads).permute(0, 2, 1, 3)
        kv = self.kv(source).reshape(batch, -1, 2, self.heads, channels // self.heads).permute(2, 0, 3, 1, 4)
        share = ((q @ kv[0].transpose(-2, -1)) * self.scale).softmax(dim=-1)
        return self.proj((share @ kv[1]).transpose(1, 2).reshape(batch, tokens, channels))


class DepthwiseConv(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.dwconv = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels)

    def forward(self, x: Tensor, height, width) -> Tensor:
        return to_tokens(self.dwconv(to_map(x, height, width)))


class MixFfn(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.dwconv = DepthwiseConv(4 * channels)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor, height, width) -> Tensor:
        return self.fc2(self.act(self.dwconv(self.fc1(x), height, width)))


class Block(nn.Module):
    def __init__(self, channels: int, heads: int, reduction: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attn = Attention(channels, heads, reduction)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = MixFfn(channels)

    def forward(self, x: Tensor, height, width) -> Tensor:
        x = x + self.attn(self.norm1(x), height, width)
        return x + self.mlp(self.norm2(x), height, width)


class MixTransformer(nn.Module):
    def __init__(self, size: Size = SIZES["b0"]):
        super().__init__()
        previous = 3
        for stage, (width, depth) in enumerate(zip(size.widths, size.depths), 1):
            kernel, stride = (7, 4) if stage == 1 else (3, 2)
            setattr(self, f"patch_embed{stage}", PatchEmbed(previous, width, kernel, stride))
            blocks = (Block(width, HEADS[stage - 1], REDUCTIONS[stage - 1]) for _ in range(depth))
            setattr(self, f"block{stage}", nn.ModuleList(blocks))
            setattr(self, f"norm{stage}", nn.LayerNorm(width, eps=1e-6))
            previous = width

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        maps = []
        for stage in range(1, 5):
            tokens, height, width = getattr(self, f"patch_embed{stage}")(x)
            for block in getattr(self, f"block{stage}"):
                tokens = block(tokens, height, width)
            x = to_map(getattr(self, f"norm{stage}")(tokens), height, width)
            maps.append(x)
        return tuple(maps)
