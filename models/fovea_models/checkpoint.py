# SPDX-License-Identifier: Apache-2.0
"""Checkpoints in their usual wrappings -> a state dict that fits exactly, or a list of differences.

A file may hold several sets of weights (trained, averaged). Which one counts is stated in ENTRIES, said when there was a
choice, and may be chosen with `entry`. Nothing from a file is executed (shells.py)."""
from __future__ import annotations

import re
import zipfile
from pathlib import Path

import torch
from torch import Tensor, nn

from fovea_models.report import listed, shown
from fovea_models.shells import Shell, load, tensors_of

# Per family of networks: the entries that may hold the weights, in the order in which its official tools look for them.
ENTRIES = {
    "flash_intern_image": ("model", "model_ema", "state_dict"),  # its exporter reads `model`; averages are evaluated beside it
    "yolov5": ("ema", "model"),  # its loader takes the averaged weights of a file that was not stripped
    "mtmi": ("state_dict", "model"),  # mmcv's loader
    "dab_detr": ("model", "ema_model"),
}
# Then, for every family, what other trainers write.
USUAL = ("model", "state_dict", "model_state_dict", "module", "model_ema", "ema", "ema_model", "state_dict_ema", "ema_state_dict")
DEEPEST = 3  # wrappings within wrappings
PREFIXES = ("module.", "_orig_mod.")  # left by parallel training and by torch.compile
AVERAGES = ("n_averaged", "steps")  # counters beside averaged weights
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


class CheckpointError(Exception):
    """`where`: expected and found in one line; `differences`: a line each; `hint`: what to do."""

    def __init__(self, message: str, hint: str, differences: list[str] | None = None):
        super().__init__(message)
        self.hint, self.differences = hint, differences or []


def _opened(content):
    """A dict of what is inside: the tensors of a pickled network, the attributes of another object."""
    if isinstance(content, Shell):
        content = tensors_of(content) if content.is_module else content.state
    return {k: v for k, v in content.items() if isinstance(k, str)} if isinstance(content, dict) else {}


def _holders(inside: dict, depth: int) -> dict[str, int]:
    """The entries that hold weights, at most `depth` wrappings down, with how many tensors the largest state dict in each has."""
    known: dict[tuple[int, int], int] = {}  # entries may share what they hold

    def count(content, depth: int) -> int:
        key = id(content), depth
        if key not in known:
            values = _opened(content).values()
            deeper = [count(v, depth - 1) for v in values if depth > 1 and isinstance(v, (dict, Shell))]
            known[key] = max([sum(isinstance(v, Tensor) for v in values), *deeper])
        return known[key]

    counts = {k: count(v, depth) for k, v in inside.items() if depth and isinstance(v, (dict, Shell))}
    return {k: found for k, found in counts.items() if found}


def _choose(content, path: Path, family: str, entry: str | None) -> tuple[dict[str, Tensor], list[str]]:
    """The state dict that `entry`, or else the order of the family, leads to; and a note where there was a choice."""
    notes, order, depth = [], (*ENTRIES.get(family, ()), *USUAL), DEEPEST
    while True:  # the last wrapping has no holders
        inside = _opened(content)
        holders = _holders(inside, depth)
        if entry is not None and entry not in holders:
            raise CheckpointError(f"{path}: expected weights under '{shown(entry)}', found none; the file's entries are: {listed(inside)}",
                                  f"weights are under: {listed(holders)}" if holders else "the weights are not wrapped: leave --entry out")
        chosen = entry or next((k for k in order if k in holders), None)
        if chosen is None:
            return _plain(inside, holders, path, order, outermost=depth == DEEPEST), notes
        others = [k for k, count in holders.items() if k != chosen and 2 * count > holders[chosen]]
        if others and entry is None:
            notes.append(f"{path}: weights taken from '{shown(chosen)}'; there are others under {listed(map(repr, others))} (--entry chooses)")
        content, entry, depth = inside[chosen], None, depth - 1


def _plain(inside: dict, holders: dict[str, int], path: Path, order: tuple[str, ...], outermost: bool) -> dict[str, Tensor]:
    """Weights that lie open, or what an unknown wrapping looks like."""
    state = {k: v.detach() for k, v in inside.items() if isinstance(v, Tensor)}
    most = max(holders.values(), default=0)
    if len(state) < most:
        likely = [k for k, count in holders.items() if 2 * count > most]
        raise CheckpointError(f"{path}: expected weights, alone or under {' or '.join(list(dict.fromkeys(order))[:3])}, found neither; "
                              f"{'the file' if outermost else 'that entry'}'s entries are: {listed(inside)}; weights seem to be under {listed(map(repr, likely))}",
                              f"--entry {shown(likely[0])} takes them" if outermost else "save them alone with torch.save")
    if not state:
        raise CheckpointError(f"{path}: expected a state dict, found no tensors; the file's entries are: {listed(inside)}",
                              "save model.state_dict() with torch.save")
    return state


def _unprefixed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    while True:
        named = [k for k in state if k not in AVERAGES]
        prefix = next((p for p in PREFIXES if named and all(k.startswith(p) for k in named)), None)
        if prefix is None:
            return state
        state = {k.removeprefix(prefix): state[k] for k in named}


