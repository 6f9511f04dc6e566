# SPDX-License-Identifier: Apache-2.0
"""DCNv4, deformable convolution without softmax: the operator in plain PyTorch and the module around it.

Traced for ONNX the operator becomes one node `custom_op::DCNv4_Plugin`; run in PyTorch it is the formula below in f32,
in the order a reader would write it, so that it can serve as an oracle bit for bit."""
from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.onnx.symbolic_helper import parse_args


def offset_channels(points: int, group: int) -> int:
    """Channels of the offset tensor: dx, dy and a modulation scalar per point and group, padded to a multiple of 8."""
    return math.ceil(3 * points * group / 8) * 8


def dcnv4_forward(value: Tensor, offset: Tensor, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int, dh: int, dw: int,
                  group: int, group_channels: int, offscale: float, remove_center: int) -> Tensor:
    """value [B,H,W,C], offset [B,Ho,Wo,P] -> [B,Ho,Wo,C], C = group * group_channels.

        out[b,yo,xo,g,d] = sum over points k of  m_k * bilinear(value[b,:,:,g,d], y_k, x_k)
        x_k = (xo*sw - pw + hx) - s*hx + s*(i*dw + dx_k),   hx = dw*(kw-1) >> 1;   y_k alike

    Points are counted x-major (k = i*kh + j, i along x); samples outside contribute zero."""
    batch, height, width, channels = value.shape
    rows = (height + 2 * ph - (dh * (kh - 1) + 1)) // sh + 1
    columns = (width + 2 * pw - (dw * (kw - 1) + 1)) // sw + 1
    points = kh * kw - (1 if remove_center else 0)
    if channels != group * group_channels:
        raise ValueError(f"value: expected {group * group_channels} channels, found {channels}")
    if tuple(offset.shape[:3]) != (batch, rows, columns) or offset.shape[3] < 3 * points * group:
        raise ValueError(f"offset: expected [{batch}, {rows}, {columns}, >= {3 * points * group}], found {list(offset.shape)}")

    pixels = rows * columns
    flat = value.reshape(batch, height * width, group, group_channels)
    learned = offset[..., : 3 * points * group].reshape(batch, pixels, group, 3 * points)
    s = torch.tensor(offscale, dtype=torch.float32, device=value.device)
    hx, hy = (dw * (kw - 1)) >> 1, (dh * (kh - 1)) >> 1
    cell = torch.arange(pixels, device=value.device)
    x_start = ((cell % columns) * sw - pw + hx).float().view(1, pixels, 1) - s * hx
    y_start = ((cell // columns) * sh - ph + hy).float().view(1, pixels, 1) - s * hy

    def corner(row: Tensor, column: Tensor, weight: Tensor) -> Tensor:
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        index = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).long()
        read = flat.gather(1, index.unsqueeze(-1).expand(-1, -1, -1, group_channels))
        return weight.unsqueeze(-1) * torch.where(inside.unsqueeze(-1), read, torch.zeros_like(read))

    out = torch.zeros(batch, pixels, group, group_channels, dtype=value.dtype, device=value.device)
    k = 0
    for i in range(kw):
        for j in range(kh):
            if remove_center and i == kw // 2 and j == kh // 2:
                continue
            x = x_start + s * (i * dw + learned[..., 2 * k])
            y = y_start + s * (j * dh + learned[..., 2 * k + 1])
            # Not "outside": NaN coordinates are skipped too.
            counts = (y > -1) & (x > -1) & (y < height) & (x < width)
            x, y = torch.where(counts, x, torch.zeros_like(x)), torch.where(counts, y, torch.zeros_like(y))
            x0, y0 = x.floor(), y.floor()
            lx, ly = x - x0, y - y0
            t = corner(y0, x0, (1 - ly) * (1 - lx))
            t = t + corner(y0, x0 + 1, (1 - ly) * lx)
            t = t + corner(y0 + 1, x0, ly * (1 - lx))
            t = t + corner(y0 + 1, x0 + 1, ly * lx)
            term = learned[..., 2 * points + k].unsqueeze(-1) * t
            out = out + torch.where(counts.unsqueeze(-1), term, torch.zeros_like(term))
            k += 1
    return out.reshape(batch, rows, columns, channels)


@torch.library.custom_op("fovea::dcnv4", mutates_args=())
def dcnv4(value: Tensor, offset: Tensor, kh: int, kw: int, sh: int, sw: int, ph: int, pw: int, dh: int, dw: int, group: int,
          group_channels: int, offscale: float, step: int, remove_center: int) -> Tensor:
    """The operator as one step, so that a traced graph holds one node. Inference only; `step` changes nothing."""
    return dcnv4_forward(value, offset, kh, kw, sh, sw, ph, pw, dh, dw, group, group_channels, offscale, remove_center)


@parse_args("v", "v", *"iiiiiiiiii", "f", "i", "i")
def _dcnv4_node(g, value, offset, kh, kw, sh, sw, ph, pw, dh, dw, group, group_channels, offscale, step, remove_center):
    node = g.op("custom_op::DCNv4_Plugin", value, offset, kh_i=kh, kw_i=kw, sh_i=sh, sw_i=sw, ph_i=ph, pw_i=pw, dh_i=dh,
                dw_i=dw, group_i=group, group_channels_i=group_channels, offscale_f=offscale, step_i=step,
                remove_center_i=remove_center)
    keeps_size = kh % 2 == 1 and kw % 2 == 1 and (sh, sw, 2 * ph, 2 * pw) == (1, 1, dh * (kh - 1), dw * (kw - 1))
    return node.setType(value.type()) if keeps_size else node


torch.onnx.register_custom_op_symbolic("fovea::dcnv4", _dcnv4_node, 9)


class Dcnv4(nn.Module):
    """The module around the operator: tokens [N, H*W, C] in and out.

    `depthwise`: a 3x3 depthwise convolution in front of the offset branch. Names follow the official checkpoints."""

    def __init__(self, channels: int, group: int, offset_scale: float, depthwise: bool, output_bias: bool):
        super().__init__()
        self.group, self.group_channels, self.offset_scale = group, channels // group, offset_scale
        self.value_proj = nn.Linear(channels, channels)
        if depthwise:
            self.offset_mask_dw = nn.Conv2d(channels, channels, 3, 1, 1, groups=channels)
        self.offset_mask = nn.Linear(channels, offset_channels(9, group))
        self.output_proj = nn.Linear(channels, channels, bias=output_bias)
        # As published: an untrained module samples the plain grid with weight zero.
        nn.init.zeros_(self.offset_mask.weight)
        nn.init.zeros_(self.offset_mask.bias)

    def forward(self, x: Tensor, height, width) -> Tensor:
        batch, tokens, channels = x.shape
        value = self.value_proj(x).reshape(batch, height, width, channels)
        guide = x
        if hasattr(self, "offset_mask_dw"):
            guide = self.offset_mask_dw(x.reshape(batch, height, width, channels).permute(0, 3, 1, 2))
            guide = guide.permute(0, 2, 3, 1).reshape(batch, tokens, channels)
        offset = self.offset_mask(guide)
        offset = offset.reshape(batch, height, width, self.offset_mask.out_features)
        out = dcnv4(value, offset, 3, 3, 1, 1, 1, 1, 1, 1, self.group, self.group_channels, self.offset_scale,
                                  256, 0)
        return self.output_proj(out.reshape(batch, tokens, channels))
