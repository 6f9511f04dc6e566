# SPDX-License-Identifier: Apache-2.0
# Training targets and loss: task-aligned assignment of labelled cells to grid points, binary
# cross-entropy on soft class targets, complete-IoU on boxes and cross-entropy on side bins.
# Every tensor has a fixed shape, so that a training step can be captured as one CUDA graph.
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from network import BINS, anchor_points, decode

EPS = 1e-7


def area(low: Tensor, high: Tensor) -> Tensor:
    width, height = (high - low).clamp(min=0).unbind(-1)
    return width * height


def overlap(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes that broadcast against each other."""
    shared = area(torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:]))
    return shared / (area(a[..., :2], a[..., 2:]) + area(b[..., :2], b[..., 2:]) - shared + EPS)


def complete_iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU less penalties for distant centres and unlike aspect ratios."""
    iou = overlap(a, b)
    hull = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    shift = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    distance = shift.square().sum(-1) / (hull.square().sum(-1) + EPS)
    wa, ha = (a[..., 2:] - a[..., :2]).clamp(min=EPS).unbind(-1)
    wb, hb = (b[..., 2:] - b[..., :2]).clamp(min=EPS).unbind(-1)
    aspect = (4 / math.pi**2) * (torch.atan(wa / ha) - torch.atan(wb / hb)).square()
    with torch.no_grad():
        weight = aspect / (1 - iou + aspect + EPS)
    return iou - distance - weight * aspect


class Assigner:
    """Gives each labelled cell the `count` grid points inside it whose predictions fit it best,
    by score**alpha * iou**beta, and scales their class target by that fit."""

    def __init__(self, count: int = 10, alpha: float = 0.5, beta: float = 6.0):
        self.count, self.alpha, self.beta = count, alpha, beta

    @torch.no_grad()
    def __call__(
        self, scores: Tensor, boxes: Tensor, points: Tensor, cells: Tensor, labels: Tensor
    ):
        """scores [N,A,C], boxes [N,A,4], points [A,2], cells [N,G,4], labels [N,G] (-1: none).
        Returns matched boxes [N,A,4], class targets [N,A,C] and the weight of each point [N,A]."""
        valid = labels >= 0
        kind = labels.clamp(min=0)
        inside = (
            torch.cat(
                (
                    points[None, None] - cells[:, :, None, :2],
                    cells[:, :, None, 2:] - points[None, None],
                ),
                dim=-1,
            ).amin(-1)
            > 0.01
        )
        inside &= valid[..., None]
        iou = overlap(cells[:, :, None], boxes[:, None]) * inside
        score = scores.transpose(1, 2).gather(1, kind[..., None].expand(-1, -1, scores.shape[1]))
        fit = score.pow(self.alpha) * iou.pow(self.beta) * inside
        best, where = fit.topk(self.count, dim=-1)
        chosen = torch.zeros_like(fit).scatter_(-1, where, (best > 0).float()) * inside
        # A point chosen by several cells goes to the one it overlaps most.
        owner = torch.where(chosen > 0, iou, -torch.ones_like(iou)).argmax(dim=1)
        mine = F.one_hot(owner, fit.shape[1]).transpose(1, 2) * chosen
        peak = (fit * mine).amax(-1, keepdim=True)
        reach = (iou * mine).amax(-1, keepdim=True)
        weight = (fit * mine / (peak + 1e-9) * reach).amax(dim=1)
        matched = cells.gather(1, owner[..., None].expand(-1, -1, 4))
        matched_kind = kind.gather(1, owner)
        return matched, F.one_hot(matched_kind, scores.shape[-1]) * weight[..., None], weight


class DetectionLoss(nn.Module):
    def __init__(self, side: int, device, box_gain=7.5, class_gain=0.5, bin_gain=1.5):
        super().__init__()
        self.points, self.strides = anchor_points(side, device)
        self.assign = Assigner()
        self.gains = (box_gain, class_gain, bin_gain)

    def forward(self, side_logits: Tensor, class_logits: Tensor, cells: Tensor, labels: Tensor):
        side_logits, class_logits = side_logits.float(), class_logits.float()
        boxes = decode(side_logits, self.points, self.strides)
        target_boxes, targets, weight = self.assign(
            class_logits.detach().sigmoid(), boxes.detach(), self.points, cells, labels
        )
        total = weight.sum().clamp(min=1.0)
        classes = F.binary_cross_entropy_with_logits(class_logits, targets, reduction="sum") / total
        box = ((1 - complete_iou(boxes, target_boxes)) * weight).sum() / total
        wanted = (
            torch.cat(
                (self.points - target_boxes[..., :2], target_boxes[..., 2:] - self.points), dim=-1
            )
            / self.strides
        )
        wanted = wanted.clamp(0, BINS - 1.01)
        low = wanted.long()
        share = wanted - low
        log_p = side_logits.log_softmax(-1)
        bins = -(
            log_p.gather(-1, low[..., None])[..., 0] * (1 - share)
            + log_p.gather(-1, low[..., None] + 1)[..., 0] * share
        ).mean(-1)
        bins = (bins * weight).sum() / total
        gain_box, gain_class, gain_bin = self.gains
        loss = gain_box * box + gain_class * classes + gain_bin * bins
        return loss, torch.stack((box, classes, bins)).detach()
