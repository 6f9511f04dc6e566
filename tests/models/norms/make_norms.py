#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the files beside it: normalisations as PyTorch exports them at several opsets, with its two exporters.

python make_norms.py [FOLDER]   needs torch, onnx, onnxscript; the tests read the files, not this script."""
import pathlib
import sys

import onnx
import torch
from torch import nn

FOLDER = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)


class Norm(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.norm = norm
        for parameter in norm.parameters():
            nn.init.uniform_(parameter, 0.5, 2)

    def forward(self, x):
        return self.norm(x)


class ByHand(nn.Module):
    """Half in and out, f32 between, one over the root as a factor."""

    def forward(self, x):
        d = x.float() - x.float().mean(-1, keepdim=True)
        return (d * torch.rsqrt((d * d).mean(-1, keepdim=True) + 1e-6)).to(x.dtype)


def export(name, model, x, opset, dynamo=False, free=None):
    path = str(FOLDER / f"{name}.onnx")
    torch.onnx.export(model.eval(), (x,), path, opset_version=opset, dynamo=dynamo, input_names=["x"], output_names=["y"],
                      dynamic_axes=None if dynamo else free, **({"external_data": False} if dynamo else {}))
    # The new exporter writes stack traces with paths of the machine it ran on.
    written = onnx.load(path)
    for part in (written, written.graph, *written.graph.node, *written.graph.value_info, *written.graph.initializer, *written.graph.input, *written.graph.output):
        part.ClearField("metadata_props")
    onnx.save(written, path)


def main():
    torch.manual_seed(0)
    rows, picture = torch.randn(2, 5, 8), torch.randn(2, 6, 4, 5)
    for opset in (9, 13, 17):
        export(f"layer_norm_{opset}", Norm(nn.LayerNorm(8)), rows, opset)
    export("layer_norm_18_dynamo", Norm(nn.LayerNorm(8)), rows, 18, dynamo=True)
    export("layer_norm_two_axes_11", Norm(nn.LayerNorm((5, 8))), rows, 11)
    export("layer_norm_plain_16", nn.LayerNorm(8, elementwise_affine=False), rows, 16)
    export("layer_norm_half_13", Norm(nn.LayerNorm(8)).half(), rows.half(), 13)
    export("layer_norm_by_hand_18_dynamo", ByHand(), rows.half(), 18, dynamo=True)
    export("group_norm_9", Norm(nn.GroupNorm(3, 6)), picture, 9)
    export("group_norm_13_any_size", Norm(nn.GroupNorm(3, 6)), picture, 13, free={"x": {0: "N", 2: "H", 3: "W"}})
    export("group_norm_18_dynamo", Norm(nn.GroupNorm(3, 6)), picture, 18, dynamo=True)
    export("group_norm_21_dynamo", Norm(nn.GroupNorm(3, 6)), picture, 21, dynamo=True)


main()
