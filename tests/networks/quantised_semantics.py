# SPDX-License-Identifier: Apache-2.0
"""What a network of QuantizeLinear and DequantizeLinear computes, operator by operator as ONNX defines them, in NumPy.

Everything elementwise is f32 arithmetic with one result: x / scale, round half even, + zero point. A convolution or product
in f32 has none, as the order of its sum is not defined; between quantisation steps it is taken as QLinearConv defines it:
exact integer sums, one f32 factor. Written from the specification, apart from the product's code, to be compared bit for bit."""
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from onnx import helper, numpy_helper

f32 = np.float32


def attributes_of(node):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}


def convolve(x, w, attributes):
    """In f64: exact for integers of these sizes."""
    top, left, bottom, right = attributes.get("pads", [0] * 4)
    sh, sw = attributes.get("strides", [1, 1])
    assert all(d == 1 for d in attributes.get("dilations", [1]))
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = sliding_window_view(x, w.shape[2:], axis=(2, 3))[:, :, ::sh, ::sw]
    groups, w = attributes.get("group", 1), w.astype(np.float64)
    if groups == x.shape[1] == w.shape[0]:
        return np.einsum("nchwij,cij->nchw", windows, w[:, 0])
    parts = [np.tensordot(windows[:, g * w.shape[1]:(g + 1) * w.shape[1]], part, axes=([1, 4, 5], [1, 2, 3]))
             for g, part in enumerate(np.split(w, groups))]
    return np.concatenate(parts, axis=3).transpose(0, 3, 1, 2)


def along(values, axis, rank):
    """One number, or one per index of an axis, ready to broadcast."""
    return values.reshape(()) if values.size == 1 else values.reshape([-1 if i == axis else 1 for i in range(rank)])


class Evaluation:
    """Runs a model. `given`: quantised values of another runtime; each layer then starts from those, and what it makes of
    them stands in `own`."""

    def __init__(self, model, feeds, given=None):
        self.values = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer} | dict(feeds)
        self.dequantised, self.sums, self.own, self.given = {}, {}, {}, given or {}
        for node in model.graph.node:
            inputs = [self.values.get(name) for name in node.input]
            name = node.output[0]
            result = getattr(self, node.op_type)(node, attributes_of(node), *inputs)
            if node.op_type == "QuantizeLinear":
                self.own[name] = result
                result = self.given.get(name, result)
            self.values[name] = result

    # --- quantisation
    def QuantizeLinear(self, node, _, x, scale, zero):
        limits, scale, zero = np.iinfo(zero.dtype), scale.reshape(()), zero.reshape(())
        if node.input[0] in self.sums:
            total, factor = self.sums[node.input[0]]
            scaled = total.astype(f32) * (factor / scale)
        else:
            scaled = x / scale
        return np.clip(np.rint(scaled).astype(np.float64) + zero, limits.min, limits.max).astype(zero.dtype)

    def DequantizeLinear(self, node, attributes, x, scale, zero=None):
        zero = np.zeros_like(scale, dtype=x.dtype) if zero is None else zero
        axis = attributes.get("axis", 1)
        self.dequantised[node.output[0]] = (x.astype(np.int64) - along(zero, axis, x.ndim), scale)
        return (x.astype(np.int64) - along(zero, axis, x.ndim)).astype(f32) * along(scale, axis, x.ndim)

    # --- sums of products
    def product(self, node, x, w, bias, compute):
        """In f32, and beside it the integers and their factor if a quantisation step follows."""
        parts = [self.dequantised.get(name) for name in node.input]
        if all(parts):
            total = compute(parts[0][0], parts[1][0])
            if bias is not None:
                total = total + along(parts[2][0].reshape(-1), 1, total.ndim)
            self.sums[node.output[0]] = (total, along(parts[0][1].reshape(()) * parts[1][1], 1, total.ndim))
        result = compute(x, w)
        return (result if bias is None else result + along(bias.astype(np.float64), 1, result.ndim)).astype(f32)

    def Conv(self, node, attributes, x, w, bias=None):
        return self.product(node, x, w, bias, lambda a, b: convolve(a, b, attributes))

    def Gemm(self, node, attributes, x, w, bias=None):
        assert attributes.get("transB", 0) == 1 and not attributes.get("transA", 0)
        return self.product(node, x, w, bias, lambda a, b: a.astype(np.float64) @ b.astype(np.float64).T)

    # --- the rest
    def Relu(self, node, _, x):
        if node.input[0] in self.sums:  # the quantisation step behind it saturates at the zero point
            self.sums[node.output[0]] = self.sums[node.input[0]]
        return np.maximum(x, 0)

    def Add(self, _, __, a, b): return a + b
    def Mul(self, _, __, a, b): return a * b
    def Neg(self, _, __, x): return -x
    def Identity(self, _, __, x): return x
    def Cast(self, _, attributes, x): return x.astype(helper.tensor_dtype_to_np_dtype(attributes["to"]))
    def Reshape(self, _, __, x, shape): return x.reshape(shape)
    def Flatten(self, _, __, x): return x.reshape(x.shape[0], -1)
    def GlobalAveragePool(self, _, __, x): return x.astype(np.float64).mean((2, 3), keepdims=True).astype(f32)

    def MaxPool(self, _, attributes, x):
        assert not any(attributes.get("pads", [0]))
        sh, sw = attributes["strides"]
        return sliding_window_view(x, attributes["kernel_shape"], axis=(2, 3))[:, :, ::sh, ::sw].max((4, 5))

    def Pad(self, _, __, x, pads):
        half = len(pads) // 2
        return np.pad(x, list(zip(pads[:half], pads[half:])))
