# SPDX-License-Identifier: Apache-2.0
"""Checkpoint (or seed) -> ONNX, for each of our networks.

    python -m fovea_models.export yolov5s --checkpoint yolov5s.pt --no-anchor --size 672 -o yolov5s.onnx
    python -m fovea_models.export mtmi --checkpoint backbone=mit_b0.pth --checkpoint decode_head=head.pth ... -o mtmi.onnx
    python -m fovea_models.export dab_detr_r50 --seed 0 --aux --dynamic batch,size -o dab_detr.onnx

Exit codes: 0 done, 2 wrong usage, 3 a checkpoint that does not fit, 4 the file could not be written."""
from __future__ import annotations

import argparse
import hashlib
import io
import sys
import warnings
from pathlib import Path

import onnx
import torch
from onnx import ModelProto
from torch import nn

from fovea_models import checkpoint, light, weights
from fovea_models.networks import NETWORKS, Form, Network
from fovea_models.simplify import simplify

OPSETS = range(11, 21)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="python -m fovea_models.export", description="a network's weights -> ONNX file",
                                epilog="example: python -m fovea_models.export flash_intern_image_t --seed 0 -o net.onnx")
    p.add_argument("network", choices=NETWORKS, metavar="NETWORK", help=", ".join(NETWORKS))
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", action="append", metavar="[PART=]FILE",
                        help="official weights; PART loads one part (mtmi: backbone, decode_head, depth_head), repeatable")
    source.add_argument("--seed", type=int, help="weights by the seed rule (docs/light_onnx.md)")
    p.add_argument("-o", "--output", type=Path, required=True)
    p.add_argument("--size", help="height and width: 672 or 800x1066; the network's usual size if not given")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--dynamic", default="", metavar="batch,size", help="what a run may choose; the rest is fixed in the file")
    p.add_argument("--opset", type=int, default=17, choices=OPSETS, metavar="11..20")
    p.add_argument("--plain", action="store_true", help="leave the traced graph as it is: no folding, weights under their names")
    p.add_argument("--light", action="store_true", help="with --seed: name the weights instead of storing them")
    own = p.add_argument_group("options of single networks")
    own.add_argument("--no-anchor", action="store_true", help="yolov5: end at the three raw maps s8, s16, s32")
    own.add_argument("--classes", type=int, default=80, help="yolov5: number of classes")
    own.add_argument("--aux", action="store_true", help="dab_*: all decoder layers, 12 outputs")
    own.add_argument("--mask", action="store_true", help="dab_*: a second input [N,H,W], true where a picture is padded")
    own.add_argument("--config", help="dab_detr_*: the config.json beside an official checkpoint")
    own.add_argument("--part", choices=("all", "encoder", "seg", "depth"), default="all", help="mtmi: what to export")
    own.add_argument("--features", action="store_true", help="mtmi: feat1..feat4 are outputs too")
    own.add_argument("--seg-head", choices=("slim", "official"), default="slim", help="mtmi")
    own.add_argument("--seg-width", type=int, default=256, help="mtmi: channels of the segmentation head")
    own.add_argument("--seg-fusion", choices=("sum", "concat"), default="sum", help="mtmi, slim head")
    own.add_argument("--seg-resize", choices=("bilinear", "nearest"), default="bilinear", help="mtmi, slim head")
    own.add_argument("--depth-padding", choices=("zeros", "reflect"), default="zeros", help="mtmi: reflect as trained upstream")
    return p


def check(p: argparse.ArgumentParser, args) -> None:
    """What argparse cannot see. Leaves with exit code 2."""
    network = NETWORKS[args.network]
    for name in ("no_anchor", "classes", "aux", "mask", "config", "part", "features", "seg_head", "seg_width", "seg_fusion",
                 "seg_resize", "depth_padding"):
        if getattr(args, name) != p.get_default(name) and name not in network.options:
            p.error(f"--{name.replace('_', '-')} is no option of {args.network}")
    if args.light and args.seed is None:
        p.error("--light needs --seed: weights of a checkpoint follow no rule")
    if args.seed is not None and not 0 <= args.seed < 1 << 64:
        p.error("--seed: expected a number from 0 to 2^64 - 1")
    if args.batch < 1 or args.classes < 1 or args.seg_width < 1:
        p.error("--batch, --classes and --seg-width: expected a positive number")
    args.dynamic = set(filter(None, args.dynamic.split(",")))
    if not args.dynamic <= {"batch", "size"}:
        p.error("--dynamic: expected batch, size or batch,size")
    try:
        sides = [int(s) for s in args.size.split("x")] if args.size else list(network.size)
    except ValueError:
        sides = []
    if len(sides) not in (1, 2) or min(sides) < 32 or any(s % network.multiple for s in sides):
        p.error(f"--size: expected 672 or 800x1066, at least 32 and a multiple of {network.multiple}, found {args.size}")
    args.size = (sides[0], sides[-1])


