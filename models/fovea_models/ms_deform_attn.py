# SPDX-License-Identifier: Apache-2.0
"""Multi-scale deformable attention: every query samples a few points of every level. The operator in plain PyTorch, its
ONNX node `mmdeploy::MMCVMultiScaleDeformableAttention`, and the module of the official deformable detectors."""
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.onnx.symbolic_helper import parse_args


def ms_deform_attn(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """value [N,S,M,D] (levels one after the other, row-major), shapes [L,2] (H, W), locations [N,Q,M,L,P,2] (x, y in
    0..1 over the level), weights [N,Q,M,L,P] -> [N,Q,M*D].

        out[n,q,m] = sum over l, p of weights * bilinear(value_l, y = y*H - 0.5, x = x*W - 0.5), zero outside"""
    batch, _, heads, depth = value.shape
    queries, points = locations.shape[1], locations.shape[4]
    sizes = [(int(h), int(w)) for h, w in shapes.tolist()]
    out = torch.zeros(batch * heads, depth, queries, dtype=value.dtype, device=value.device)
    for level, part in enumerate(value.split([h * w for h, w in sizes], dim=1)):
        picture = part.permute(0, 2, 3, 1).reshape(batch * heads, depth, *sizes[level])
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).reshape(batch * heads, queries, points, 2)
        read = F.grid_sample(picture, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        out = out + (read * weights[:, :, :, level].transpose(1, 2).reshape(batch * heads, 1, queries, points)).sum(-1)
    return out.reshape(batch, heads * depth, queries).transpose(1, 2)


@torch.library.custom_op("fovea::ms_deform_attn", mutates_args=())
def _attend(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """As one step, so that a traced graph holds one node. `starts` follows from `shapes`."""
    return ms_deform_attn(value, shapes, locations, weights).contiguous()


@parse_args("v", "v", "v", "v", "v")
def _attend_node(g, value, shapes, starts, locations, weights):
    return g.op("mmdeploy::MMCVMultiScaleDeformableAttention", value, shapes, starts, locations, weights)


torch.onnx.register_custom_op_symbolic("fovea::ms_deform_attn", _attend_node, 9)


class MsDeformAttn(nn.Module):
    def __init__(self, channels: int = 256, levels: int = 4, heads: int = 8, points: int = 4):
        super().__init__()
        self.levels, self.heads, self.points = levels, heads, points
        self.sampling_offsets = nn.Linear(channels, heads * levels * points * 2)
        self.attention_weights = nn.Linear(channels, heads * levels * points)
        self.value_proj = nn.Linear(channels, channels)
        self.output_proj = nn.Linear(channels, channels)
        nn.init.zeros_(self.sampling_offsets.weight)
        with torch.no_grad():  # the heads start by looking in different directions, further with every point
            angle = torch.arange(heads, dtype=torch.float32) * (2 * math.pi / heads)
            way = torch.stack((angle.cos(), angle.sin()), dim=-1)
            way = (way / way.abs().amax(-1, keepdim=True)).view(heads, 1, 1, 2).repeat(1, levels, points, 1)
            self.sampling_offsets.bias.copy_((way * torch.arange(1, points + 1).view(1, 1, -1, 1)).flatten())

    def forward(self, query: Tensor, reference: Tensor, source: Tensor, shapes: Tensor, starts: Tensor, padding) -> Tensor:
        """query [N,Q,C]; reference [N,Q,L,2 or 4] in 0..1; source [N,S,C]; padding [N,S], true where nothing is."""
        batch, queries, _ = query.shape
        value = self.value_proj(source)
        if padding is not None:
            value = value.masked_fill(padding[..., None], 0.0)
        value = value.reshape(batch, -1, self.heads, value.shape[2] // self.heads)
        offset = self.sampling_offsets(query).reshape(batch, queries, self.heads, self.levels, self.points, 2)
        share = self.attention_weights(query).reshape(batch, queries, self.heads, self.levels * self.points).softmax(-1)
        share = share.reshape(batch, queries, self.heads, self.levels, self.points)
        around = reference[:, :, None, :, None]
        if reference.shape[-1] == 2:
            extent = torch.stack((shapes[:, 1], shapes[:, 0]), dim=-1).float()
            locations = around + offset / extent.reshape(1, 1, 1, self.levels, 1, 2)
        else:
            locations = around[..., :2] + offset / self.points * around[..., 2:] * 0.5
        return self.output_proj(_attend(value, shapes, starts, locations, share))
