# SPDX-License-Identifier: Apache-2.0
"""Light ONNX files (docs/light_onnx.md): weights that follow the seed rule are named, not stored. onnx and NumPy only.

    python -m fovea_models.light NET.light.onnx -o NET.onnx      # the ordinary file, for any other tool"""
from __future__ import annotations

import argparse
import os
import re
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from fovea_models.report import cannot_write, fail, unwritable
from fovea_models.seed import Rule, generate

LOCATION = "fovea:seed"
RULE_NAME = "splitmix64-1"


class LightError(Exception):
    pass


def write_beside(path: Path, data: bytes) -> None:
    """All of the file or nothing: written under another name in the same folder, then renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _bits(value: float) -> str:
    return struct.pack(">f", value).hex()


def lighten(model: ModelProto, seed: int, rules: dict[str, Rule]) -> int:
    """Replaces the bytes of every f32 initializer that equals its rule; returns how many. Keys of `rules` are names."""
    count = 0
    for tensor in model.graph.initializer:
        rule = rules.get(tensor.name)
        if rule is None or tensor.data_type != TensorProto.FLOAT:
            continue
        if not np.array_equal(numpy_helper.to_array(tensor), generate(seed, rule, tuple(tensor.dims))):
            continue
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        tensor.data_location = TensorProto.EXTERNAL
        entries = {"location": LOCATION, "stream": f"{rule.stream:016x}", "mean": _bits(rule.mean), "scale": _bits(rule.scale)}
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=value)
        count += 1
    del model.graph.value_info[:]  # inference finds these again; they would be a third of the file
    model.metadata_props.add(key="fovea.seed", value=f"{RULE_NAME}:{seed}")
    return count


def _hex(entries: dict[str, str], key: str, digits: int) -> int:
    text = entries.get(key, "")
    if not re.fullmatch(f"[0-9a-f]{{{digits}}}", text):
        raise LightError(f"{key}: expected {digits} hexadecimal digits, found '{text[:40]}'")
    return int(text, 16)


def _float(entries: dict[str, str], key: str) -> float:
    value = struct.unpack(">f", _hex(entries, key, 8).to_bytes(4, "big"))[0]
    if not np.isfinite(value):
        raise LightError(f"{key}: expected a finite number, found {value}")
    return value


def seed_of(model: ModelProto) -> int:
    text = next((p.value for p in model.metadata_props if p.key == "fovea.seed"), None)
    match = re.fullmatch(rf"{RULE_NAME}:(0|[1-9][0-9]{{0,19}})", text or "")
    if not match or int(match[1]) >= 1 << 64:
        raise LightError(f"metadata entry fovea.seed: expected '{RULE_NAME}:' and a number below 2^64, found {text!r}")
    return int(match[1])


def materialise(model: ModelProto) -> ModelProto:
    """Stores every weight that a light file only names."""
    named = [t for t in model.graph.initializer if any(e.key == "location" and e.value == LOCATION for e in t.external_data)]
    if not named:
        raise LightError("expected weights given by the seed rule, found none")
    seed = seed_of(model)
    for tensor in named:
        entries = {e.key: e.value for e in tensor.external_data}
        rule = Rule(_hex(entries, "stream", 16), _float(entries, "mean"), _float(entries, "scale"))
        values = generate(seed, rule, tuple(tensor.dims))
        tensor.ClearField("external_data")
        tensor.ClearField("data_location")
        tensor.raw_data = values.astype("<f4").tobytes()
    kept = [p for p in model.metadata_props if p.key != "fovea.seed"]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    return model


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fovea_models.light", description="light ONNX file -> ordinary ONNX file")
    parser.add_argument("light", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    hint = "give a file that export.py --light wrote"
    try:
        data = materialise(onnx.load(args.light, load_external_data=False)).SerializeToString()
    except LightError as error:
        return fail(f"{args.light}: {error}", hint, 3)
    except OSError as error:
        return fail(f"{args.light}: expected a light ONNX file, found '{error.strerror}'", hint, 3)
    except Exception as error:  # protobuf has many kinds
        return fail(f"{args.light}: expected an ONNX file, found something else ({type(error).__name__})", hint, 3)
    if problem := unwritable(args.output):
        return cannot_write(args.output, problem)
    try:
        write_beside(args.output, data)
    except OSError as error:
        return cannot_write(args.output, error, f"{len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
