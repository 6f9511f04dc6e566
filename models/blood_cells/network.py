# SPDX-License-Identifier: Apache-2.0
# The blood cell detector: a small convolutional network with a CSP backbone, a two-way feature
# pyramid and an anchor-free head on strides 8, 16 and 32. Box sides are predicted as a
# distribution over integer distances (in units of the stride) and read out as its mean.
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LABELS = ("RBC", "WBC", "Platelets")
STRIDES = (8, 16, 32)
BINS = 16  # distances 0 .. 15 strides


@dataclass(frozen=True)
class Size:
    """Channel counts. The defaults give the published model."""

    stem: int = 16
    stages: tuple[int, int, int, int] = (32, 64, 112, 160)  # strides 4, 8, 16, 32
    depths: tuple[int, int, int, int] = (1, 2, 2, 1)
    neck: tuple[int, int, int] = (64, 96, 144)  # strides 8, 16, 32
    head: int = 48


class ConvUnit(nn.Module):
    """Convolution, batch normalisation, SiLU."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class Bottleneck(nn.Module):
    """Two 3x3 convolutions, with the input added when `residual` is set."""

    def __init__(self, channels: int, residual: bool):
        super().__init__()
        self.first = ConvUnit(channels, channels, 3)
        self.second = ConvUnit(channels, channels, 3)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x))
        return x + y if self.residual else y


class SplitStage(nn.Module):
    """Cross-stage block: half of the channels pass untouched, the other half run through a chain
    of bottlenecks whose every result is kept, and a 1x1 convolution mixes all of them."""

    def __init__(self, c_in: int, c_out: int, depth: int, residual: bool):
        super().__init__()
        self.half = c_out // 2
        self.enter = ConvUnit(c_in, 2 * self.half)
        self.chain = nn.ModuleList(Bottleneck(self.half, residual) for _ in range(depth))
        self.leave = ConvUnit((2 + depth) * self.half, c_out)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.enter(x).split(self.half, dim=1))
        for block in self.chain:
            parts.append(block(parts[-1]))
        return self.leave(torch.cat(parts, dim=1))


class PoolPyramid(nn.Module):
    """Three chained 5x5 max pools (windows of 5, 9 and 13 cells), concatenated with their input."""

    def __init__(self, channels: int):
        super().__init__()
        self.enter = ConvUnit(channels, channels // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.leave = ConvUnit(4 * (channels // 2), channels)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.leave(torch.cat(parts, dim=1))


class Branch(nn.Module):
    """Two 3x3 convolutions and a 1x1 projection: one half of the head on one stride."""

    def __init__(self, c_in: int, c_mid: int, c_out: int):
        super().__init__()
        self.first = ConvUnit(c_in, c_mid, 3)
        self.second = ConvUnit(c_mid, c_mid, 3)
        self.project = nn.Conv2d(c_mid, c_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.second(self.first(x)))


class Detector(nn.Module):
    """forward() returns side logits [N, A, 4, BINS] and class logits [N, A, 3]."""

    def __init__(self, size: Size = Size()):
        super().__init__()
        self.size = size
        c2, c3, c4, c5 = size.stages
        n3, n4, n5 = size.neck
        d2, d3, d4, d5 = size.depths
        self.stem = ConvUnit(3, size.stem, 3, 2)
        self.down2 = ConvUnit(size.stem, c2, 3, 2)
        self.stage2 = SplitStage(c2, c2, d2, True)
        self.down3 = ConvUnit(c2, c3, 3, 2)
        self.stage3 = SplitStage(c3, c3, d3, True)
        self.down4 = ConvUnit(c3, c4, 3, 2)
        self.stage4 = SplitStage(c4, c4, d4, True)
        self.down5 = ConvUnit(c4, c5, 3, 2)
        self.stage5 = SplitStage(c5, c5, d5, True)
        self.context = PoolPyramid(c5)
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        self.top4 = SplitStage(c5 + c4, n4, 1, False)
        self.top3 = SplitStage(n4 + c3, n3, 1, False)
        self.back4 = ConvUnit(n3, n3, 3, 2)
        self.out4 = SplitStage(n3 + n4, n4, 1, False)
        self.back5 = ConvUnit(n4, n4, 3, 2)
        self.out5 = SplitStage(n4 + c5, n5, 1, False)
        self.sides = nn.ModuleList(Branch(c, size.head, 4 * BINS) for c in size.neck)
        self.classes = nn.ModuleList(Branch(c, size.head, len(LABELS)) for c in size.neck)
        self._start_quiet()

    def _start_quiet(self) -> None:
        """First predictions: boxes of a few strides, and every score near 1 percent."""
        for sides, classes in zip(self.sides, self.classes):
            nn.init.constant_(sides.project.bias, 1.0)
            nn.init.constant_(classes.project.bias, -math.log(99.0))

    def features(self, x: Tensor) -> list[Tensor]:
        x2 = self.stage2(self.down2(self.stem(x)))
        x3 = self.stage3(self.down3(x2))
        x4 = self.stage4(self.down4(x3))
        x5 = self.context(self.stage5(self.down5(x4)))
        t4 = self.top4(torch.cat((self.upsample(x5), x4), dim=1))
        p3 = self.top3(torch.cat((self.upsample(t4), x3), dim=1))
        p4 = self.out4(torch.cat((self.back4(p3), t4), dim=1))
        p5 = self.out5(torch.cat((self.back5(p4), x5), dim=1))
        return [p3, p4, p5]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.features(x)
        sides = torch.cat([b(f).flatten(2) for b, f in zip(self.sides, maps)], dim=2)
        classes = torch.cat([b(f).flatten(2) for b, f in zip(self.classes, maps)], dim=2)
        return sides.transpose(1, 2).unflatten(2, (4, BINS)), classes.transpose(1, 2)


def anchor_points(side: int, device=None) -> tuple[Tensor, Tensor]:
    """Cell centres in pixels [A, 2] and strides [A, 1] of a square input of `side` pixels."""
    points, strides = [], []
    for stride in STRIDES:
        centres = (torch.arange(side // stride, device=device) + 0.5) * stride
        y, x = torch.meshgrid(centres, centres, indexing="ij")
        points.append(torch.stack((x, y), dim=-1).view(-1, 2))
        strides.append(torch.full((points[-1].shape[0], 1), float(stride), device=device))
    return torch.cat(points), torch.cat(strides)


def decode(side_logits: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """Boxes [N, A, 4] as x1, y1, x2, y2 in input pixels."""
    bins = torch.arange(BINS, device=side_logits.device, dtype=torch.float32)
    distance = (side_logits.float().softmax(dim=-1) @ bins) * strides
    return torch.cat((points - distance[..., :2], points + distance[..., 2:]), dim=-1)
