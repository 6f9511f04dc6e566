#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""hostile_nodes.py FOLDER: one-node models with nonsensical attributes, shapes and values, made from the golden cases.

Writes FOLDER/NUMBER.onnx, FOLDER/NUMBER.npz where it is to be run, and FOLDER/list.txt with a line for each: number, what
is expected (`refused`, `refused:NAME` whose message names NAME, or `any` that is no crash), what was done to which case.
Reproducible: no random numbers."""
import copy
import os
import sys

import numpy as np
import onnx
from onnx import AttributeProto, helper, numpy_helper

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "data")
HUGE = (2**31, 2**32 + 1, 2**63 - 1, -(2**63))
POSITIVE = {"kh", "kw", "sh", "sw", "dh", "dw", "group", "group_channels", "groups", "deform_groups", "offset_group", "offset_groups", "points", "output_height",
            "output_width", "pooled_height", "pooled_width", "num_groups", "strides", "stride", "dilations", "dilation", "kernel_shape", "stride_h", "stride_w",
            "dilation_h", "dilation_w", "keepTopK", "keep_topk"}
CHOICES = {"mode", "padding_mode", "interpolation_mode", "coordinate_transformation_mode", "reduction", "box_coding"}
NODE = "hostile_node"


def seeds():
    """The case with the most attributes, then the least data, of every operator, domain and number of inputs."""
    best = {}
    for folder, _, files in os.walk(GOLDEN):
        if "model.onnx" not in files:
            continue
        model = onnx.load(os.path.join(folder, "model.onnx"))
        data = os.path.join(folder, "test_data_set_0")
        if len([f for f in os.listdir(folder) if f.startswith("test_data_set")]) > 1 or model.graph.initializer:
            continue
        tensors = []
        for i in range(len(model.graph.input)):
            message = onnx.TensorProto()
            with open(os.path.join(data, f"input_{i}.pb"), "rb") as file:
                message.ParseFromString(file.read())
            tensors.append(message)
        if any(t.data_type == onnx.TensorProto.BFLOAT16 or 0 in t.dims for t in tensors):
            continue
        node, attributes = model.graph.node[0], len(model.graph.node[0].attribute)
        key = (node.op_type, len(node.input), node.domain)
        size = (-attributes, -model.opset_import[0].version, sum(len(t.raw_data) for t in tensors))
        if key not in best or (size, folder) < best[key][:2]:
            best[key] = (size, folder, model, [numpy_helper.to_array(t) for t in tensors])
    for key in sorted(best):
        _, folder, model, arrays = best[key]
        model.graph.node[0].name = NODE
        yield os.path.relpath(folder, GOLDEN), model, arrays


class Writer:
    def __init__(self, folder):
        self.folder, self.lines = folder, []

    def write(self, expected, what, model, arrays, declared=None):
        """`declared`: extents per input for the model (None: open); default as in the data. No arrays: it is only built."""
        model = copy.deepcopy(model)
        for i, info in enumerate(model.graph.input):
            shape = declared[i] if declared else arrays[i].shape
            if arrays:
                info.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(arrays[i].dtype)
            info.type.tensor_type.ClearField("shape")
            if shape is not None:
                info.type.tensor_type.shape.SetInParent()
                for k, extent in enumerate(shape):
                    dim = info.type.tensor_type.shape.dim.add()
                    if extent is None:
                        dim.dim_param = f"i{i}_{k}"
                    else:
                        dim.dim_value = extent
        for info in model.graph.output:
            info.type.tensor_type.ClearField("shape")
        stem = f"{len(self.lines):05d}"
        with open(os.path.join(self.folder, stem + ".onnx"), "wb") as file:
            file.write(model.SerializeToString())
        if arrays:
            np.savez(os.path.join(self.folder, stem + ".npz"), **{info.name: a for info, a in zip(model.graph.input, arrays)})
        self.lines.append(f"{stem} {expected} {what}")


def hostile_values(attribute):
    """(value, is nonsense for sure) for an attribute's type."""
    name, kind, positive = attribute.name, attribute.type, attribute.name in POSITIVE
    if kind == AttributeProto.INT:
        for value in (-1, 0, 3, 1000003, *HUGE):
            yield value, (positive and value <= 0) or (name in CHOICES and not 0 <= value <= 3)
        yield 0.5, True
        yield "text", True
        yield [1, 2], True
    elif kind == AttributeProto.INTS:
        values = list(attribute.ints)
        for k in range(len(values)):
            for value in (-1, 0, 1000003, *HUGE):
                yield values[:k] + [value] + values[k + 1:], positive and value <= 0
        yield values + [1, 1, 1], True
        yield 7.5, True
    elif kind == AttributeProto.FLOAT:
        for value in (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 1e38, 1e-45):
            yield value, False
        yield "text", True
    elif kind == AttributeProto.STRING:
        for value in ("", "nonsense", "AVG\0"):
            yield value, name in CHOICES


