# SPDX-License-Identifier: Apache-2.0
"""torch.load that executes nothing from a file.

Files that hold whole pickled networks are read with every foreign class replaced by an empty shell, from which only the
tensors are taken."""
from __future__ import annotations

import collections
import io
import pickle
import re
import warnings
from pathlib import Path

import torch
from torch import Tensor

MOST_MODULES = 20_000  # of one pickled network; a module that contains itself has no end
DEEPEST = 64


class Shell:
    """Stands for an object of a class that is not imported; keeps its state only."""

    state: dict = {}

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

    @property
    def is_module(self) -> bool:
        return isinstance(self.state.get("_modules"), dict)


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
    __name__ = "fovea_models.shells"


def load(path: Path):
    """The content of a file, foreign objects as shells. Raises whatever torch raises on bytes that are no checkpoint."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks on pickle protocols
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:
            return torch.load(path, map_location="cpu", weights_only=False, pickle_module=_ShellPickle)


def tensors_of(module: Shell) -> dict[str, Tensor]:
    """The state dict of a pickled module, from the dictionaries every nn.Module has. Raises ValueError if it has no end."""
    found, waiting, seen = {}, [("", 0, module)], 0
    while waiting:
        prefix, depth, shell = waiting.pop()
        seen += 1
        if seen > MOST_MODULES or depth > DEEPEST:
            raise ValueError("a pickled network that contains itself")
        groups = {name: shell.state.get(name) for name in ("_parameters", "_buffers", "_modules")}
        parameters, buffers, children = (group if isinstance(group, dict) else {} for group in groups.values())
        unsaved = shell.state.get("_non_persistent_buffers_set")
        for name, value in {**parameters, **buffers}.items():
            if isinstance(value, Tensor) and not (isinstance(unsaved, set) and name in unsaved):
                found[f"{prefix}{name}"] = value
        waiting += [(f"{prefix}{name}.", depth + 1, child) for name, child in children.items() if isinstance(child, Shell)][::-1]
    return found
