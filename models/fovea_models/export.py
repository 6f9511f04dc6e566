# SPDX-License-Identifier: Apache-2.0
"""Checkpoint (or seed) -> ONNX, for each of our networks.

    python -m fovea_models.export yolov5s --checkpoint yolov5s.pt --no-anchor --size 672 -o yolov5s.onnx
    python -m fovea_models.export mtmi --checkpoint backbone=mit_b0.pth --checkpoint decode_head=head.pth ... -o mtmi.onnx
    python -m fovea_models.export dab_detr_r50 --seed 0 --aux --dynamic batch,size -o dab_detr.onnx

Exit codes: 0 done, 2 wrong usage, 3 a checkpoint or configuration that does not fit, 4 the file could not be written,
130 stopped with Ctrl-C."""
from __future__ import annotations

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
from fovea_models.options import check, parser
from fovea_models.report import cannot_write, fail, note, quiet, unwritable
from fovea_models.simplify import simplify

SHAPING = ("classes", "config", "seg_head", "seg_width", "seg_fusion")  # options that decide which weights there are


def _fit(model: nn.Module, network: Network, args, given: str, part: str) -> None:
    entry = args.entry.get(given, args.entry.get(""))
    shaping = tuple(f"--{name.replace('_', '-')}" for name in SHAPING if name in network.options)
    for text in checkpoint.fit(model, Path(args.checkpoint[given]), part, network.optional_keys, network.family, entry, shaping):
        note(text)


def load(network: Network, args) -> tuple[nn.Module, dict]:
    """The network with its weights, and the rules these follow (none for checkpoints)."""
    model = network.make(args).eval()
    if args.seed is not None:
        rules = weights.fill(model, args.seed)
        network.finish(model, args)
        return model, rules
    needed, missing = network.parts(args), []
    for part in set(args.checkpoint) - set(needed) - {""}:
        note(f"{part}={args.checkpoint[part]}: not read, as --part {args.part} needs {', '.join(needed)} only")
    if "" in args.checkpoint:
        # One part alone also takes its keys from a file of the whole; parts with files of their own come after.
        _fit(model, network, args, "", needed[0] if len(needed) == 1 else "")
    else:
        missing = [part for part in needed if part not in args.checkpoint]
    if missing:
        raise checkpoint.CheckpointError(f"{args.network}: expected weights for {', '.join(needed)}, found none for {', '.join(missing)}",
                                         "add " + " ".join(f"--checkpoint {part}=FILE" for part in missing))
    for part in needed:
        if part in args.checkpoint:
            _fit(model, network, args, part, part)
    if network.same_keys and not args.config:
        note(f"{args.network}: keys do not tell its variants apart; exported {network.same_keys}; --config states what the checkpoint has")
    network.finish(model, args)
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
    with warnings.catch_warnings(), torch.no_grad(), quiet():
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


def main(arguments: list[str] | None = None) -> int:
    p = parser()
    args = p.parse_args(arguments)
    check(p, args)
    if problem := unwritable(args.output):
        return cannot_write(args.output, problem)
    try:
        data = build(args).SerializeToString()
    except checkpoint.CheckpointError as error:
        fail(str(error), error.hint, 3)
        for line in error.differences:
            print(f"  {line}", file=sys.stderr)
        return 3
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        return fail(f"{args.output}: expected memory to trace {args.network} at {args.size[0]} x {args.size[1]}, found too little",
                    "choose a smaller --size or --batch", 4)
    except KeyboardInterrupt:
        return fail(f"{args.output}: stopped with Ctrl-C", "nothing was written", 130)
    try:
        light.write_beside(args.output, data)
    except OSError as error:
        return cannot_write(args.output, error, f"{len(data):,} bytes")
    print(f"{args.output}: {len(data):,} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
