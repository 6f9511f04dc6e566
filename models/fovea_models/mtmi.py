# SPDX-License-Identifier: Apache-2.0
"""MTMI: one encoder, two tasks. image [N,3,H,W] (normalised) -> seg_logits [N,19,H,W], depth_norm [N,1,H,W] in 0..1.

Parts and their state-dict prefixes: `backbone` (MiT), `decode_head` (segmentation: slim, or the official SegFormer
head), `depth_head` (DEST's progressive decoder). Metres are 80 * depth_norm."""
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fovea_models.mit import SIZES, MixTransformer, Size

CLASSES = 19


class DepthHead(nn.Module):
    """From the coarsest map to full resolution by nearest x2 steps, joining a finer map at each of the first three.

    `padding`: "zeros" as deployed (accelerators cannot reflect), or "reflect" as trained upstream."""

    def __init__(self, widths: tuple[int, int, int, int], padding: str = "zeros"):
        super().__init__()
        c1, c2, c3, c4 = widths
        pad = {"zeros": nn.ZeroPad2d, "reflect": nn.ReflectionPad2d}[padding]

        def point(c: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(c, c, 1), nn.ReLU())

        def fused(c_in: int, c_out: int) -> nn.Sequential:
            # Zero padding belongs to the convolution; the pad module is there for the index of the names.
            if padding == "zeros":
                return nn.Sequential(nn.Identity(), nn.Conv2d(c_in, c_out, 3, padding=1), nn.ReLU())
            return nn.Sequential(pad(1), nn.Conv2d(c_in, c_out, 3), nn.ReLU())

        self.fuse_conv1, self.fuse_conv2, self.fuse_conv3, self.fuse_conv4 = point(c4), point(c3), point(c2), point(c1)
        self.fused_1, self.fused_2 = fused(c4, c4), fused(c4 + c3, c3)
        self.fused_3, self.fused_4 = fused(c3 + c2, c2), fused(c2 + c1, c1)
        self.fused_5 = nn.Sequential(nn.Identity(), nn.Conv2d(c1, c1, 1), nn.ReLU())
        self.up = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.disp1_layer = nn.ModuleDict({"conv1": nn.Conv2d(c1, 1, 3, padding=1)})

    def forward(self, f1: Tensor, f2: Tensor, f3: Tensor, f4: Tensor) -> Tensor:
        x = self.fused_1(self.up(self.fuse_conv1(f4)))
        x = self.fused_2(self.up(torch.cat((x, self.fuse_conv2(f3)), dim=1)))
        x = self.fused_3(self.up(torch.cat((x, self.fuse_conv3(f2)), dim=1)))
        x = self.fused_4(self.up(torch.cat((x, self.fuse_conv4(f1)), dim=1)))
        return self.disp1_layer["conv1"](self.fused_5(self.up(x))).sigmoid()


class Resize(nn.Module):
    """Up by a power of two; bilinear steps of at most 4, which is what fixed-function accelerators take."""

    def __init__(self, factor: int, mode: str):
        super().__init__()
        self.steps = [4.0, 2.0] if factor == 8 else [float(factor)]
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            corners = {} if self.mode == "nearest" else {"align_corners": False}
            x = F.interpolate(x, scale_factor=step, mode=self.mode, **corners)
        return x


class SlimHead(nn.Module):
    """SegFormer's head made slim: 1x1 projections of the four maps, joined by sum (or concat), one 1x1, prediction."""

    def __init__(self, widths: tuple[int, int, int, int], width: int = 256, fusion: str = "sum", mode: str = "bilinear"):
        super().__init__()
        if fusion not in ("sum", "concat"):
            raise ValueError(f"fusion: expected sum or concat, found {fusion}")
        self.fusion = fusion
        for i, c in enumerate(widths, 1):
            setattr(self, f"proj{i}", nn.Conv2d(c, width, 1))
        self.resize2, self.resize3, self.resize4 = Resize(2, mode), Resize(4, mode), Resize(8, mode)
        self.fuse = nn.Conv2d(width if fusion == "sum" else 4 * width, width, 1)
        self.pred = nn.Conv2d(width, CLASSES, 1)
        self.up = Resize(4, mode)

    def forward(self, f1: Tensor, f2: Tensor, f3: Tensor, f4: Tensor) -> Tensor:
        p1, p2 = self.proj1(f1), self.resize2(self.proj2(f2))
        p3, p4 = self.resize3(self.proj3(f3)), self.resize4(self.proj4(f4))
        joined = p1 + p2 + p3 + p4 if self.fusion == "sum" else torch.cat((p4, p3, p2, p1), dim=1)
        return self.up(self.pred(F.relu(self.fuse(joined))))


