# SPDX-License-Identifier: Apache-2.0
"""Reading checkpoints: official files in their usual wrappings -> a state dict that fits exactly, or a list of differences.

Nothing from a file is executed: files that hold whole pickled networks are read with every foreign class replaced by
an empty shell, from which only the tensors are taken."""
from __future__ import annotations

import collections
import io
import pickle
import re
from pathlib import Path

import torch
from torch import Tensor, nn

WRAPPERS = ("model", "state_dict", "model_state_dict")  # entries that hold the weights, in order of preference


class CheckpointError(Exception):
    """`where`: expected and found in one line; `differences`: a line each; `hint`: what to do."""

    def __init__(self, message: str, hint: str, differences: list[str] | None = None):
        super().__init__(message)
        self.hint, self.differences = hint, differences or []


class Shell:
    """Stands for an object of a class that is not imported; keeps its state only."""

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        self.state = state if isinstance(state, dict) else {}

    def __call__(self, *args, **kwargs):
        return Shell()

    def append(self, item):  # lists and dicts of foreign classes
        pass

    extend = append

    def __setitem__(self, key, value):
        pass


_ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): torch._utils._rebuild_tensor_v2,
    ("torch._utils", "_rebuild_parameter"): torch._utils._rebuild_parameter,
    ("torch", "Size"): torch.Size,
    ("builtins", "set"): set,
    ("__builtin__", "set"): set,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        if module == "torch" and re.fullmatch(r"(Half|Float|Double|BFloat16|Int|Long|Short|Byte|Char|Bool)Storage|\w+int\d+|float\d+|bfloat16|bool",
                                              name):
            return getattr(torch, name)
        return type(name, (Shell,), {})


class _ShellPickle:
    """What torch.load asks of a pickle module."""

    Unpickler = _Unpickler
    load = staticmethod(lambda file, **kw: _Unpickler(file, **kw).load())
    loads = staticmethod(lambda data, **kw: _Unpickler(io.BytesIO(data), **kw).load())
    __name__ = "fovea_models.checkpoint"


def _tensors_of(shell: Shell, prefix: str = "") -> dict[str, Tensor]:
    """The state dict of a pickled module, from the three dictionaries every nn.Module has."""
    found, state = {}, getattr(shell, "state", {})
    for group in ("_parameters", "_buffers"):
        found |= {prefix + k: v for k, v in (state.get(group) or {}).items() if isinstance(v, Tensor)}
    for name, child in (state.get("_modules") or {}).items():
        if isinstance(child, Shell):
            found |= _tensors_of(child, f"{prefix}{name}.")
    return found


def _load(path: Path):
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_ShellPickle)


def read(path: Path) -> dict[str, Tensor]:
    """Any supported file -> name to f32 tensor (integers stay). Wrappers and a `module.` prefix are removed."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file", "give the path of a .pt or .pth file")
    try:
        content = _load(path)
    except Exception as error:  # torch raises many kinds on bytes that are no checkpoint
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path}: expected a PyTorch checkpoint, found something else ({reason})",
                              "files from a download may be incomplete; check their size") from error
    for _ in WRAPPERS:
        if isinstance(content, dict):
            inner = next((content[w] for w in WRAPPERS if isinstance(content.get(w), (dict, Shell))), content)
            if inner is content:
                break
            content = inner
    if isinstance(content, Shell):
        content = _tensors_of(content)
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: expected a state dict, found {type(content).__name__}",
                              "save model.state_dict() with torch.save")
    state = {str(k): v.detach() for k, v in content.items() if isinstance(v, Tensor)}
    if state and all(k.startswith("module.") for k in state):
        state = {k.removeprefix("module."): v for k, v in state.items()}
    return {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def differences(model: nn.Module, state: dict[str, Tensor]) -> list[str]:
    """Missing, extra and misshapen keys, a line each."""
    own, lines = model.state_dict(), []
    for key, tensor in own.items():
        if key not in state:
            lines.append(f"missing    {key} {list(tensor.shape)}")
        elif state[key].shape != tensor.shape:
            lines.append(f"misshapen  {key}: expected {list(tensor.shape)}, found {list(state[key].shape)}")
    return lines + [f"extra      {key} {list(value.shape)}" for key, value in state.items() if key not in own]


def fit(model: nn.Module, path: Path, part: str = "", optional: tuple[str, ...] = ()) -> None:
    """Loads the file into `model`, or into its sub-module `part`, exactly.

    `optional`: patterns of keys that official files may hold and inference does not use. A file of the whole network
    gives a part the keys under its name."""
    state, target = read(path), model.get_submodule(part) if part else model
    if part and any(k.startswith(part + ".") for k in state):
        state = {k.removeprefix(part + "."): v for k, v in state.items() if k.startswith(part + ".")}
    own = target.state_dict()
    state = {k: v for k, v in state.items() if k in own or not any(re.search(p, k) for p in optional)}
    for key, value in own.items():  # a counter of training steps: of no use, and not in every file
        if key.endswith("num_batches_tracked"):
            state.setdefault(key, value)
    wrong = differences(target, state)
    if wrong:
        raise CheckpointError(f"{path}: expected the {len(own)} keys of the network, found {len(wrong)} differences",
                              "the network's name and options must be those of the checkpoint", wrong)
    target.load_state_dict(state, strict=True)
