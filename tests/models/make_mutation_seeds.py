#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes classifier.onnx, control_flow.onnx and detector.onnx: small models that together hold most of what the
importer reads. tests/errors/mutation_test damages them."""
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(0)
F32, I64, BOOL, U8, I8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8
node, info = helper.make_node, helper.make_tensor_value_info


def weights(name, *shape, type=np.float32):
    return numpy_helper.from_array((random.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(type), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def save(name, graph, functions=(), opsets=(("", 17),)):
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(*o) for o in opsets], ir_version=8, producer_name="make_mutation_seeds.py",
                              functions=list(functions))
    onnx.checker.check_model(model)
    onnx.save(model, pathlib.Path(__file__).with_name(name))


# Convolutions, normalisation, pooling, a residual, old-style shape arithmetic, a classifier.
save("classifier.onnx", helper.make_graph(
    [
        node("Conv", ["images", "w0", "b0"], ["c0"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c0", "scale", "bias", "mean", "var"], ["n0"], epsilon=1e-3),
        node("Relu", ["n0"], ["r0"]),
        node("MaxPool", ["r0"], ["p0"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1),
        node("Conv", ["p0", "w1"], ["c1"], group=8, auto_pad="SAME_UPPER", kernel_shape=[3, 3]),
        node("Clip", ["c1", "low", "high"], ["k1"]),
        node("Add", ["k1", "p0"], ["a1"]),
        node("HardSigmoid", ["a1"], ["h1"], alpha=0.2),
        node("Mul", ["a1", "h1"], ["m1"]),
        node("GlobalAveragePool", ["m1"], ["g1"]),
        node("Shape", ["g1"], ["s1"]),
        node("Gather", ["s1", "zero"], ["batch"], axis=0),
        node("Unsqueeze", ["batch", "axes"], ["batch1"]),
        node("Concat", ["batch1", "rest"], ["target"], axis=0),
        node("Reshape", ["g1", "target"], ["flat"]),
        node("Gemm", ["flat", "w2", "b2"], ["logits"], transB=1, alpha=0.5),
        node("Softmax", ["logits"], ["scores"], axis=-1),
    ], "classifier",
    [info("images", F32, ["N", 3, "H", "W"])], [info("scores", F32, ["N", 5])],
    [weights("w0", 8, 3, 3, 3), weights("b0", 8), weights("scale", 8), weights("bias", 8), weights("mean", 8),
     numpy_helper.from_array(np.abs(random.standard_normal(8)).astype(np.float32) + 0.5, "var"), weights("w1", 8, 1, 3, 3),
     numpy_helper.from_array(np.float32(-1), "low"), numpy_helper.from_array(np.float32(6), "high"), numpy_helper.from_array(np.int64(0), "zero"),
     ints("axes", 0), ints("rest", -1), weights("w2", 5, 8), weights("b2", 5)]))

# Bodies with captures, a sequence, a model-local function, text, double and bool.
then_branch = helper.make_graph([node("Mul", ["x", "two"], ["then_out"])], "then", [], [info("then_out", F32, [3, 4])])
else_branch = helper.make_graph([node("Neg", ["x"], ["else_out"])], "else", [], [info("else_out", F32, [3, 4])])
loop_body = helper.make_graph(
    [node("Add", ["state", "x"], ["state_out"]), node("Identity", ["go"], ["go_out"]), node("Identity", ["state_out"], ["slice"])],
    "loop", [info("i", I64, []), info("go", BOOL, []), info("state", F32, [3, 4])],
    [info("go_out", BOOL, []), info("state_out", F32, [3, 4]), info("slice", F32, [3, 4])])
scan_body = helper.make_graph([node("Add", ["total", "row"], ["total_out"]), node("Sqrt", ["total_out"], ["scanned"])], "scan",
                              [info("total", F32, [4]), info("row", F32, [4])], [info("total_out", F32, [4]), info("scanned", F32, [4])])
shift = helper.make_function("local", "Shift", ["a"], ["b"], [node("Constant", [], ["one"], value_float=1.0), node("Add", ["a", "one"], ["b"])],
                             [helper.make_opsetid("", 17)])
save("control_flow.onnx", helper.make_graph(
    [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "limit"], ["positive"]),
        node("If", ["positive"], ["chosen"], then_branch=then_branch, else_branch=else_branch),
        node("Loop", ["trips", "", "chosen"], ["last", "all"], body=loop_body),
        node("Scan", ["start", "last"], ["total", "scans"], body=scan_body, num_scan_inputs=1),
        node("SequenceConstruct", ["last", "scans"], ["list"]),
        node("SequenceAt", ["list", "index"], ["picked"]),
        node("Shift", ["picked"], ["shifted"], domain="local"),
        node("Cast", ["shifted"], ["double"], to=TensorProto.DOUBLE),
        node("Where", ["positive", "double", "zero"], ["result"]),
    ], "control_flow",
    [info("x", F32, [3, 4])], [info("result", TensorProto.DOUBLE, ["R", 4]), info("all", F32, ["T", 3, 4])],
    [numpy_helper.from_array(np.float32(0), "limit"), numpy_helper.from_array(np.float32(2), "two"), numpy_helper.from_array(np.int64(3), "trips"),
     weights("start", 4), numpy_helper.from_array(np.int64(-1), "index"), numpy_helper.from_array(np.float64(0), "zero")]),
     functions=[shift], opsets=(("", 17), ("local", 1)))

# A detection head: quantised convolution, resize, slices, top-k, non-maximum suppression.
q = lambda name: [name + "_scale", name + "_zero"]
save("detector.onnx", helper.make_graph(
    [
        node("QuantizeLinear", ["images"] + q("in"), ["xq"]),
        node("DequantizeLinear", ["xq"] + q("in"), ["x"]),
        node("DequantizeLinear", ["wq"] + q("w"), ["w"], axis=0),
        node("Conv", ["x", "w"], ["c"], kernel_shape=[3, 3], strides=[4, 4], pads=[1, 1, 1, 1]),
        node("Resize", ["c", "", "scales"], ["up"], mode="linear", coordinate_transformation_mode="half_pixel"),
        node("Split", ["up", "parts"], ["box", "cls"], axis=1),
        node("Reshape", ["box", "box_shape"], ["box_flat"]),
        node("Transpose", ["box_flat"], ["boxes"], perm=[0, 2, 1]),
        node("Reshape", ["cls", "cls_shape"], ["cls_flat"]),
        node("Sigmoid", ["cls_flat"], ["scores"]),
        node("NonMaxSuppression", ["boxes", "scores", "most", "iou", "threshold"], ["selected"]),
        node("Slice", ["selected", "from", "to", "axis"], ["which"]),
        node("Gather", ["boxes", "which"], ["found"], axis=1),
        node("TopK", ["scores", "k"], ["best", "order"], axis=2),
        node("GatherElements", ["scores", "order"], ["again"], axis=2),
        node("Pad", ["again", "pads"], ["padded"], mode="reflect"),
        node("ReduceMax", ["padded"], ["peak"], axes=[1], keepdims=1),
    ], "detector",
    [info("images", F32, [1, 3, 16, 16])], [info("found", F32, ["B", "K", 1, 4]), info("peak", F32, ["B", 1, "P"])],
    [numpy_helper.from_array(np.float32(0.05), "in_scale"), numpy_helper.from_array(np.uint8(128), "in_zero"),
     numpy_helper.from_array(random.integers(-127, 127, (7, 3, 3, 3)).astype(np.int8), "wq"),
     numpy_helper.from_array(np.full(7, 0.02, np.float32), "w_scale"), numpy_helper.from_array(np.zeros(7, np.int8), "w_zero"),
     numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales"), ints("parts", 4, 3), ints("box_shape", 1, 4, -1), ints("cls_shape", 1, 3, -1),
     ints("most", 10), numpy_helper.from_array(np.array([0.5], np.float32), "iou"), numpy_helper.from_array(np.array([0.1], np.float32), "threshold"),
     ints("from", 2), ints("to", 3), ints("axis", 1), ints("k", 5), ints("pads", 0, 0, 1, 0, 0, 1)]))
