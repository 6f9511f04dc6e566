# SPDX-License-Identifier: Apache-2.0
"""ResNet-50 (stride on the 3x3 convolution) with frozen batch normalisation, as a detector's backbone: C3, C4, C5."""
from __future__ import annotations

import torch
from torch import Tensor, nn

DEPTHS = (3, 4, 6, 3)


class FrozenNorm(nn.Module):
    """A fixed affine map of channels. Four buffers, no counter."""

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(1, -1, 1, 1) + shift.reshape(1, -1, 1, 1)


class Bottleneck(nn.Module):
    def __init__(self, c_in: int, width: int, stride: int, dilation: int):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 1, bias=False)
        self.bn1 = FrozenNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = FrozenNorm(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = FrozenNorm(4 * width)
        self.relu = nn.ReLU()
        if c_in != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(c_in, 4 * width, 1, stride, bias=False), FrozenNorm(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        return self.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet50(nn.Module):
    """`dilation`: the last stage keeps stride 16 ("DC5"); its first block is not dilated, the others are by 2."""

    def __init__(self, dilation: bool = False):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = FrozenNorm(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        channels = 64
        for stage, depth in enumerate(DEPTHS, 1):
            width, blocks = 32 << stage, []
            wide = dilation and stage == 4
            for i in range(depth):
                stride = 2 if i == 0 and stage > 1 and not wide else 1
                blocks.append(Bottleneck(channels, width, stride, 2 if wide and i > 0 else 1))
                channels = 4 * width
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        c3 = self.layer2(self.layer1(x))
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)


def backbone(dilation: bool = False) -> nn.Sequential:
    """In the wrapping that gives the official names: `0.body.conv1.weight`."""
    return nn.Sequential(nn.ModuleDict({"body": ResNet50(dilation)}))
