#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes models/*.onnx, small networks with the operators of modules/test_operators.cpp, and models/cases/scale_add/, a case
for `fovea conformance`."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

models = pathlib.Path(__file__).resolve().parent / "models"
models.mkdir(exist_ok=True)


def network(name, nodes, shape_in, shape_out, initializers=()):
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape_in)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape_out)], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("test", 1)], ir_version=8,
                             producer_name="tests/plugin/make_models.py")


def node(op, inputs, **attributes):
    return helper.make_node(op, inputs, ["y"], name=f"the_{op.lower()}", domain="test", **attributes)


onnx.save(network("crop", [node("HalfCrop", ["x"], margin=2)], ["N", 3, "H", "W"], ["N", 3, "h", "w"]), models / "crop.onnx")
onnx.save(network("no_margin", [node("HalfCrop", ["x"])], ["N", 3, "H", "W"], ["N", 3, "h", "w"]), models / "no_margin.onnx")
onnx.save(network("rank", [node("HalfCrop", ["x"], margin=2)], ["N", 3], ["N", 3]), models / "rank.onnx")
onnx.save(network("fails", [node("Fails", ["x"])], [4], [4]), models / "fails.onnx")
# A spelling of a built-in operator, which a plugin cannot have.
taken = network("taken", [helper.make_node("deform_conv2d", ["x"], ["y"], name="taken", domain="torchvision")], [4], [4])
taken.opset_import.append(helper.make_opsetid("torchvision", 1))
onnx.save(taken, models / "taken.onnx")
np.save(models / "large.npy", np.array([1, 2, 3, 4000], np.float32))

case = models / "cases" / "scale_add"
(case / "test_data_set_0").mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
x, beta = random.standard_normal((2, 3, 4)).astype(np.float32), np.array([1, -2, 3], np.float32)
onnx.save(network("scale_add", [node("ScaleAdd", ["x", "beta"], alpha=0.5, mode="subtract")], [2, 3, 4], [2, 3, 4],
                  [numpy_helper.from_array(beta, "beta")]), case / "model.onnx")
(case / "test_data_set_0" / "input_0.pb").write_bytes(numpy_helper.from_array(x, "x").SerializeToString())
(case / "test_data_set_0" / "output_0.pb").write_bytes(
    numpy_helper.from_array((0.5 * x.astype(np.float64) - beta[:, None]).astype(np.float32), "y").SerializeToString())