def attribute_mutants(out, name, model, arrays):
    node = model.graph.node[0]
    for k, attribute in enumerate(node.attribute):
        if attribute.name.startswith("plugin_"):
            continue
        for value, nonsense in hostile_values(attribute):
            changed = copy.deepcopy(model)
            changed.graph.node[0].attribute[k].CopyFrom(helper.make_attribute(attribute.name, value))
            out.write(f"refused:{attribute.name}" if nonsense else "any", f"{name}: {attribute.name} = {value!r}", changed, arrays)
        changed = copy.deepcopy(model)
        del changed.graph.node[0].attribute[k]
        out.write("any", f"{name}: without {attribute.name}", changed, arrays)
    changed = copy.deepcopy(model)
    del changed.graph.node[0].attribute[:]
    out.write("any", f"{name}: without attributes", changed, arrays)


def resized(array, shape):
    return np.resize(array, shape) if array.size and np.prod(shape) else np.zeros(shape, array.dtype)


def shapes_from(shape):
    for axis, extent in enumerate(shape):
        for other in (0, extent + 1, 2 * extent):
            yield shape[:axis] + (other,) + shape[axis + 1:]
    yield shape + (1,)
    yield (1,) + shape
    yield shape[1:]
    yield ()


def input_mutants(out, name, model, arrays):
    for i, array in enumerate(arrays):
        def with_array(changed):
            return [changed if k == i else a for k, a in enumerate(arrays)]
        for shape in shapes_from(array.shape):
            if 0 <= min(shape, default=0):
                changed = with_array(resized(array, shape))
                if sum(shape) % 2:
                    out.write("any", f"{name}: input {i} {shape}", model, changed)
                out.write("any", f"{name}: input {i} {shape}, extents open", model, changed, [(None,) * a.ndim for a in changed])
        fills = (np.nan, np.inf, -1e30, 3e9, -2.0**31, 0.0) if array.dtype.kind == "f" else (-1, 2**31 - 1, -(2**31), 2**62, -(2**63), 1000)
        for value in fills:
            info = np.iinfo(array.dtype) if array.dtype.kind == "i" else None
            if info and not info.min <= value <= info.max:
                continue
            changed = array.copy()
            with np.errstate(all="ignore"):
                changed.reshape(-1)[::2] = value
            out.write("any", f"{name}: input {i} half {value}", model, with_array(changed))
        for kind in (np.float64, np.float16, np.int64):
            if array.dtype != kind:
                with np.errstate(all="ignore"):
                    out.write("any", f"{name}: input {i} of type {np.dtype(kind)}", model, with_array(array.astype(kind)))
        for axis in range(array.ndim):
            for extent in (2**33, 2**62):
                declared = [list(a.shape) for a in arrays]
                declared[i][axis] = extent
                out.write("any", f"{name}: input {i} declared {declared[i]}", model, [], declared)
        declared = [None if k == i else a.shape for k, a in enumerate(arrays)]
        out.write("any", f"{name}: input {i} of unknown rank", model, arrays, declared)
    nothing = [tuple(0 for _ in a.shape) for a in arrays]
    out.write("any", f"{name}: all extents 0", model, [resized(a, s) for a, s in zip(arrays, nothing)])
    for axis in (0, 1):  # one axis of all inputs
        changed = [resized(a, a.shape[:axis] + (0,) + a.shape[axis + 1:]) if a.ndim > axis else a for a in arrays]
        out.write("any", f"{name}: axis {axis} of all inputs 0", model, changed, [(None,) * a.ndim for a in changed])
    missing = copy.deepcopy(model)
    missing.graph.node[0].input[0] = ""
    del missing.graph.input[0]
    out.write("refused", f"{name}: first input left out", missing, arrays[1:])
    if len(arrays) == 1:
        return
    short = copy.deepcopy(model)
    del short.graph.node[0].input[1:]
    del short.graph.input[1:]
    optional = model.graph.node[0].op_type in ("LayerNormalization",)
    out.write("any" if optional else "refused", f"{name}: one input only", short, arrays[:1])
    more = copy.deepcopy(model)
    more.graph.node[0].input.extend([more.graph.input[0].name] * 6)
    out.write("refused", f"{name}: six inputs too many", more, arrays)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.remove(os.path.join(folder, name))
    out, count, done = Writer(folder), 0, set()
    for name, model, arrays in seeds():
        count += 1
        attribute_mutants(out, name, model, arrays)
        kind = (model.graph.node[0].op_type, len(arrays))
        if kind not in done:  # the domain makes no difference for the inputs
            input_mutants(out, name, model, arrays)
        done.add(kind)
    with open(os.path.join(folder, "list.txt"), "w") as file:
        file.write("\n".join(out.lines) + "\n")
    print(f"{len(out.lines)} models from {count} cases")


if __name__ == "__main__":
    main()
