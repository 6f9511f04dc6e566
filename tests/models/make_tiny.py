#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tiny.onnx, the smallest network worth building: two convolutions over free height and width; and conformance/,
a case for `fovea conformance`."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(__file__).resolve().parent
random = np.random.default_rng(0)


def weights(name, *shape):
    return numpy_helper.from_array((random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32), name)


nodes = [
    helper.make_node("Conv", ["images", "w0", "b0"], ["c0"], name="stem", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    helper.make_node("Relu", ["c0"], ["r0"], name="stem/act"),
    helper.make_node("Conv", ["r0", "w1"], ["scores"], name="head", kernel_shape=[1, 1]),
]
graph = helper.make_graph(
    nodes, "tiny",
    [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, "H", "W"])],
    [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 4, "h", "w"])],
    [weights("w0", 8, 3, 3, 3), weights("b0", 8), weights("w1", 4, 8, 1, 1)])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tests/models/make_tiny.py")
onnx.checker.check_model(model)
onnx.save(model, here / "tiny.onnx")

# A conformance case: a model with a set of inputs and expected outputs, as in ONNX's backend tests.
case = here / "conformance" / "relu"
(case / "test_data_set_0").mkdir(parents=True, exist_ok=True)
x = random.standard_normal((2, 3)).astype(np.float32)
info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 3]) for name in ("x", "y")]
relu = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "relu", info[:1], info[1:])
onnx.save(helper.make_model(relu, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), case / "model.onnx")
(case / "test_data_set_0" / "input_0.pb").write_bytes(numpy_helper.from_array(x, "x").SerializeToString())
(case / "test_data_set_0" / "output_0.pb").write_bytes(numpy_helper.from_array(np.maximum(x, 0), "y").SerializeToString())
