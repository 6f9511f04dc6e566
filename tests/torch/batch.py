# SPDX-License-Identifier: Apache-2.0
"""Hundreds of random nodes in one graph: built and run once, then compared node by node with what PyTorch gave."""
import os
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import helper

LIMIT = 1e-5  # largest |difference| relative to the output's range
ONNX_TYPES = {np.dtype(np.float32): onnx.TensorProto.FLOAT, np.dtype(np.int64): onnx.TensorProto.INT64, np.dtype(np.int32): onnx.TensorProto.INT32}


def single(tensor):
    return np.ascontiguousarray(tensor, np.float32)


class Batch:
    def __init__(self, name, opset):
        self.name, self.opset = name, opset
        self.nodes, self.inputs, self.outputs, self.constants, self.feeds, self.expected, self.domains = [], [], [], [], {}, {}, set()

    def add(self, op, inputs, expected, domain="", constants=(), **attributes):
        """One node. `expected`: an array for each output; None where it is not compared."""
        number, names = len(self.nodes), []
        for i, value in enumerate(inputs):
            if value is None:
                names.append("")
                continue
            names.append(f"n{number}_in{i}")
            if i in constants:
                self.constants.append(onnx.numpy_helper.from_array(value, names[-1]))
            else:
                self.inputs.append(helper.make_tensor_value_info(names[-1], ONNX_TYPES[value.dtype], value.shape))
                self.feeds[names[-1]] = value
        results = []
        for i, value in enumerate(expected):
            results.append(f"n{number}_out{i}")
            self.expected[results[-1]] = (value, f"{op} {attributes} on {[None if t is None else t.shape for t in inputs]}")
            self.outputs.append(helper.make_empty_tensor_value_info(results[-1]))
            self.outputs[-1].type.tensor_type.elem_type = ONNX_TYPES[value.dtype]
        self.nodes.append(helper.make_node(op, names, results, name=f"n{number}", domain=domain, **attributes))
        self.domains.add(domain)

    def run(self, fovea):
        """A list of complaints. Kernels are chosen by order, not by time, and none is replaced where it does not verify."""
        opsets = [helper.make_opsetid("", self.opset)] + [helper.make_opsetid(d, 1) for d in sorted(self.domains) if d]
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, initializer=self.constants)
        with tempfile.TemporaryDirectory() as folder:
            model, engine, feeds, out = (os.path.join(folder, f) for f in ("m.onnx", "m.fovea", "in.npz", "out.npz"))
            onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), model)
            np.savez(feeds, **self.feeds)
            for command in ([fovea, "build", model, "-o", engine, "--tune", "none", "--no-verify", "-q"], [fovea, "run", engine, "--input", feeds, "--output", out, "-q"]):
                done = subprocess.run(command, capture_output=True, text=True)
                if done.returncode:
                    return [f"exit code {done.returncode}: {done.stderr.strip()}"]
            found = dict(np.load(out))
        problems, self.worst = [], 0.0
        for name, (expected, what) in self.expected.items():
            wrong = self.difference(found[name], expected)
            if wrong:
                problems.append(f"{name}: {wrong}: {what}")
        return problems

    def difference(self, found, expected):
        if found.shape != expected.shape or found.dtype != expected.dtype:
            return f"{found.dtype} {found.shape} instead of {expected.dtype} {expected.shape}"
        if expected.size == 0:
            return None
        if expected.dtype != np.float32:
            wrong = int((found != expected).sum())
            return f"{wrong} of {expected.size} differ" if wrong else None
        if not np.array_equal(np.isfinite(found), np.isfinite(expected)):
            return "not a number or infinite at other places"
        finite = np.isfinite(expected)
        a, b = found[finite].astype(np.float64), expected[finite].astype(np.float64)
        if a.size == 0:
            return None
        error = np.abs(a - b).max() / max(np.abs(b).max(), 1e-30) if not np.array_equal(a, b) else 0.0
        self.worst = max(self.worst, error)
        return f"error {error:.3g} of the range, limit {LIMIT:g}" if not error <= LIMIT else None
