# SPDX-License-Identifier: Apache-2.0
"""ScatterND: every reduction, negative and repeated indices."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, i32, i64
from reference.scatter import scatter_nd


def node(name, data, indices, updates, reduction="none", kind="f32", index=i64, opset=18):
    d, u = Stored(kind, data), Stored(kind, updates)
    out = Stored(kind, scatter_nd(d.exact, np.asarray(indices), u.exact, reduction))
    return case("scatter/" + name, "ScatterND", [d, index(indices), u], [out], opset=opset, attributes={} if reduction == "none" else dict(reduction=reduction))


def cases():
    # mmcv_ops.md, section 3
    eight, places, values = np.arange(1.0, 9), [[4], [3], [1], [-1]], [9.0, 10, 11, 12]
    expect(scatter_nd(eight, np.array(places), np.array(values)), [1, 11, 3, 10, 9, 6, 7, 12], 0)
    pairs, rows, new = np.array([[1.0, 2], [3, 4], [5, 6]]), [[2], [0]], np.array([[50.0, 60], [70, 80]])
    expect(scatter_nd(pairs, np.array(rows), new), [[70, 80], [3, 4], [50, 60]], 0)
    for opset in (11, 13, 16, 18):
        yield node(f"vector_{opset}", eight, places, values, opset=opset)
        yield node(f"slices_{opset}", pairs, rows, new, opset=opset)
    yield node("vector_i32_indices", eight, places, values, index=i32)
    # one place written four times: the last in row-major order stays
    repeated, four = [[[1], [2]], [[1], [1]]], [[5.0, 6], [7, 8]]
    yield node("duplicates_last_wins", eight, repeated, four)
    for reduction in ("add", "mul", "max", "min"):
        for opset in (16, 18) if reduction in ("add", "mul") else (18,):
            yield node(f"duplicates_{reduction}_{opset}", eight, repeated, four, reduction, opset=opset)
        data, updates = dyadic(1, (3, 4, 2), -2, 2, 8), dyadic(2, (2, 3, 2), -2, 2, 8)
        yield node(f"slices_{reduction}", data, [[[0, 1], [-1, -1], [0, 1]], [[2, 3], [1, -4], [-3, 0]]], updates, reduction)
        yield node(f"i64_{reduction}", np.arange(-4, 4), [[3], [-3], [3]], [7, -9, 2], reduction, "i64")
        yield node(f"i32_{reduction}", np.arange(-4, 4), [[0], [-8], [7]], [3, -9, 2], reduction, "i32")
    for kind in ("f16", "bf16", "f64", "i64", "i32", "u8", "bool"):
        data = np.arange(12).reshape(3, 4) % 2 if kind == "bool" else np.arange(12).reshape(3, 4)
        yield node(f"type_{kind}", data, [[2], [-3]], data[:2][::-1] + (0 if kind == "bool" else 1), kind=kind)
    yield node("single_element_tuples", dyadic(3, (2, 3, 4), -2, 2), [[0, 0, 0], [1, 2, 3], [-1, -1, -1], [0, -2, 1]], [1.0, 2, 3, 4])
    yield node("no_updates", eight, np.zeros((0, 1), np.int64), np.zeros(0))
    yield node("row_of_length_0", np.zeros((3, 0)), [[1]], np.zeros((1, 0)))
    yield node("not_numbers_max", np.array([1.0, np.inf, -np.inf, 2]), [[0], [1], [2]], [np.inf, 3.0, 5.0], "max")
    sets = []
    for k, (n, m) in enumerate(((4, 2), (7, 7), (1, 3))):
        data, updates = dyadic(k, (n, 3), -2, 2), dyadic(k + 5, (m, 3), -2, 2)
        random = np.random.RandomState(k).randint(-n, n, (m, 1))
        sets.append(([f32(data), i64(random), f32(updates)], [f32(scatter_nd(data, random, updates))]))
    yield Case("scatter/dynamic_sizes", "ScatterND", sets, opset=18)
    yield case("scatter/constant_indices", "ScatterND", [f32(eight), i64(places), f32(values)], [f32(scatter_nd(eight, np.array(places), np.array(values)))],
               opset=16, constants=(1,))
