# SPDX-License-Identifier: Apache-2.0
"""Weights by the seed rule for any of our networks: scales that keep activations near one, statistics that look trained."""
from __future__ import annotations

import math
import re

import torch
from torch import nn

from fovea_models.seed import Rule, generate, stream_of

# (pattern of the state-dict key, mean, scale); the first match counts, what matches nothing follows `_usual`.
SPECIAL = (
    (r"\.gamma[12]$", 0.5, 0.2),  # layer scale
    (r"\.dcn\.offset_mask\.bias$", 0.0, 0.6),  # about half a pixel, modulation scalars of both signs
    (r"sampling_offsets\.bias$", 0.0, 2.0),
    (r"refpoint_embed\.weight$", 0.0, 2.0),  # logits: centres and sides between 0.12 and 0.88
    (r"bbox_embed\.(\d+\.)?layers\.2\.weight$", 0.0, 0.02),  # boxes move a little with every layer
    (r"\.activation\.weight$", 0.25, 0.1),  # PReLU
    (r"body\.layer\d\.\d+\.bn3\.weight$", 0.35, 0.1),  # residual branches of a deep backbone stay small
    (r"body\..*(bn\d|downsample\.1)\.weight$", 1.0, 0.1),
    (r"body\..*(bn\d|downsample\.1)\.bias$", 0.0, 0.1),
)
NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d)
SILU_GAIN = 1.5  # keeps a chain of SiLU layers near its fixed point: less dies out, more explodes


def _gain(key: str) -> float:
    """What a matrix must do beyond keeping the variance: restore what the activation before it took."""
    if re.search(r"^model\.\d+\.m\.\d+\.cv2\.conv", key):
        return 1.0  # ends a residual branch
    if re.search(r"^model\.\d+\..*conv\.weight$", key):
        return SILU_GAIN
    if "dcn.offset_mask" in key:
        return 0.25  # a quarter of a pixel from place to place: more would magnify rounding through 30 blocks
    if re.search(r"body\.|fused?_|fuse_conv|fc2|linear2", key):
        return math.sqrt(2)
    return 1.0


def _usual(key: str, tensor: torch.Tensor, owner: nn.Module) -> tuple[float, float]:
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "running_var":
        return 1.0, 0.25
    if leaf == "running_mean":
        return 0.0, 0.1
    if isinstance(owner, NORMS):
        return (1.0, 0.2) if leaf == "weight" else (0.0, 0.1)
    if tensor.ndim < 2:
        return 0.0, 0.1
    if isinstance(owner, nn.Embedding):
        return 0.0, 1.0
    return 0.0, _gain(key) * math.sqrt(3 / tensor[0].numel())  # variance gain^2 / fan_in


def rules(model: nn.Module) -> dict[str, Rule]:
    """One rule per floating-point state-dict key that checkpoints train. Keys that share a tensor share a rule."""
    constant = {name for name, _ in model.named_buffers() if name.rsplit(".", 1)[-1] in ("anchors", "num_batches_tracked")}
    found, first = {}, {}
    for key, tensor in model.state_dict(keep_vars=True).items():
        if key in constant or not tensor.is_floating_point():
            continue
        name = first.setdefault(id(tensor), key)
        if name != key:
            found[key] = found[name]
            continue
        owner = model.get_submodule(key.rpartition(".")[0])
        mean, scale = next(((m, s) for pattern, m, s in SPECIAL if re.search(pattern, key)), None) or _usual(key, tensor, owner)
        found[key] = Rule(stream_of(key), mean, scale)
    return found


def fill(model: nn.Module, seed: int) -> dict[str, Rule]:
    """Sets every weight of `model` by the rule; returns the rules."""
    table, state = rules(model), model.state_dict()
    with torch.no_grad():
        for key, rule in table.items():
            state[key].copy_(torch.from_numpy(generate(seed, rule, tuple(state[key].shape))))
    return table
