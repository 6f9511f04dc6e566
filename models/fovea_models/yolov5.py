# SPDX-License-Identifier: Apache-2.0
"""YOLOv5 n, s, m (v6.0 structure): images [N,3,S,S] in 0..1 -> three maps of strides 8, 16, 32, or decoded boxes.

Every concatenation and residual sum is a module of its own (`concat`, `addop`): exported tensors then carry the names
that published calibration caches use, such as `/model.4/m/m.0/addop/Add_output_0`."""
from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

STRIDES = (8, 16, 32)
ANCHORS = (  # width, height in pixels, per stride
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)


@dataclass(frozen=True)
class Size:
    depth: float
    width: float

    def channels(self, count: int) -> int:
        return math.ceil(count * self.width / 8) * 8

    def repeats(self, count: int) -> int:
        return max(round(count * self.depth), 1)


SIZES = {"n": Size(0.33, 0.25), "s": Size(0.33, 0.50), "m": Size(0.67, 0.75)}


class Conv(nn.Module):
    """Convolution without bias, batch normalisation (eps 1e-3), SiLU."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1, pad: int | None = None):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2 if pad is None else pad, bias=False)
        self.bn = nn.BatchNorm2d(c_out, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.bn(self.conv(x)))


class Concat(nn.Module):
    def forward(self, *parts: Tensor) -> Tensor:
        return torch.cat(parts, dim=1)


class Add(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a + b


class Bottleneck(nn.Module):
    def __init__(self, channels: int, shortcut: bool):
        super().__init__()
        self.cv1 = Conv(channels, channels, 1)
        self.cv2 = Conv(channels, channels, 3)
        if shortcut:
            self.addop = Add()

    def forward(self, x: Tensor) -> Tensor:
        y = self.cv2(self.cv1(x))
        return self.addop(x, y) if hasattr(self, "addop") else y


class C3(nn.Module):
    """Cross-stage block: one half runs through bottlenecks, the other passes; a 1x1 convolution mixes them."""

    def __init__(self, c_in: int, c_out: int, depth: int, shortcut: bool):
        super().__init__()
        hidden = c_out // 2
        self.cv1 = Conv(c_in, hidden)
        self.cv2 = Conv(c_in, hidden)
        self.cv3 = Conv(2 * hidden, c_out)
        self.m = nn.Sequential(*(Bottleneck(hidden, shortcut) for _ in range(depth)))
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        return self.cv3(self.concat(self.m(self.cv1(x)), self.cv2(x)))


class Sppf(nn.Module):
    """Three chained 5x5 max pools beside their input."""

    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.cv1 = Conv(c_in, c_in // 2)
        self.cv2 = Conv(c_in // 2 * 4, c_out)
        self.m = nn.MaxPool2d(5, 1, 2)
        self.concat = Concat()

    def forward(self, x: Tensor) -> Tensor:
        x = self.cv1(x)
        p1 = self.m(x)
        p2 = self.m(p1)
        return self.cv2(self.concat(x, p1, p2, self.m(p2)))


class Detect(nn.Module):
    """1x1 convolutions; channel = anchor * (5 + classes) + k, k = x, y, w, h, objectness, classes."""

    def __init__(self, classes: int, channels: tuple[int, int, int], decode: bool):
        super().__init__()
        self.values, self.decode = 5 + classes, decode
        anchors = torch.tensor(ANCHORS, dtype=torch.float32)
        self.register_buffer("anchors", anchors / torch.tensor(STRIDES).view(3, 1, 1))  # in grid cells
        self.m = nn.ModuleList(nn.Conv2d(c, 3 * self.values, 1) for c in channels)

    def forward(self, maps: list[Tensor]) -> list[Tensor] | Tensor:
        maps = [conv(x) for conv, x in zip(self.m, maps)]
        return torch.cat([self._boxes(i, x) for i, x in enumerate(maps)], dim=1) if self.decode else maps

    def _boxes(self, level: int, x: Tensor) -> Tensor:
        """[N, anchors*cells, values]: centre and size in input pixels, then objectness and classes in 0..1."""
        batch, _, height, width = x.shape
        x = x.reshape(batch, 3, self.values, height, width).permute(0, 1, 3, 4, 2).sigmoid()
        rows = torch.arange(height, device=x.device, dtype=x.dtype).view(1, 1, -1, 1, 1)
        columns = torch.arange(width, device=x.device, dtype=x.dtype).view(1, 1, 1, -1, 1)
        cell = torch.cat((columns + 0 * rows, rows + 0 * columns), dim=-1)
        centre = (2 * x[..., 0:2] - 0.5 + cell) * STRIDES[level]
        side = (2 * x[..., 2:4]) ** 2 * (self.anchors[level] * STRIDES[level]).view(1, 3, 1, 1, 2)
        return torch.cat((centre, side, x[..., 4:]), dim=-1).reshape(batch, 3 * height * width, self.values)


class Yolov5(nn.Module):
    """`decode`: one output [N, boxes, 5 + classes]; else the three raw maps."""

    def __init__(self, size: Size = SIZES["s"], classes: int = 80, decode: bool = False):
        super().__init__()
        c, n = size.channels, size.repeats
        c1, c2, c3, c4, c5 = c(64), c(128), c(256), c(512), c(1024)
        layers = [
            Conv(3, c1, 6, 2, 2), Conv(c1, c2, 3, 2), C3(c2, c2, n(3), True),  # 0-2
            Conv(c2, c3, 3, 2), C3(c3, c3, n(6), True),  # 3-4, stride 8
            Conv(c3, c4, 3, 2), C3(c4, c4, n(9), True),  # 5-6, stride 16
            Conv(c4, c5, 3, 2), C3(c5, c5, n(3), True), Sppf(c5, c5),  # 7-9, stride 32
            Conv(c5, c4), nn.Upsample(scale_factor=2.0, mode="nearest"), Concat(), C3(2 * c4, c4, n(3), False),  # 10-13
            Conv(c4, c3), nn.Upsample(scale_factor=2.0, mode="nearest"), Concat(), C3(2 * c3, c3, n(3), False),  # 14-17
            Conv(c3, c3, 3, 2), Concat(), C3(2 * c3, c4, n(3), False),  # 18-20
            Conv(c4, c4, 3, 2), Concat(), C3(2 * c4, c5, n(3), False),  # 21-23
            Detect(classes, (c3, c4, c5), decode),
        ]  # fmt: skip
        self.model = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> list[Tensor] | Tensor:
        m = self.model
        x = m[2](m[1](m[0](x)))
        x4 = m[4](m[3](x))
        x6 = m[6](m[5](x4))
        x10 = m[10](m[9](m[8](m[7](x6))))
        x14 = m[14](m[13](m[12](m[11](x10), x6)))
        p3 = m[17](m[16](m[15](x14), x4))
        p4 = m[20](m[19](m[18](p3), x14))
        p5 = m[23](m[22](m[21](p4), x10))
        return m[24]([p3, p4, p5])
