#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real third-party networks: engines of ours against ONNX Runtime on photos and on seeded inputs.

agree_with_onnxruntime.py FOVEA SHARED [NAME...]   exit code 0 agree, 1 differ, 77 skipped.
Limits (largest |difference| relative to the output's range): f32 1e-4, and 4e-7 absolute on top because ONNX Runtime's
own Sigmoid is off by up to 1.4e-7 (measured against f64), which shows where a detector sees nothing; f16 outputs 2^-10, two roundings of the type;
quantised networks see below. Dynamic networks run with one engine at three sizes and batches 1 and 3.

Quantised networks are held to three things. Ours equals the evaluation of quantised_semantics.py bit for bit. That evaluation,
started at each layer from ONNX Runtime's own integers (optimisations off: ONNX's operators one by one), differs from ONNX
Runtime's next ones by at most one step on at most 1 % of the values; what differs lies at rounding ties, where a sum in f32
falls to either side. End to end such a value moves the rest of the network (ONNX Runtime's optimised and plain runs differ by
up to four steps on 90 % of a network's outputs), so only the top result must be the same. The stored output of
mobilenetv2_qdq_ort is held to one step on 1 % of the values."""
import copy
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np

SIZES = {"ppocr_v3_det": [(320, 320), (256, 480), (384, 192)], "yunet_n_dynamic": [(320, 320), (256, 480), (160, 224)]}
BATCHES = {"ppocr_v3_det": (1, 3), "yunet_n_dynamic": (1, 3), "deimv2_femto": (1, 3), "mobilenetv2_qdq_ort": (1, 3)}
QUANTISED = {"face_landmarks_qdq", "mobilenetv2_qdq_ort"}
SCALE = {"yunet_n_dynamic": 255}  # trained on pictures of 0..255
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64}


def photos(folder, batch, height, width):
    from PIL import Image
    files = sorted(glob.glob(os.path.join(folder, "*.jpg")))[:batch]
    pictures = [np.asarray(Image.open(f).convert("RGB").resize((width, height), Image.BILINEAR), np.float32) / 255 for f in files]
    return np.stack(pictures).transpose(0, 3, 1, 2).copy()


def feeds_of(session, images, batch, size, real, scale):
    rng, feeds = np.random.default_rng(7), {}
    for node in session.get_inputs():
        free = [batch if axis == 0 else (2 if len(node.shape) == 2 else size[axis - 2]) for axis in range(len(node.shape))]
        shape = [d if isinstance(d, int) and d > 0 else free[axis] for axis, d in enumerate(node.shape)]
        kind = TYPES[node.type]
        if kind == np.int64:
            feeds[node.name] = np.full(shape, 416, kind)
        elif real and len(shape) == 4 and shape[1] == 3:
            feeds[node.name] = (scale * photos(images, shape[0], shape[2], shape[3])).astype(kind)
        else:
            feeds[node.name] = (scale * rng.random(shape, np.float32)).astype(kind)
    return feeds


def difference(name, ours, theirs, strict=False):
    """None if they agree, else a sentence."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{ours.dtype} {ours.shape} instead of {theirs.dtype} {theirs.shape}"
    if not np.issubdtype(theirs.dtype, np.floating):
        wrong = int((ours != theirs).sum())
        return f"{wrong} of {theirs.size} differ" if wrong else None
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    spread, worst = max(np.abs(b).max(), 1e-30), np.abs(a - b).max()
    if name in QUANTISED:
        steps = np.diff(np.unique(b))
        step = steps.min() if steps.size else 0
        share = float((np.abs(a - b) > 1e-6 * spread).mean())
        if strict and (worst > step * 1.001 + 1e-6 * spread or share > 0.01):
            return f"off by {worst / max(step, 1e-30):.2f} steps, {share:.1%} of the values"
        if theirs.ndim != 2:  # no class scores: there is no top result
            return None
        flat_a, flat_b = a.reshape(a.shape[0], -1), b.reshape(b.shape[0], -1)
        return None if (flat_a.argmax(1) == flat_b.argmax(1)).all() else "another top result"
    limit = 2.0**-10 if theirs.dtype == np.float16 else 1e-4
    return f"max error {worst / spread:.3g} of the range, limit {limit:.3g}" if not worst <= limit * spread + 4e-7 else None


def in_order(outputs):
    """DETR-style outputs in an order that rounding cannot change: detections sorted by label, then box."""
    if set(outputs) != {"labels", "boxes", "scores"}:
        return outputs
    kept = {key: [] for key in outputs}
    for labels, boxes, scores in zip(outputs["labels"], outputs["boxes"], outputs["scores"]):
        # The last ranks are ties of background queries: only what stands clear of the cut is compared.
        clear = scores > scores.min() + 0.05 * (scores.max() - scores.min())
        order = np.lexsort((np.round(boxes[clear][:, 1], 0), np.round(boxes[clear][:, 0], 0), labels[clear]))
        kept["labels"].append(labels[clear][order]); kept["boxes"].append(boxes[clear][order]); kept["scores"].append(scores[clear][order])
    return {key: np.concatenate(values) for key, values in kept.items()}


def check_stored(fovea, engine, path, name, folder):
    """Against the output that came with the network, if there is one."""
    data = os.path.join(os.path.dirname(path), "test_data_set_0")
    if not os.path.isdir(data):
        return []
    import onnx
    from onnx import numpy_helper
    tensors = []
    for stem in ("input_0.pb", "output_0.pb"):
        message = onnx.TensorProto()
        with open(os.path.join(data, stem), "rb") as file:
            message.ParseFromString(file.read())
        tensors.append(numpy_helper.to_array(message))
    np.save(os.path.join(folder, "in.npy"), tensors[0])
    subprocess.run([fovea, "run", engine, "--input", os.path.join(folder, "in.npy"), "--output", os.path.join(folder, "out.npz"), "-q"],
                   check=True)
    wrong = difference(name, next(iter(np.load(os.path.join(folder, "out.npz")).values())), tensors[1], strict=True)
    return [f"stored output: {wrong}"] if wrong else []


def open_session(model, optimised=True):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 2, 3
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Quantised:
    """A quantised network taken apart: against its definition, and layer by layer against ONNX Runtime."""

    def __init__(self, path):
        import onnx
        from quantised_semantics import Evaluation
        self.model, self.evaluate = onnx.load(path), Evaluation
        self.steps = [node.output[0] for node in self.model.graph.node if node.op_type == "QuantizeLinear"]
        opened = copy.deepcopy(self.model)
        opened.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in self.steps)
        self.session = open_session(opened.SerializeToString(), optimised=False)

    def problems(self, feeds, ours):
        found, defined = [], self.evaluate(self.model, feeds).values
        for key, value in ours.items():
            wrong = int((value != defined[key]).sum())
            found += [f"output {key}: {wrong} of {value.size} are not what the network defines"] if wrong else []
        given = dict(zip(self.steps, self.session.run(self.steps, feeds)))
        for key, own in self.evaluate(self.model, feeds, given).own.items():
            difference = np.abs(own.astype(np.int64) - given[key])
            if difference.max() > 1 or (difference > 0).mean() > 0.01:
                found.append(f"layer {key}: off by {difference.max()} steps, {(difference > 0).mean():.2%} of the values")
        return found