def load(network: Network, args) -> tuple[nn.Module, dict]:
    """The network with its weights, and the rules these follow (none for checkpoints)."""
    model = network.make(args).eval()
    if args.seed is not None:
        return model, weights.fill(model, args.seed)
    parts = [name for name, _ in model.named_children()]
    loaded = set()
    for item in args.checkpoint:
        head, _, tail = item.partition("=")
        part, file = (head, tail) if head in parts else ("", item)
        checkpoint.fit(model, Path(file), part, network.optional_keys)
        loaded |= {part} if part else set(parts)
    if set(parts) - loaded:
        raise checkpoint.CheckpointError(f"{args.network}: expected weights for every part, found none for "
                                         f"{', '.join(p for p in parts if p not in loaded)}", "add --checkpoint PART=FILE")
    return model, {}


def examples(form: Form, args) -> tuple[tuple[torch.Tensor, ...], dict]:
    """Inputs to trace with, and the axes that stay open."""
    sizes, axes, tensors = {"N": args.batch, "H": args.size[0], "W": args.size[1]}, {}, []
    # A batch of 1 or equal sides may be mistaken for constants while tracing, so open axes are traced at other values.
    if "batch" in args.dynamic and args.batch == 1:
        sizes["N"] = 2
    for name, shape in form.inputs.items():
        extents, open_axes = [], {}
        for axis, dim in enumerate(shape):
            letter, divisor = dim if isinstance(dim, tuple) else (dim, 1)
            extents.append(letter if isinstance(letter, int) else -(-sizes[letter] // divisor))
            if (letter == "N" and "batch" in args.dynamic) or (letter in ("H", "W") and "size" in args.dynamic):
                open_axes[axis] = letter if divisor == 1 else f"{letter}{divisor}"
        generator = torch.Generator().manual_seed(len(tensors))
        value = torch.zeros(extents, dtype=torch.bool) if name == "mask" else torch.rand(extents, generator=generator)
        tensors.append(value)
        if open_axes:
            axes[name] = open_axes
    return tuple(tensors), axes


def _declare(value: onnx.ValueInfoProto, shape: tuple, dynamic: set[str]) -> None:
    """What is certain about a result: numbers, and the batch."""
    del value.type.tensor_type.shape.dim[:]
    for dim in shape:
        stated = value.type.tensor_type.shape.dim.add()
        if isinstance(dim, int):
            stated.dim_value = dim
        elif dim == "N" and "batch" in dynamic:
            stated.dim_param = "N"


def trace(model: nn.Module, network: Network, args) -> ModelProto:
    form = network.form(args)
    inputs, axes = examples(form, args)
    results = form.outputs | form.inner
    if "batch" in args.dynamic:
        axes |= {name: {0: "N"} for name in results}
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer's general remarks
        torch.onnx.export(model, inputs, buffer, dynamo=False, opset_version=args.opset, input_names=list(form.inputs),
                          output_names=list(results), dynamic_axes=axes, custom_opsets={network.domain: 1} if network.domain else None,
                          do_constant_folding=not args.plain,
                          training=torch.onnx.TrainingMode.PRESERVE if args.plain else torch.onnx.TrainingMode.EVAL)
    graph = onnx.load_from_string(buffer.getvalue())
    if args.dynamic:  # the tracer's own inference takes some extents of its example for constants
        for value in graph.graph.output:
            _declare(value, results[value.name], args.dynamic)
    if form.inner and not args.features:  # these were outputs to get their names
        kept = [o for o in graph.graph.output if o.name in form.outputs]
        hidden = [o for o in graph.graph.output if o.name not in form.outputs]
        del graph.graph.output[:]
        graph.graph.output.extend(kept)
        graph.graph.value_info.extend(hidden)
    graph.graph.name = args.network
    return graph


def build(args) -> ModelProto:
    network = NETWORKS[args.network]
    model, rules = load(network, args)
    plain, args.plain = args.plain, args.plain or args.light
    graph = trace(model, network, args)
    if args.light:
        graph = simplify(graph, kept=frozenset(rules), most=1 << 12)
        light.lighten(graph, args.seed, rules)
    elif not plain:
        graph = simplify(graph)
    graph.metadata_props.add(key="fovea.network", value=args.network)
    return graph


def fail(message: str, hint: str, code: int) -> int:
    print(f"error: {message}\nhint: {hint}", file=sys.stderr)
    return code


def main(arguments: list[str] | None = None) -> int:
    p = parser()
    args = p.parse_args(arguments)
    check(p, args)
    try:
        data = build(args).SerializeToString()
    except checkpoint.CheckpointError as error:
        fail(str(error), error.hint, 3)
        for line in error.differences:
            print(f"  {line}", file=sys.stderr)
        return 3
    try:
        light.write_beside(args.output, data)
    except OSError as error:
        return fail(f"{args.output}: expected to write {len(data):,} bytes, found {error.strerror}", "choose a folder that exists", 4)
    print(f"{args.output}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