class _Projection(nn.Module):
    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.proj = nn.Linear(c_in, c_out)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _Fuse(nn.Module):
    def __init__(self, c_in: int, c_out: int):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class OfficialHead(nn.Module):
    """SegFormer's all-MLP head, with the final x4 upsampling inside."""

    def __init__(self, widths: tuple[int, int, int, int], width: int = 256):
        super().__init__()
        for i, c in enumerate(widths, 1):
            setattr(self, f"linear_c{i}", _Projection(c, width))
        self.linear_fuse = _Fuse(4 * width, width)
        self.linear_pred = nn.Conv2d(width, CLASSES, 1)

    def forward(self, f1: Tensor, f2: Tensor, f3: Tensor, f4: Tensor) -> Tensor:
        def grown(x: Tensor) -> Tensor:
            return F.interpolate(x, size=f1.shape[2:], mode="bilinear", align_corners=False)

        parts = (grown(self.linear_c4(f4)), grown(self.linear_c3(f3)), grown(self.linear_c2(f2)), self.linear_c1(f1))
        x = self.linear_pred(self.linear_fuse(torch.cat(parts, dim=1)))
        return F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)


@torch.no_grad()
def slim_from_official(official: OfficialHead) -> SlimHead:
    """The same function as a slim head (exact but for rounding and the x8 step): before the fuse's ReLU everything is
    linear, and a 1x1 convolution commutes with bilinear resizing, so each level gets its block of the fuse matrix."""
    fuse, bn = official.linear_fuse.conv, official.linear_fuse.bn
    width = fuse.out_channels
    levels = [getattr(official, f"linear_c{i}").proj for i in range(1, 5)]
    slim = SlimHead(tuple(p.in_features for p in levels), width)
    gain = (bn.weight / (bn.running_var + bn.eps).sqrt()).double()
    blocks = fuse.weight.double().view(width, 4, width).unbind(1)[::-1]  # concatenated as c4, c3, c2, c1
    bias = (bn.bias - bn.running_mean * gain).double()
    for i, (linear, block) in enumerate(zip(levels, blocks), 1):
        projection = getattr(slim, f"proj{i}")
        projection.weight.copy_((gain.view(-1, 1) * (block @ linear.weight.double())).view_as(projection.weight))
        projection.bias.zero_()
        bias = bias + gain * (block @ linear.bias.double())
    slim.proj1.bias.copy_(bias)
    slim.fuse.weight.copy_(torch.eye(width).view(width, width, 1, 1))
    slim.fuse.bias.zero_()
    slim.pred.load_state_dict(official.linear_pred.state_dict())
    return slim


class Mtmi(nn.Module):
    """forward() -> seg_logits, depth_norm and the four feature maps at which the network may be cut."""

    def __init__(self, size: Size = SIZES["b0"], head: str = "slim", head_width: int = 256, fusion: str = "sum",
                 mode: str = "bilinear", depth_padding: str = "zeros"):
        super().__init__()
        self.backbone = MixTransformer(size)
        if head == "slim":
            self.decode_head = SlimHead(size.widths, head_width, fusion, mode)
        else:
            self.decode_head = OfficialHead(size.widths, head_width)
        self.depth_head = DepthHead(size.widths, depth_padding)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        maps = self.backbone(image)
        return self.decode_head(*maps), self.depth_head(*maps), *maps
