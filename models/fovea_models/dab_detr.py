# SPDX-License-Identifier: Apache-2.0
"""DAB-DETR-R50: detection by queries that are boxes. images [N,3,H,W] -> pred_logits [N,Q,91], pred_boxes [N,Q,4].

Boxes are cx, cy, w, h in 0..1 of the unpadded image; scores are sigmoids of the logits. With `aux` the logits and boxes
of decoder layers 0 to 4 follow. `state_dict` names are those of the official `checkpoint["model"]`."""
from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fovea_models.detr_parts import (
    Mlp,
    OutputProjection,
    PackedAttention,
    anchor_encoding,
    attend,
    feature_mask,
    heads_of,
    image_encoding,
    inverse_sigmoid,
)
from fovea_models.resnet50 import backbone

CLASSES = 91


@dataclass(frozen=True)
class Config:
    channels: int = 256
    heads: int = 8
    feedforward: int = 2048
    encoder_layers: int = 6
    decoder_layers: int = 6
    queries: int = 300
    patterns: int = 0
    dilation: bool = False  # "DC5"
    height_temperature: float = 20.0  # of the image encoding; `config.json` beside a checkpoint has its own
    width_temperature: float = 20.0
    fixed_xy: bool = False  # "fixxy": x and y of the anchors are drawn once and not trained
    activation: str = "prelu"
    pre_norm: bool = False  # adds `encoder.norm`; the layers stay as they are
    keep_query_pos: bool = False
    query_scale_type: str = "cond_elewise"  # or cond_scalar, fix_elewise


def feed_forward_activation(kind: str) -> nn.Module:
    return nn.PReLU() if kind == "prelu" else nn.ReLU()


class EncoderLayer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.self_attn = PackedAttention(c.channels, c.heads)
        self.linear1 = nn.Linear(c.channels, c.feedforward)
        self.linear2 = nn.Linear(c.feedforward, c.channels)
        self.norm1 = nn.LayerNorm(c.channels)
        self.norm2 = nn.LayerNorm(c.channels)
        self.activation = feed_forward_activation(c.activation)

    def forward(self, x: Tensor, pos: Tensor, padding: Tensor | None) -> Tensor:
        guided = x + pos
        x = self.norm1(x + self.self_attn(guided, guided, x, padding))
        return self.norm2(x + self.linear2(self.activation(self.linear1(x))))


class Encoder(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(c) for _ in range(c.encoder_layers))
        self.query_scale = Mlp(c.channels, c.channels, c.channels, 2)
        if c.pre_norm:
            self.norm = nn.LayerNorm(c.channels)

    def forward(self, x: Tensor, pos: Tensor, padding: Tensor | None) -> Tensor:
        for layer in self.layers:
            x = layer(x, pos * self.query_scale(x), padding)
        return self.norm(x) if hasattr(self, "norm") else x


class DecoderLayer(nn.Module):
    """Self-attention among queries, then cross-attention whose heads see content and position side by side."""

    def __init__(self, c: Config, first: bool):
        super().__init__()
        self.heads, self.with_query_pos = c.heads, first or c.keep_query_pos
        names = ["sa_qcontent", "sa_qpos", "sa_kcontent", "sa_kpos", "sa_v"]
        names += ["ca_qcontent", "ca_kcontent", "ca_kpos", "ca_v", "ca_qpos_sine"]
        for name in names + (["ca_qpos"] if self.with_query_pos else []):
            setattr(self, name + "_proj", nn.Linear(c.channels, c.channels))
        self.self_attn = OutputProjection(c.channels)
        self.cross_attn = OutputProjection(c.channels)
        self.linear1 = nn.Linear(c.channels, c.feedforward)
        self.linear2 = nn.Linear(c.feedforward, c.channels)
        self.norm1 = nn.LayerNorm(c.channels)
        self.norm2 = nn.LayerNorm(c.channels)
        self.norm3 = nn.LayerNorm(c.channels)
        self.activation = feed_forward_activation(c.activation)

    def _among_queries(self, x: Tensor, query_pos: Tensor) -> Tensor:
        q = self.sa_qcontent_proj(x) + self.sa_qpos_proj(query_pos)
        k = self.sa_kcontent_proj(x) + self.sa_kpos_proj(query_pos)
        q, k, v = (heads_of(t, self.heads) for t in (q, k, self.sa_v_proj(x)))
        return self.self_attn.out_proj(attend(q, k, v, None))

    def _into_image(self, x: Tensor, memory: Tensor, pos: Tensor, query_pos: Tensor, sine: Tensor, padding) -> Tensor:
        q, k, key_pos = self.ca_qcontent_proj(x), self.ca_kcontent_proj(memory), self.ca_kpos_proj(pos)
        if self.with_query_pos:
            q, k = q + self.ca_qpos_proj(query_pos), k + key_pos
        q, k, key_pos, sine = (heads_of(t, self.heads) for t in (q, k, key_pos, self.ca_qpos_sine_proj(sine)))
        q, k = torch.cat((q, sine), dim=-1), torch.cat((k, key_pos), dim=-1)
        return self.cross_attn.out_proj(attend(q, k, heads_of(self.ca_v_proj(memory), self.heads), padding))

    def forward(self, x: Tensor, memory: Tensor, pos: Tensor, query_pos: Tensor, sine: Tensor, padding) -> Tensor:
        x = self.norm1(x + self._among_queries(x, query_pos))
        x = self.norm2(x + self._into_image(x, memory, pos, query_pos, sine, padding))
        return self.norm3(x + self.linear2(self.activation(self.linear1(x))))


