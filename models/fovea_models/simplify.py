# SPDX-License-Identifier: Apache-2.0
"""Folds what is known while exporting: constants into initializers, identities away, shape arithmetic of static graphs and
other work on constants into its results. Numbers do not change. onnx and NumPy only."""
from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

MOST_ELEMENTS = 1 << 20  # of a folded result: files stay small
OF_NO_DOMAIN = ("", "ai.onnx")
NEVER = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli", "Multinomial"}


def simplify(model: ModelProto, kept: frozenset[str] = frozenset(), most: int = MOST_ELEMENTS) -> ModelProto:
    """`kept`: initializers that stay as they are (what is computed from them is not folded either). `most`: elements
    of the largest result that is stored."""
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    graph = model.graph
    outputs = {o.name for o in graph.output}
    known = {i.name: numpy_helper.to_array(i) for i in graph.initializer if i.name not in kept}
    shapes, renamed, nodes, made = _static_shapes(graph), {}, [], set()
    for node in graph.node:
        for i, name in enumerate(node.input):
            node.input[i] = renamed.get(name, name)
        if node.op_type == "Identity" and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
            continue
        folded = _fold(node, known, shapes, model.opset_import, most)
        if folded is None or any(o in outputs for o in node.output):
            nodes.append(node)
            continue
        for name, value in zip(node.output, folded):
            known[name] = value
            made.add(name)
    del graph.node[:]
    graph.node.extend(_alive(nodes, outputs))
    used = {name for node in graph.node for name in node.input} | outputs
    initializers = [i for i in graph.initializer if i.name in used]
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(known[n], order="C"), n) for n in sorted(made & used))
    values = {o for node in graph.node for o in node.output}
    infos = [v for v in graph.value_info if v.name in values]
    del graph.value_info[:]
    graph.value_info.extend(infos)
    return model


def _static_shapes(graph) -> dict[str, list[int]]:
    """Shapes without a symbol, of whatever has one."""
    shapes = {}
    for info in list(graph.value_info) + list(graph.input):
        kind = info.type.tensor_type
        if kind.HasField("shape") and all(d.HasField("dim_value") for d in kind.shape.dim):
            shapes[info.name] = [d.dim_value for d in kind.shape.dim]
    return shapes | {i.name: list(i.dims) for i in graph.initializer}


def _fold(node, known, shapes, opsets, most):
    if node.domain not in OF_NO_DOMAIN or node.op_type in NEVER:
        return None
    if node.op_type == "Shape" and node.input[0] in shapes:
        shape = shapes[node.input[0]]
        bounds = {a.name: a.i for a in node.attribute}
        return [np.array(shape[bounds.get("start", 0) : bounds.get("end", len(shape))], np.int64)]
    if node.op_type == "Constant" and node.attribute[0].name == "value":
        return [numpy_helper.to_array(node.attribute[0].t)]
    if any(name and name not in known for name in node.input) or any(a.type == a.GRAPH for a in node.attribute):
        return None
    if sum(known[name].size for name in node.input if name) > 4 * most:
        return None
    names = [n for n in dict.fromkeys(node.input) if n]
    inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(known[n].dtype), known[n].shape) for n in names]
    results = [helper.make_empty_tensor_value_info(o) for o in node.output]
    step = helper.make_model(helper.make_graph([node], "step", inputs, results), opset_imports=opsets)
    values = ReferenceEvaluator(step).run(None, {n: known[n] for n in names})
    return values if sum(v.size for v in values) <= most else None


def _alive(nodes, outputs) -> list:
    """Nodes whose results are read, in their order."""
    readers = Counter(name for node in nodes for name in node.input)
    alive = list(nodes)
    while True:
        dead = [n for n in alive if not any(readers[o] or o in outputs for o in n.output)]
        if not dead:
            return alive
        for node in dead:
            readers.subtract(node.input)
        gone = {id(n) for n in dead}
        alive = [n for n in alive if id(n) not in gone]
