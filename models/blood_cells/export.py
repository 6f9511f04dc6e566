# SPDX-License-Identifier: Apache-2.0
# Writes trained weights as ONNX (opset 17, any batch size): batch normalisation is folded into the
# convolutions, the box decoding is part of the graph, suppression is not.
#   python export.py run/weights.pt blood_cells.onnx
# Inputs and outputs: images [N,3,S,S] -> boxes [N,A,4] (x1 y1 x2 y2, input pixels), scores [N,A,3].
from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from network import (
    BINS,
    LABELS,
    Bottleneck,
    Branch,
    ConvUnit,
    Detector,
    PoolPyramid,
    Size,
    SplitStage,
    anchor_points,
    decode,
)


class Graph:
    """Collects nodes and constants; every method returns the name of its result."""

    def __init__(self, half: bool):
        self.nodes, self.constants, self.half = [], [], half

    def node(self, op: str, inputs: list[str], name: str, outputs: int = 1, **attributes):
        names = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value: np.ndarray, name: str) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, value: np.ndarray, name: str) -> str:
        """A kernel; with half storage it is kept in 16 bits and widened by a Cast."""
        if not self.half:
            return self.constant(value.astype(np.float32), name)
        stored = self.constant(value.astype(np.float16), name + ".f16")
        return self.node("Cast", [stored], name, to=TensorProto.FLOAT)

    def conv(self, x: str, conv, kernel: np.ndarray, bias: np.ndarray, name: str) -> str:
        pad = conv.padding[0]
        inputs = [
            x,
            self.weight(kernel, name + ".weight"),
            self.constant(bias.astype(np.float32), name + ".bias"),
        ]
        return self.node(
            "Conv",
            inputs,
            name,
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=[pad] * 4,
        )

    def unit(self, x: str, unit: ConvUnit, name: str) -> str:
        norm = unit.norm
        gain = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        kernel = unit.conv.weight.double() * gain.view(-1, 1, 1, 1)
        bias = norm.bias.double() - norm.running_mean.double() * gain
        y = self.conv(x, unit.conv, kernel.detach().numpy(), bias.detach().numpy(), name)
        gate = self.node("Sigmoid", [y], name + ".gate")
        return self.node("Mul", [y, gate], name + ".silu")

    def bottleneck(self, x: str, block: Bottleneck, name: str) -> str:
        y = self.unit(self.unit(x, block.first, name + ".first"), block.second, name + ".second")
        return self.node("Add", [x, y], name + ".sum") if block.residual else y

    def stage(self, x: str, stage: SplitStage, name: str) -> str:
        halves = self.constant(np.array([stage.half] * 2, np.int64), name + ".halves")
        parts = self.node(
            "Split",
            [self.unit(x, stage.enter, name + ".enter"), halves],
            name + ".split",
            outputs=2,
            axis=1,
        )
        for i, block in enumerate(stage.chain):
            parts.append(self.bottleneck(parts[-1], block, f"{name}.chain{i}"))
        return self.unit(self.concat(parts, name + ".join"), stage.leave, name + ".leave")

    def pyramid(self, x: str, block: PoolPyramid, name: str) -> str:
        parts = [self.unit(x, block.enter, name + ".enter")]
        for i in range(3):
            parts.append(
                self.node(
                    "MaxPool",
                    [parts[-1]],
                    f"{name}.pool{i}",
                    kernel_shape=[5, 5],
                    strides=[1, 1],
                    pads=[2, 2, 2, 2],
                )
            )
        return self.unit(self.concat(parts, name + ".join"), block.leave, name + ".leave")

    def concat(self, parts: list[str], name: str, axis: int = 1) -> str:
        return self.node("Concat", parts, name, axis=axis)

    def double(self, x: str, name: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32), name + ".scales")
        return self.node(
            "Resize",
            [x, "", scales],
            name,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def branch(self, x: str, branch: Branch, channels: int, name: str) -> str:
        """One head branch, flattened to [N, channels, cells]."""
        y = self.unit(self.unit(x, branch.first, name + ".first"), branch.second, name + ".second")
        y = self.conv(
            y,
            branch.project,
            branch.project.weight.detach().double().numpy(),
            branch.project.bias.detach().double().numpy(),
            name + ".project",
        )
        shape = self.constant(np.array([0, channels, -1], np.int64), name + ".shape")
        return self.node("Reshape", [y, shape], name + ".flat")


def build(net: Detector, side: int, half: bool) -> onnx.ModelProto:
    g = Graph(half)
    x2 = g.stage(
        g.unit(g.unit("images", net.stem, "stem"), net.down2, "down2"), net.stage2, "stage2"
    )
    x3 = g.stage(g.unit(x2, net.down3, "down3"), net.stage3, "stage3")
    x4 = g.stage(g.unit(x3, net.down4, "down4"), net.stage4, "stage4")
    x5 = g.stage(g.unit(x4, net.down5, "down5"), net.stage5, "stage5")
    x5 = g.pyramid(x5, net.context, "context")
    t4 = g.stage(g.concat([g.double(x5, "up5"), x4], "join4"), net.top4, "top4")
    p3 = g.stage(g.concat([g.double(t4, "up4"), x3], "join3"), net.top3, "top3")
    p4 = g.stage(g.concat([g.unit(p3, net.back4, "back4"), t4], "rejoin4"), net.out4, "out4")
    p5 = g.stage(g.concat([g.unit(p4, net.back5, "back5"), x5], "rejoin5"), net.out5, "out5")

    points, strides = anchor_points(side)
    anchors = points.shape[0]
    maps = [p3, p4, p5]
    classes = [
        g.branch(m, b, len(LABELS), f"classes{i}")
        for i, (m, b) in enumerate(zip(maps, net.classes))
    ]
    logits = g.node("Transpose", [g.concat(classes, "classes", axis=2)], "logits", perm=[0, 2, 1])
    g.node("Sigmoid", [logits], "scores")

    # Box sides: the mean of each side's distribution, in strides; then centre -/+ side * stride.
    sides = [g.branch(m, b, 4 * BINS, f"sides{i}") for i, (m, b) in enumerate(zip(maps, net.sides))]
    sides = g.node("Transpose", [g.concat(sides, "sides", axis=2)], "sides.rows", perm=[0, 2, 1])
    by_bin = g.constant(np.array([0, anchors, 4, BINS], np.int64), "bins.shape")
    share = g.node("Softmax", [g.node("Reshape", [sides, by_bin], "bins")], "bins.share", axis=-1)
    steps = g.constant(np.arange(BINS, dtype=np.float32).reshape(BINS, 1), "bins.distance")
    mean = g.node("MatMul", [share, steps], "bins.mean")
    flat = g.constant(np.array([0, anchors, 4], np.int64), "distance.shape")
    distance = g.node("Reshape", [mean, flat], "distance")
    sign = np.array([-1, -1, 1, 1], np.float32)
    reach = g.constant((strides.numpy() * sign)[None], "anchor.reach")
    centre = g.constant(np.tile(points.numpy(), 2).astype(np.float32)[None], "anchor.centre")
    g.node("Add", [g.node("Mul", [distance, reach], "offset"), centre], "boxes")

    graph = helper.make_graph(
        g.nodes,
        "blood_cells",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, side, side])],
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, ["N", anchors, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", anchors, len(LABELS)]),
        ],
        g.constants,
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
        producer_name="fovea models/blood_cells",
    )
    helper.set_model_props(model, {"labels": ",".join(LABELS), "license": "Apache-2.0"})
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--half", action="store_true", help="16-bit kernels, widened by Cast")
    args = parser.parse_args()
    saved = torch.load(args.weights, map_location="cpu", weights_only=True)
    net = Detector(Size(**saved["size"])).eval()
    net.load_state_dict(saved["weights"])
    model = build(net, saved["side"], args.half)
    onnx.save(model, args.out)

    # Compare with the network on random input.
    import onnxruntime

    x = torch.rand(2, 3, saved["side"], saved["side"], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        sides, classes = net(x)
        wanted = decode(sides, *anchor_points(saved["side"])), classes.sigmoid()
    session = onnxruntime.InferenceSession(str(args.out), providers=["CPUExecutionProvider"])
    got = session.run(["boxes", "scores"], {"images": x.numpy()})
    for name, a, b in zip(("boxes", "scores"), wanted, got):
        error = np.abs(a.numpy() - b).max()
        print(f"{name} {list(b.shape)}: largest difference to PyTorch {error:.6f}")
    data = args.out.read_bytes()
    print(len(data), "bytes, SHA-256", hashlib.sha256(data).hexdigest())


if __name__ == "__main__":
    main()