class Decoder(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(c, first=i == 0) for i in range(c.decoder_layers))
        self.norm = nn.LayerNorm(c.channels)
        if c.query_scale_type == "fix_elewise":
            self.query_scale = nn.Embedding(c.decoder_layers, c.channels)
        else:
            self.query_scale = Mlp(c.channels, c.channels, 1 if c.query_scale_type == "cond_scalar" else c.channels, 2)
        self.ref_point_head = Mlp(2 * c.channels, c.channels, c.channels, 2)
        self.ref_anchor_head = Mlp(c.channels, c.channels, 2, 2)
        self.bbox_embed: Mlp | None = None  # the network's own; checkpoints list it under both names

    def _scaled(self, sine: Tensor, x: Tensor, box: Tensor, layer: int) -> Tensor:
        """The position half of the queries: scaled by content, and by the size the content expects over the box's."""
        half = sine[..., :256]
        if isinstance(self.query_scale, nn.Embedding):
            half = half * self.query_scale.weight[layer]
        elif layer > 0:
            half = half * self.query_scale(x)
        expected = self.ref_anchor_head(x).sigmoid()
        rows = half[..., :128] * (expected[..., 1:2] / box[..., 3:4])
        columns = half[..., 128:] * (expected[..., 0:1] / box[..., 2:3])
        return torch.cat((rows, columns), dim=-1)

    def forward(self, x: Tensor, memory: Tensor, pos: Tensor, anchors: Tensor, padding) -> tuple[list[Tensor], list[Tensor]]:
        """Per layer: the normed queries, and the boxes that the layer started from."""
        box, found, boxes = anchors.sigmoid(), [], []
        for i, layer in enumerate(self.layers):
            sine = anchor_encoding(box)
            x = layer(x, memory, pos, self.ref_point_head(sine), self._scaled(sine, x, box, i), padding)
            found.append(self.norm(x))
            boxes.append(box)
            if i + 1 < len(self.layers):  # moved by the un-normed queries
                box = (self.bbox_embed(x) + inverse_sigmoid(box)).sigmoid()
        return found, boxes


class Transformer(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.encoder = Encoder(c)
        self.decoder = Decoder(c)
        if c.patterns > 0:
            self.patterns = nn.Embedding(c.patterns, c.channels)


class DabDetr(nn.Module):
    def __init__(self, config: Config = Config(), aux: bool = False):
        super().__init__()
        self.config, self.aux = config, aux
        c = config
        self.backbone = backbone(c.dilation)
        self.input_proj = nn.Conv2d(2048, c.channels, 1)
        self.transformer = Transformer(c)
        self.class_embed = nn.Linear(c.channels, CLASSES)
        self.bbox_embed = Mlp(c.channels, c.channels, 4, 3)
        self.transformer.decoder.bbox_embed = self.bbox_embed
        self.refpoint_embed = nn.Embedding(c.queries, 4)
        if c.fixed_xy:
            with torch.no_grad():
                self.refpoint_embed.weight[:, :2].uniform_(0, 1)
                self.refpoint_embed.weight[:, :2] = inverse_sigmoid(self.refpoint_embed.weight[:, :2])

    def _queries(self, batch) -> tuple[Tensor, Tensor]:
        """Content and anchors [N,Q,*]; with patterns every anchor appears once per pattern, pattern-major."""
        anchors, c = self.refpoint_embed.weight, self.config
        if c.patterns > 0:
            content = self.transformer.patterns.weight.repeat_interleave(c.queries, dim=0).expand(batch, -1, -1)
            anchors = anchors.repeat(c.patterns, 1)
        else:
            content = torch.zeros(batch, c.queries, c.channels, device=anchors.device)
        return content, anchors.expand(batch, -1, -1)

    def forward(self, images: Tensor, mask: Tensor | None = None) -> tuple[Tensor, ...]:
        """`mask` [N,H,W]: true where an image of the batch is padded (right and bottom)."""
        c5 = self.backbone[0]["body"](images)[2]
        if mask is None:
            small, padding = torch.zeros_like(c5[:, 0]).bool(), None
        else:
            small = feature_mask(mask, c5)
            padding = small.flatten(1)
        pos = image_encoding(small, self.config.height_temperature, self.config.width_temperature)
        pos, source = (t.flatten(2).transpose(1, 2) for t in (pos, self.input_proj(c5)))
        memory = self.transformer.encoder(source, pos, padding)
        content, anchors = self._queries(images.shape[0])
        found, boxes = self.transformer.decoder(content, memory, pos, anchors, padding)
        last = len(found) - 1
        outputs = []
        for i in [last] + (list(range(last)) if self.aux else []):
            outputs += [self.class_embed(found[i]), (self.bbox_embed(found[i]) + inverse_sigmoid(boxes[i])).sigmoid()]
        return tuple(outputs)
