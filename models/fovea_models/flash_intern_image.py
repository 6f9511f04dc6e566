# SPDX-License-Identifier: Apache-2.0
"""FlashInternImage T, S, B, L: image classifier built of DCNv4 blocks. images [N,3,S,S] -> logits [N,1000].

T is pre-norm with a norm at the end of each level; S, B and L are post-norm with layer scale and a depthwise convolution
in front of the offsets. Indices in names such as `norm1.0` and `norm1.1` count the permutations around a norm, as in
the official checkpoints (`checkpoint["model"]`)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fovea_models.dcnv4 import Dcnv4

GROUP_CHANNELS = 16
NORM_EPS = 1e-6


@dataclass(frozen=True)
class Size:
    channels: int
    depths: tuple[int, int, int, int]
    offset_scale: float
    side: int = 224
    post_norm: bool = True
    biased: bool = False  # output_proj and fc2 have a bias


SIZES = {
    "t": Size(64, (4, 4, 18, 4), 1.0, post_norm=False),
    "s": Size(80, (4, 4, 21, 4), 1.0),
    "b": Size(112, (4, 4, 21, 4), 0.5),
    "l": Size(160, (5, 5, 22, 5), 2.0, side=384, biased=True),
}


class ToLast(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)


class ToFirst(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.permute(0, 3, 1, 2)


def norm(channels: int) -> nn.LayerNorm:
    return nn.LayerNorm(channels, eps=NORM_EPS)


class Stem(nn.Module):
    """Two 3x3 convolutions of stride 2; [N,3,S,S] -> [N, S/4, S/4, C]."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels // 2, 3, 2, 1)
        self.norm1 = nn.Sequential(ToLast(), norm(channels // 2), ToFirst())
        self.act = nn.GELU()
        self.conv2 = nn.Conv2d(channels // 2, channels, 3, 2, 1)
        self.norm2 = nn.Sequential(ToLast(), norm(channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm2(self.conv2(self.act(self.norm1(self.conv1(x)))))


class Mlp(nn.Module):
    def __init__(self, channels: int, biased: bool):
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(4 * channels, channels, bias=biased)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, channels: int, size: Size):
        super().__init__()
        self.post_norm = size.post_norm
        self.norm1 = nn.Sequential(norm(channels))
        self.dcn = Dcnv4(channels, channels // GROUP_CHANNELS, size.offset_scale, size.post_norm, size.biased)
        self.norm2 = nn.Sequential(norm(channels))
        self.mlp = Mlp(channels, size.biased)
        if size.post_norm:
            self.gamma1 = nn.Parameter(torch.full((channels,), 1e-5))
            self.gamma2 = nn.Parameter(torch.full((channels,), 1e-5))

    def forward(self, x: Tensor, height, width) -> Tensor:
        if self.post_norm:
            x = x + self.gamma1 * self.norm1(self.dcn(x, height, width))
            return x + self.gamma2 * self.norm2(self.mlp(x))
        x = x + self.dcn(self.norm1(x), height, width)
        return x + self.mlp(self.norm2(x))


class Downsample(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 3, 2, 1, bias=False)
        self.norm = nn.Sequential(ToLast(), norm(2 * channels), ToFirst())

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Level(nn.Module):
    """Blocks of one resolution. Returns the level's feature map [N,c,H,W] (before the downsampling) and the next map."""

    def __init__(self, channels: int, depth: int, size: Size, last: bool):
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, size) for _ in range(depth))
        if not size.post_norm:
            self.norm = nn.Sequential(norm(channels))
        if not last:
            self.downsample = Downsample(channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        batch, height, width, channels = x.shape
        x = x.reshape(batch, height * width, channels)
        for block in self.blocks:
            x = block(x, height, width)
        if hasattr(self, "norm"):
            x = self.norm(x)
        feature = x.reshape(batch, height, width, channels).permute(0, 3, 1, 2)
        following = self.downsample(feature).permute(0, 2, 3, 1) if hasattr(self, "downsample") else feature
        return feature, following


class FlashInternImage(nn.Module):
    def __init__(self, size: Size = SIZES["t"], classes: int = 1000):
        super().__init__()
        self.side = size.side
        self.patch_embed = Stem(size.channels)
        self.levels = nn.ModuleList(
            Level(size.channels << i, depth, size, i == 3) for i, depth in enumerate(size.depths)
        )
        head = int(1.5 * 8 * size.channels)
        self.conv_head = nn.Sequential(
            nn.Conv2d(8 * size.channels, head, 1, bias=False), nn.Sequential(nn.BatchNorm2d(head)), nn.GELU()
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(head, classes)

    def features(self, x: Tensor) -> list[Tensor]:
        """Maps of strides 4, 8, 16, 32, as a detector's or segmenter's backbone."""
        x, maps = self.patch_embed(x), []
        for level in self.levels:
            feature, x = level(x)
            maps.append(feature)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_head(self.features(x)[-1])
        return self.head(self.avgpool(x).flatten(1))