def _foreign(path: Path) -> tuple[str, str] | None:
    """Other formats that weights come in, and the way from there."""
    with path.open("rb") as file:
        start = file.read(9)
    if start[8:] == b"{" and int.from_bytes(start[:8], "little") < 1 << 32:  # a length, then JSON
        return "a safetensors file", "torch.save(safetensors.torch.load_file(FILE), 'weights.pt') makes one of it"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                return "a TorchScript archive", "torch.save(torch.jit.load(FILE).state_dict(), 'weights.pt') makes one of it"
    return None


def read(path: Path, family: str = "", entry: str | None = None) -> tuple[dict[str, Tensor], list[str]]:
    """Any supported file -> name to tensor as stored, and what the user should know. Wrappings and prefixes are removed."""
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise CheckpointError(f"{path}: expected a checkpoint, found {found}", "give the path of a .pt or .pth file")
    try:
        if kind := _foreign(path):
            raise CheckpointError(f"{path}: expected a PyTorch checkpoint, found {kind[0]}", kind[1])
        content = load(path)
        if not isinstance(content, (dict, Shell)):
            raise CheckpointError(f"{path}: expected a state dict, found {type(content).__name__}", "save model.state_dict() with torch.save")
        state, notes = _choose(content, path, family, entry)
    except CheckpointError:
        raise
    except Exception as error:  # torch raises many kinds on bytes that are no checkpoint
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: expected a PyTorch checkpoint, found something else ({reason})",
                              "files from a download may be incomplete; check their size") from error
    return _unprefixed(state), notes


def _mistyped(own: Tensor, found: Tensor) -> str | None:
    if found.layout != torch.strided or found.device.type != "cpu":
        return f"expected a dense tensor with its numbers, found {found.layout if found.layout != torch.strided else found.device}"
    if own.is_floating_point() and found.dtype not in FLOATS:
        return f"expected float32, found {str(found.dtype).removeprefix('torch.')}"
    return None


def differences(own: dict[str, Tensor], state: dict[str, Tensor]) -> list[str]:
    """Missing, extra, misshapen and mistyped keys, a line each."""
    lines = []
    for key, tensor in own.items():
        if key not in state:
            lines.append(f"missing    {key} {list(tensor.shape)}")
        elif state[key].shape != tensor.shape:
            lines.append(f"misshapen  {key}: expected {list(tensor.shape)}, found {list(state[key].shape)}")
        elif reason := _mistyped(tensor, state[key]):
            lines.append(f"mistyped   {key}: {reason}")
    return lines + [f"extra      {shown(key)} {list(value.shape)}" for key, value in state.items() if key not in own]


def _check_keys(path: Path, own: dict[str, Tensor], state: dict[str, Tensor], total: int, shaping: tuple[str, ...]) -> None:
    hint = "the network's name and options must be those of the checkpoint" + (f" ({listed(shaping)})" if shaping else "")
    if not own.keys() & state.keys():
        raise CheckpointError(f"{path}: expected the {total} keys of the network ({listed(own, 3)}), found none of them, "
                              f"but {len(state)}: {listed(state, 3)}", f"{hint}; --entry NAME looks elsewhere in the file")
    wrong = differences(own, state)
    if not wrong:
        return
    if all(line.startswith("mistyped") for line in wrong):
        hint = "weights must be dense and float16, bfloat16, float32 or float64; take a checkpoint from before quantisation or packing"
    raise CheckpointError(f"{path}: expected the {total} keys of the network, found {len(wrong)} difference{'s' * (len(wrong) > 1)}", hint, wrong)


def _as_float32(path: Path, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every weight finite; half and double precision become f32."""
    wide = {k: v.float() if v.is_floating_point() else v for k, v in state.items()}
    for key, value in wide.items():
        bad = value[~value.isfinite()]
        if bad.numel():
            found = f"{bad[0].item()} at {bad.numel():,} of {value.numel():,} places"
            raise CheckpointError(f"{path}: {key}: expected finite float32 numbers, found {found}",
                                  "training may have diverged: take an earlier checkpoint")
    return wide


def _conversion(path: Path, state: dict[str, Tensor]) -> list[str]:
    kinds = {str(v.dtype).removeprefix("torch.") for v in state.values() if v.is_floating_point()} - {"float32"}
    return [f"{path}: weights stored as {listed(sorted(kinds))} are exported as float32"] if kinds else []


def fit(model: nn.Module, path: Path, part: str = "", optional: tuple[str, ...] = (), family: str = "", entry: str | None = None,
        shaping: tuple[str, ...] = ()) -> list[str]:
    """Loads the file into `model`, or into its sub-module `part`, exactly. Returns what the user should know.

    `optional`: patterns of keys that official files may hold and inference does not use. A file of the whole network
    gives a part the keys under its name. `family` and `entry`: where in the file to look. `shaping`: options that decide
    which keys there are, for the hint."""
    state, notes = read(path, family, entry)
    target = model.get_submodule(part) if part else model
    if part and any(k.startswith(part + ".") for k in state):
        state = {k.removeprefix(part + "."): v for k, v in state.items() if k.startswith(part + ".")}
    whole = target.state_dict()
    counters = {k: v for k, v in whole.items() if k.endswith("num_batches_tracked")}  # of no use, and not in every file
    own = {k: v for k, v in whole.items() if k not in counters}
    state = {k: v for k, v in state.items() if k in own or k not in counters and not any(re.search(p, k) for p in optional)}
    _check_keys(path, own, state, len(whole), shaping)
    notes += _conversion(path, state)
    target.load_state_dict(_as_float32(path, {k: state[k] for k in own}) | counters, strict=True)
    return notes
