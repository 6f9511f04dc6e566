# SPDX-License-Identifier: Apache-2.0
"""cummax and cummin."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, i64
from reference.scan import cummax, cummin

BOTH = (("cummax", cummax), ("cummin", cummin))


def node(name, op, function, x, dim, kind="f32", domain="mmcv", given=True):
    x = Stored(kind, x)
    values, indices = function(x.exact.astype(np.float64), dim)
    return case(f"scan/{op}_{name}", op, [x], [Stored(kind, values), i64(indices)], domain=domain, attributes=dict(dim=dim) if given else {})


def cases():
    # mmcv_ops.md, section 8: of equal values the last
    for op, function, x, values, indices in (("cummax", cummax, [1, 3, 3, 2, 4, 4], [1, 3, 3, 3, 4, 4], [0, 1, 2, 2, 4, 5]),
                                             ("cummin", cummin, [4, 2, 2, 3, 1, 1], [4, 2, 2, 2, 1, 1], [0, 1, 2, 2, 4, 5])):
        found = function(np.array(x, np.float64), 0)
        expect(found[0], values, 0)
        expect(found[1], indices, 0)
        yield node("vector", op, function, x, 0)
        yield node("vector_mmdeploy", op, function, x, -1, domain="mmdeploy")
        yield node("vector_no_domain", op, function, x, 0, domain="")
        yield node("vector_i32", op, function, x, 0, "i32")
        yield node("default_dim", op, function, np.array([x, x[::-1]]), 0, given=False)
    for op, function in BOTH:
        for shape, dims in (((7,), (0, -1)), ((3, 4), (0, 1, -1, -2)), ((2, 3, 4), (0, 1, 2)), ((2, 3, 2, 3, 2), range(-5, 5))):
            for dim in dims:
                x = dyadic(sum(shape) + dim, shape, -2, 2, 2)  # coarse: many ties
                name = "x".join(map(str, shape)) + f"_dim_{dim}".replace("-", "minus_")
                yield node(name, op, function, x, dim)
        x = np.array([[1, np.nan, 3, np.nan, 2], [np.nan, 5, 5, 6, 1], [np.inf, -np.inf, np.inf, 0, np.nan], [-0.0, 0.0, -0.0, 0.0, 1]])
        yield node("nan_and_infinite", op, function, x, 1)
        yield node("i32", op, function, np.random.RandomState(1).randint(-5, 5, (3, 9)), 1, "i32")
        yield node("one_element", op, function, np.array([[[2.5]]]), 1)
        yield node("rank_0", op, function, np.array(2.5), 0)
        yield node("empty", op, function, np.zeros((2, 0, 3)), 1)
        sets = []
        for k, shape in enumerate(((2, 5), (1, 1), (4, 3))):
            x = dyadic(k, shape, -2, 2, 2)
            values, indices = function(x, 1)
            sets.append(([f32(x)], [f32(values), i64(indices)]))
        yield Case(f"scan/{op}_dynamic_sizes", op, sets, domain="mmcv", attributes=dict(dim=1))
