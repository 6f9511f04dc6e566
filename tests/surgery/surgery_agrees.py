#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Third-party networks after `fovea simplify` and `fovea split`: ONNX Runtime loads the results, in the opset of the original,
and computes the same.

surgery_agrees.py FOVEA SHARED   exit code 0 agree, 1 differ, 77 skipped.
The limits are those of tests/networks: 1e-4 of the output's range and 4e-7 absolute (folded factors round differently,
and ONNX Runtime's Sigmoid is off by 1.4e-7). The parts of a split network compute exactly what the whole does, up to the
peer's own fusions across the cut, for which the same limits hold."""
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "networks"))
from agree_with_onnxruntime import difference, in_order  # noqa: E402

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}
SKIPPED = {"face_landmarks_qdq": "a rounding tie moves whole steps", "mobilenetv2_qdq_ort": "a rounding tie moves whole steps"}


def session_of(path):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 2, 3
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def feeds_of(session):
    rng, feeds = np.random.default_rng(3), {}
    for node in session.get_inputs():
        shape = [d if isinstance(d, int) and d > 0 else (1 if axis == 0 else 320) for axis, d in enumerate(node.shape)]
        kind = TYPES[node.type]
        feeds[node.name] = np.full(shape, 416, kind) if kind == np.int64 else rng.random(shape, np.float32).astype(kind)
    return feeds


def run(session, feeds):
    wanted = {node.name for node in session.get_inputs()}
    return dict(zip((o.name for o in session.get_outputs()), session.run(None, {k: v for k, v in feeds.items() if k in wanted})))


def differences(what, found, expected):
    found, expected = in_order({name: found[name] for name in expected}), in_order(expected)
    wrong = {name: difference("", found[name], value) for name, value in expected.items()}
    return [f"{what}: output {name}: {sentence}" for name, sentence in wrong.items() if sentence]


def articulation(path):
    """A float tensor in the middle that everything behind it passes through, or None."""
    import onnx
    graph = onnx.load(path).graph
    constants = {i.name for i in graph.initializer} | {n.output[0] for n in graph.node if n.op_type == "Constant"}
    last = {}
    for position, node in enumerate(graph.node):
        for name in node.input:
            last[name] = position
    outputs = {o.name for o in graph.output}
    open_tensors, found = {i.name for i in graph.input} - constants, []
    for position, node in enumerate(graph.node):
        if node.op_type in ("Constant", "Shape"):
            continue
        open_tensors |= {o for o in node.output if o in last or o in outputs}
        open_tensors = {t for t in open_tensors if t in outputs or last.get(t, -1) > position}
        if len(open_tensors) == 1 and node.op_type in ("Conv", "Relu", "Add", "Clip"):
            found.append(next(iter(open_tensors)))
    return found[len(found) // 2] if found else None


def opset_problems(before, after):
    """The file keeps its opset (11 at least), and ONNX's own checker takes every node in the form of that opset."""
    import onnx
    opset_of = lambda model: next(i.version for i in model.opset_import if i.domain == "")  # noqa: E731
    old, new = onnx.load(before), onnx.load(after)
    problems = []
    if opset_of(new) != max(11, opset_of(old)):
        problems.append(f"simplified: opset {opset_of(new)}, the file had {opset_of(old)}")
    try:
        onnx.checker.check_model(new, full_check=True)
    except Exception as error:  # the checker's errors have several types
        problems.append(f"simplified: {error}")
    return problems


def check(fovea, path, folder):
    whole = session_of(path)
    feeds = feeds_of(whole)
    expected = run(whole, feeds)
    slim = os.path.join(folder, "slim.onnx")
    done = subprocess.run([fovea, "simplify", path, "-o", slim, "-q"], capture_output=True, text=True)
    if done.returncode:
        return [done.stderr.strip()]
    problems = opset_problems(path, slim) + differences("simplified", run(session_of(slim), feeds), expected)
    at = articulation(slim)
    if at is None:
        return problems
    done = subprocess.run([fovea, "split", slim, "--at", f"middle={at}", "-o", folder], capture_output=True, text=True)
    if done.returncode:
        return problems + [f"split at {at}: {done.stderr.strip()}"]
    parts = [session_of(p) for p in sorted(glob.glob(os.path.join(folder, "slim_*.onnx")), key=lambda p: "front" not in p)]
    values = dict(feeds)
    for part in parts:
        values.update(run(part, values))
    return problems + differences(f"split at {at}", values, expected)


def main():
    fovea, shared = sys.argv[1], sys.argv[2]
    if not os.path.isdir(os.path.join(shared, "models")):
        print(f"skipped: no third-party networks at {shared}; set FOVEA_SHARED")
        return 77
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}; scripts/bootstrap.sh test installs the judges")
        return 77
    failed = 0
    for path in sorted(glob.glob(os.path.join(shared, "models", "*", "*.onnx"))):
        name = os.path.basename(os.path.dirname(path))
        if name in SKIPPED:
            print(f"skip {name}: {SKIPPED[name]}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            problems = check(fovea, path, folder)
        print(f"{'FAIL' if problems else 'ok  '} {name}", flush=True)
        for problem in problems:
            print(f"     {problem}", flush=True)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
