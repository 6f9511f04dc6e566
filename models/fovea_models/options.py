# SPDX-License-Identifier: Apache-2.0
"""The options of export.py, and what argparse cannot see about them."""
from __future__ import annotations

import argparse
from pathlib import Path

from fovea_models.networks import NETWORKS, Network
from fovea_models.report import fail

OPSETS = range(11, 21)



class Parser(argparse.ArgumentParser):
    """Wrong usage is told like every error: a line and a hint."""

    def error(self, message):
        self.exit(fail(message, f"{self.prog} --help lists the options", 2))


def parser() -> argparse.ArgumentParser:
    p = Parser(prog="python -m fovea_models.export", description="a network's weights -> ONNX file",
               epilog="example: python -m fovea_models.export flash_intern_image_t --seed 0 -o net.onnx")
    p.add_argument("network", choices=NETWORKS, metavar="NETWORK", help=", ".join(NETWORKS))
    source = p.add_mutually_exclusive_group(required=True)
    source.add_argument("--checkpoint", action="append", metavar="[PART=]FILE",
                        help="official weights; PART loads one part (mtmi: backbone, decode_head, depth_head), repeatable")
    p.add_argument("--entry", action="append", metavar="[PART=]NAME", help="which entry of a checkpoint holds the weights, "
                   "as model_ema; the one that the official tools take if not given")
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
    own.add_argument("--names", choices=("ours", "official"), default="ours",
                     help="mtmi: tensors called as in NVIDIA's graph, input.72 and so on (docs/networks/mtmi.md)")
    own.add_argument("--features", action="store_true", help="mtmi: feat1..feat4 are outputs too")
    own.add_argument("--seg-head", choices=("slim", "official", "folded"), default="slim",
                     help="mtmi; folded: SegFormer's weights in the slim head, which computes the same with fewer operations")
    own.add_argument("--seg-width", type=int, default=256, help="mtmi: channels of the segmentation head")
    own.add_argument("--seg-fusion", choices=("sum", "concat"), default="sum", help="mtmi, slim head")
    own.add_argument("--seg-resize", choices=("bilinear", "nearest"), default="bilinear", help="mtmi, slim head")
    own.add_argument("--depth-padding", choices=("zeros", "reflect"), default="zeros", help="mtmi: reflect as trained upstream")
    return p


def _by_part(p: argparse.ArgumentParser, option: str, items: list[str], network: str, parts: tuple[str, ...]) -> dict[str, str]:
    """[PART=]VALUE, repeated -> part or "" to value."""
    found = {}
    for item in items:
        head, equals, tail = item.partition("=")
        # A path may hold a "=", but what looks like a name before it is one.
        part, value = (head, tail) if equals and (head in parts or head.isidentifier() and not Path(item).exists()) else ("", item)
        if part and part not in parts:
            p.error(f"{option} {item}: expected " + (f"one of the parts {', '.join(parts)}" if parts else f"no part, as {network} has none") + f", found '{part}'")
        if not value or part in found:
            p.error(f"{option} {item}: " + (f"given twice for {part or 'the whole'}" if value else "expected something after the ="))
        found[part] = value
    return found


def _check_sources(p: argparse.ArgumentParser, network: Network, args) -> None:
    """Checkpoints and entries -> dicts by part ("" for the whole)."""
    if args.entry and args.seed is not None:
        p.error("--entry belongs to --checkpoint, found --seed")
    args.checkpoint = _by_part(p, "--checkpoint", args.checkpoint or [], args.network, network.all_parts)
    args.entry = _by_part(p, "--entry", args.entry or [], args.network, network.all_parts)
    stray = sorted(set(args.entry) - set(args.checkpoint) - {""})
    if stray:
        p.error(f"--entry {stray[0]}={args.entry[stray[0]]}: expected --checkpoint {stray[0]}=FILE too, found none")


def check(p: argparse.ArgumentParser, args) -> None:
    """What argparse cannot see. Leaves with exit code 2."""
    network = NETWORKS[args.network]
    for name in ("no_anchor", "classes", "aux", "mask", "config", "part", "names", "features", "seg_head", "seg_width", "seg_fusion",
                 "seg_resize", "depth_padding"):
        if getattr(args, name) != p.get_default(name) and name not in network.options:
            p.error(f"--{name.replace('_', '-')} is no option of {args.network}")
    if args.light and args.seed is None:
        p.error("--light needs --seed: weights of a checkpoint follow no rule")
    if args.seed is not None and not 0 <= args.seed < 1 << 64:
        p.error("--seed: expected a number from 0 to 2^64 - 1")
    if args.batch < 1 or args.classes < 1 or args.seg_width < 1:
        p.error("--batch, --classes and --seg-width: expected a positive number")
    _check_sources(p, network, args)
    for name in ("seg_fusion", "seg_resize"):
        if args.seg_head != "slim" and getattr(args, name) != p.get_default(name):
            p.error(f"--{name.replace('_', '-')} {getattr(args, name)}: expected --seg-head slim, found {args.seg_head}")
    if args.light and args.seg_head == "folded":
        p.error("--light: expected weights that follow the seed rule, found --seg-head folded, which computes its own")
    for file in [*args.checkpoint.values(), *([args.config] if args.config else [])]:
        if args.output.exists() and Path(file).exists() and args.output.samefile(file):
            p.error(f"--output {args.output}: expected another file than those that are read, found {file}")
    if args.features and args.part != "all":
        p.error(f"--features: expected --part all, found --part {args.part}, whose outputs are these or are none")
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
