# SPDX-License-Identifier: Apache-2.0
"""Writes one-node ONNX backend tests: CASE/model.onnx with CASE/test_data_set_N/{input,output}_M.pb."""
import os
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper

NUMPY = {"f32": np.float32, "f16": np.float16, "f64": np.float64, "i64": np.int64, "i32": np.int32, "u8": np.uint8, "bool": np.bool_}
ONNX = {"f32": onnx.TensorProto.FLOAT, "f16": onnx.TensorProto.FLOAT16, "bf16": onnx.TensorProto.BFLOAT16, "f64": onnx.TensorProto.DOUBLE,
        "i64": onnx.TensorProto.INT64, "i32": onnx.TensorProto.INT32, "u8": onnx.TensorProto.UINT8, "bool": onnx.TensorProto.BOOL}


def bf16_bits(values):
    """Upper half of the f32 pattern, rounded to even."""
    bits = np.asarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return np.where(np.isnan(values), 0x7fc0, (bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


class Stored:
    """A tensor as it lies in the file: `exact` holds the stored numbers, floats as f64."""

    def __init__(self, kind, values):
        values = np.asarray(values)
        self.kind, self.shape = kind, values.shape
        if kind == "bf16":
            bits = bf16_bits(values.astype(np.float64))
            self.bytes = bits.tobytes()
            self.exact = (bits.astype(np.uint32) << 16).view(np.float32).astype(np.float64).reshape(self.shape)
        else:
            with np.errstate(invalid="ignore"):
                stored = np.ascontiguousarray(values, NUMPY[kind]).reshape(self.shape)
            self.bytes = stored.tobytes()
            self.exact = stored.astype(np.float64) if kind[0] == "f" else stored

    def proto(self, name):
        return onnx.TensorProto(name=name, data_type=ONNX[self.kind], dims=self.shape, raw_data=self.bytes)


def f32(values): return Stored("f32", values)
def f16(values): return Stored("f16", values)
def bf16(values): return Stored("bf16", values)
def i64(values): return Stored("i64", values)
def i32(values): return Stored("i32", values)


def rounded(kind, values):
    """An output in f16 or bf16, rounded once; refuses values so near a tie that f32 arithmetic could fall to its other side,
    unless f32 holds them exactly or a step is below the absolute tolerance."""
    values = np.asarray(values, np.float64)
    stored = Stored(kind, values)
    ulp = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(values), 2.0**-14))) - (10 if kind == "f16" else 7))
    clear = ulp / 2 - np.abs(values - stored.exact) > 1e-6 * np.abs(values).max()
    safe = clear | (values == values.astype(np.float32)) | (ulp < 1e-5)
    assert safe.all(), "a value near a tie: take another seed"
    return stored


def seek(make, seeds=range(1, 200)):
    """The first seed whose half-precision outputs are clear of ties."""
    for seed in seeds:
        try:
            return make(seed)
        except AssertionError:
            continue
    raise AssertionError("no seed")


def dyadic(seed, shape, low, high, steps=64):
    """Seeded numbers on a grid of 1/steps: exact in f32 (and in the halves where short), so ties and borders are met exactly."""
    raw = np.random.RandomState(seed).randint(int(low * steps), int(high * steps) + 1, size=shape)
    return raw / steps


@dataclass
class Case:
    name: str
    op: str
    sets: list                      # of (inputs, outputs); an input may be None (left out)
    domain: str = ""
    opset: int = 17
    attributes: dict = field(default_factory=dict)
    constants: tuple = ()           # inputs that are initializers
    dynamic: bool = False           # no extent of an input is given

    def value_info(self, name, tensors):
        """Extents that differ from set to set are open."""
        shapes = [t.shape for t in tensors]
        dims = [f"{name}_{axis}" if self.dynamic or len(set(extents)) > 1 else extents[0] for axis, extents in enumerate(zip(*shapes))]
        return helper.make_tensor_value_info(name, ONNX[tensors[0].kind], dims)

    def model(self):
        inputs, outputs = self.sets[0]
        names = ["" if t is None else f"in{i}" for i, t in enumerate(inputs)]
        results = [f"out{i}" for i in range(len(outputs))]
        node = helper.make_node(self.op, names, results, name=self.name.split("/")[-1], domain=self.domain, **self.attributes)
        given = [i for i, t in enumerate(inputs) if t is not None and i not in self.constants]
        graph = helper.make_graph(
            [node], self.name.split("/")[-1], [self.value_info(names[i], [s[0][i] for s in self.sets]) for i in given],
            [self.value_info(r, [s[1][i] for s in self.sets]) for i, r in enumerate(results)],
            initializer=[inputs[i].proto(names[i]) for i in self.constants])
        opsets = [helper.make_opsetid("", self.opset)] + ([helper.make_opsetid(self.domain, 1)] if self.domain else [])
        return helper.make_model(graph, opset_imports=opsets, ir_version=8 if self.opset < 21 else 10, producer_name="fovea golden"), given

    def write(self, root):
        model, given = self.model()
        folder = os.path.join(root, self.name)
        write(os.path.join(folder, "model.onnx"), model)
        for k, (inputs, outputs) in enumerate(self.sets):
            data = os.path.join(folder, f"test_data_set_{k}")
            for place, i in enumerate(given):
                write(os.path.join(data, f"input_{place}.pb"), inputs[i].proto(f"in{i}"))
            for i, tensor in enumerate(outputs):
                write(os.path.join(data, f"output_{i}.pb"), tensor.proto(f"out{i}"))


def write(path, message):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(message.SerializeToString(deterministic=True))


def case(name, op, inputs, outputs, **more):
    """A case with one data set."""
    return Case(name, op, [(inputs, outputs)], **more)


def expect(found, wanted, tolerance=1e-12):
    """A literal number of a specification against our reference: the reference itself is checked."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    assert np.all(np.abs(found - wanted) <= tolerance * np.maximum(1, np.abs(wanted))), (found, wanted)
