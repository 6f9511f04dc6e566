# SPDX-License-Identifier: Apache-2.0
"""DAB-Deformable-DETR-R50: four feature levels, deformable attention into the image, boxes refined by every layer.

images [N,3,H,W] -> pred_logits [N,300,91], pred_boxes [N,300,4]; with `aux` those of layers 0 to 4 follow."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fovea_models.detr_parts import Mlp, PackedAttention, anchor_encoding, feature_mask, image_encoding, inverse_sigmoid
from fovea_models.ms_deform_attn import MsDeformAttn
from fovea_models.resnet50 import backbone

CLASSES = 91
LEVELS = 4


@dataclass(frozen=True)
class Config:
    channels: int = 256
    heads: int = 8
    points: int = 4
    feedforward: int = 2048
    encoder_layers: int = 6
    decoder_layers: int = 6
    queries: int = 300
    temperature: float = 10000.0


class EncoderLayer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.self_attn = MsDeformAttn(c.channels, LEVELS, c.heads, c.points)
        self.norm1 = nn.LayerNorm(c.channels)
        self.linear1 = nn.Linear(c.channels, c.feedforward)
        self.linear2 = nn.Linear(c.feedforward, c.channels)
        self.norm2 = nn.LayerNorm(c.channels)

    def forward(self, x: Tensor, pos: Tensor, reference: Tensor, levels: tuple) -> Tensor:
        x = self.norm1(x + self.self_attn(x + pos, reference, x, *levels))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))


class DecoderLayer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.cross_attn = MsDeformAttn(c.channels, LEVELS, c.heads, c.points)
        self.norm1 = nn.LayerNorm(c.channels)
        self.self_attn = PackedAttention(c.channels, c.heads)
        self.norm2 = nn.LayerNorm(c.channels)
        self.linear1 = nn.Linear(c.channels, c.feedforward)
        self.linear2 = nn.Linear(c.feedforward, c.channels)
        self.norm3 = nn.LayerNorm(c.channels)

    def forward(self, x: Tensor, query_pos: Tensor, reference: Tensor, memory: Tensor, levels: tuple) -> Tensor:
        guided = x + query_pos
        x = self.norm2(x + self.self_attn(guided, guided, x))
        x = self.norm1(x + self.cross_attn(x + query_pos, reference, memory, *levels))
        return self.norm3(x + self.linear2(F.relu(self.linear1(x))))


class Encoder(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(c) for _ in range(c.encoder_layers))


class Decoder(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(c) for _ in range(c.decoder_layers))
        self.query_scale = Mlp(c.channels, c.channels, c.channels, 2)
        self.ref_point_head = Mlp(2 * c.channels, c.channels, c.channels, 2)
        self.bbox_embed: nn.ModuleList | None = None  # the network's own; checkpoints list it under both names


class Transformer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.encoder = Encoder(c)
        self.decoder = Decoder(c)
        self.level_embed = nn.Parameter(torch.zeros(LEVELS, c.channels))


def pixel_centres(maps: list[Tensor], ratios: Tensor) -> Tensor:
    """[N, S, L, 2]: centre of every pixel of every level, in 0..1 of the valid part, placed on each level."""
    parts = []
    for level, x in enumerate(maps):
        height, width = x.shape[2], x.shape[3]
        rows = torch.arange(height, device=x.device).float().view(1, -1, 1) + 0.5
        columns = torch.arange(width, device=x.device).float().view(1, 1, -1) + 0.5
        ratio = ratios[:, level].view(-1, 2, 1, 1)  # x, y
        columns, rows = columns / (ratio[:, 0] * width) + 0 * rows, rows / (ratio[:, 1] * height) + 0 * columns
        parts.append(torch.stack((columns.flatten(1), rows.flatten(1)), dim=-1))
    return torch.cat(parts, dim=1)[:, :, None] * ratios[:, None]


class DeformableDabDetr(nn.Module):
    def __init__(self, config: Config = Config(), aux: bool = False):
        super().__init__()
        self.config, self.aux = config, aux
        c = config
        self.backbone = backbone()
        # Index 0 of each pair is the convolution, 1 the norm.
        self.input_proj = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c_in, c.channels, 1), nn.GroupNorm(32, c.channels)) for c_in in (512, 1024, 2048)
        )
        self.input_proj.append(nn.Sequential(nn.Conv2d(2048, c.channels, 3, 2, 1), nn.GroupNorm(32, c.channels)))
        self.transformer = Transformer(c)
        self.class_embed = nn.ModuleList(nn.Linear(c.channels, CLASSES) for _ in range(c.decoder_layers))
        self.bbox_embed = nn.ModuleList(Mlp(c.channels, c.channels, 4, 3) for _ in range(c.decoder_layers))
        self.transformer.decoder.bbox_embed = self.bbox_embed
        self.tgt_embed = nn.Embedding(c.queries, c.channels)
        self.refpoint_embed = nn.Embedding(c.queries, 4)

    def _levels(self, images: Tensor, mask: Tensor | None):
        """Projected maps, their padding masks and position encodings."""
        c3, c4, c5 = self.backbone[0]["body"](images)
        maps = [proj(x) for proj, x in zip(self.input_proj, (c3, c4, c5, c5))]
        masks = [torch.zeros_like(x[:, 0]).bool() if mask is None else feature_mask(mask, x) for x in maps]
        t = self.config.temperature
        pos = [image_encoding(m, t, t, shift=0.5) + e.view(1, -1, 1, 1) for m, e in zip(masks, self.transformer.level_embed)]
        return maps, masks, pos

    def _memory(self, images: Tensor, mask: Tensor | None):
        maps, masks, pos = self._levels(images, mask)
        source, pos = (torch.cat([x.flatten(2).transpose(1, 2) for x in parts], dim=1) for parts in (maps, pos))
        valid = [(~m).float() for m in masks]
        ratios = torch.stack([torch.stack((v[:, 0].mean(1), v[:, :, 0].mean(1)), dim=-1) for v in valid], dim=1)  # x, y
        shapes = torch.stack([_extent(x) for x in maps])
        sizes = shapes[:, 0] * shapes[:, 1]
        starts = sizes.cumsum(0).to(torch.int32) - sizes
        padding = None if mask is None else torch.cat([m.flatten(1) for m in masks], dim=1)
        levels = (shapes, starts, padding)
        centres, x = pixel_centres(maps, ratios), source
        for layer in self.transformer.encoder.layers:
            x = layer(x, pos, centres, levels)
        return x, ratios, levels

    def forward(self, images: Tensor, mask: Tensor | None = None) -> tuple[Tensor, ...]:
        memory, ratios, levels = self._memory(images, mask)
        decoder, batch = self.transformer.decoder, images.shape[0]
        x = self.tgt_embed.weight.unsqueeze(0).expand(batch, -1, -1)
        box = self.refpoint_embed.weight.sigmoid().unsqueeze(0).expand(batch, -1, -1)
        results = []
        for i, layer in enumerate(decoder.layers):
            placed = box[:, :, None] * torch.cat((ratios, ratios), dim=-1)[:, None]
            query_pos = decoder.ref_point_head(anchor_encoding(placed[:, :, 0]))
            if i > 0:
                query_pos = query_pos * decoder.query_scale(x)
            x = layer(x, query_pos, placed, memory, levels)
            box = (self.bbox_embed[i](x) + inverse_sigmoid(box)).sigmoid()
            results.append((self.class_embed[i](x), box))
        chosen = [results[-1]] + (results[:-1] if self.aux else [])
        return tuple(t for pair in chosen for t in pair)


def _extent(x: Tensor) -> Tensor:
    """(H, W) of a map as i32, also in a traced graph with dynamic sizes."""
    if torch.onnx.is_in_onnx_export():
        return torch._shape_as_tensor(x)[2:4].to(torch.int32)
    return torch.tensor(x.shape[2:4], dtype=torch.int32, device=x.device)