def check(fovea, path, name, images, folder):
    session = open_session(path)
    quantised = Quantised(path) if name in QUANTISED else None
    engine = os.path.join(folder, name + ".fovea")
    built = subprocess.run([fovea, "build", path, "-o", engine, "-q"], capture_output=True, text=True)
    if built.returncode:
        return [built.stderr.strip()]
    problems = check_stored(fovea, engine, path, name, folder)
    for size in SIZES.get(name, [(320, 320)]):
        for batch in BATCHES.get(name, (1,)):
            for real in (True, False):
                feeds = feeds_of(session, images, batch, size, real, SCALE.get(name, 1))
                np.savez(os.path.join(folder, "in.npz"), **feeds)
                run = subprocess.run([fovea, "run", engine, "--input", os.path.join(folder, "in.npz"), "--output",
                                      os.path.join(folder, "out.npz"), "-q"], capture_output=True, text=True)
                case = f"{size[0]}x{size[1]} batch {batch} {'photos' if real else 'seeded'}"
                if run.returncode:
                    problems.append(f"{case}: {run.stderr.strip()}")
                    continue
                theirs = in_order(dict(zip((o.name for o in session.get_outputs()), session.run(None, feeds))))
                ours = in_order(dict(np.load(os.path.join(folder, "out.npz"))))
                if quantised and batch == 1:
                    problems += [f"{case}: {problem}" for problem in quantised.problems(feeds, ours)]
                for key, value in theirs.items():
                    wrong = difference(name, ours[key], value)
                    if wrong:
                        problems.append(f"{case}: output {key}: {wrong}")
    return problems


def main():
    fovea, shared, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    if not os.path.isdir(os.path.join(shared, "models")):
        print(f"skipped: no third-party networks at {shared}; set FOVEA_SHARED")
        return 77
    try:
        import onnxruntime  # noqa: F401
        import PIL  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}; scripts/bootstrap.sh test installs the judges")
        return 77
    failed = 0
    for path in sorted(glob.glob(os.path.join(shared, "models", "*", "*.onnx"))):
        name = os.path.basename(os.path.dirname(path))
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            problems = check(fovea, path, name, os.path.join(shared, "data", "images"), folder)
        print(f"{'FAIL' if problems else 'ok  '} {name}", flush=True)
        for problem in problems:
            print(f"     {problem}", flush=True)
        failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
