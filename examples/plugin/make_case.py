#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes radial_profile/: a small network with example::PolarWarp, inputs of two sizes and the outputs that NumPy computes
in float64 from the operator's formula, as ONNX's backend tests lay them out. `fovea conformance` runs it.

The network finds the mean over all angles for each radius: a description of the picture that turning does not change."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

here = pathlib.Path(__file__).resolve().parent
case = here / "radial_profile"


def polar_warp(x, angles=0, radii=0, spacing="log"):
    height, width = x.shape[2:]
    angles, radii = angles or height, radii or -(-max(height, width) // 2)
    largest = max(1.0, min(height, width) / 2)
    r = np.arange(radii)
    rho = largest ** ((r + 1) / radii) if spacing == "log" else largest * (r + 0.5) / radii
    theta = 2 * np.pi * np.arange(angles)[:, None] / angles
    y, x_at = (height - 1) / 2 + rho * np.sin(theta), (width - 1) / 2 + rho * np.cos(theta)
    # A border of zeros, so that every neighbour exists; what lies further out is zero too.
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    top, left = np.floor(y).astype(int), np.floor(x_at).astype(int)
    fy, fx = y - top, x_at - left
    at = lambda row, column: padded[:, :, np.clip(row + 1, 0, height + 1), np.clip(column + 1, 0, width + 1)]
    return ((1 - fy) * (1 - fx) * at(top, left) + (1 - fy) * fx * at(top, left + 1)
            + fy * (1 - fx) * at(top + 1, left) + fy * fx * at(top + 1, left + 1))


nodes = [helper.make_node("PolarWarp", ["picture"], ["polar"], name="warp", domain="example", spacing="log", angles=12),
         helper.make_node("ReduceMean", ["polar"], ["profile"], name="mean", axes=[2], keepdims=0)]
graph = helper.make_graph(
    nodes, "radial_profile",
    [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, "H", "W"])],
    [helper.make_tensor_value_info("polar", TensorProto.FLOAT, ["N", 3, 12, "R"]),
     helper.make_tensor_value_info("profile", TensorProto.FLOAT, ["N", 3, "R"])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("example", 1)], ir_version=8,
                          producer_name="examples/plugin/make_case.py")
case.mkdir(exist_ok=True)
onnx.save(model, case / "model.onnx")

random = np.random.default_rng(0)
for number, shape in enumerate([(1, 3, 16, 24), (2, 3, 9, 8)]):
    picture = random.random(shape, dtype=np.float32)
    polar = polar_warp(picture, angles=12)
    folder = case / f"test_data_set_{number}"
    folder.mkdir(exist_ok=True)
    for kind, values in (("input", [("picture", picture)]), ("output", [("polar", polar), ("profile", polar.mean(axis=2))])):
        for i, (name, value) in enumerate(values):
            (folder / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(value.astype(np.float32), name).SerializeToString())
