# SPDX-License-Identifier: Apache-2.0
"""ScatterND with every reduction."""
import numpy as np

COMBINE = {"none": lambda old, new: new, "add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def scatter_nd(data, indices, updates, reduction="none"):
    """Updates in row-major order, so the last of several for one place wins; negative indices count from the end."""
    out = np.array(data)
    for place in np.ndindex(indices.shape[:-1]):
        target = tuple(int(i) + data.shape[a] if i < 0 else int(i) for a, i in enumerate(indices[place]))
        assert all(0 <= i < e for i, e in zip(target, data.shape))
        out[target] = COMBINE[reduction](out[target], updates[place])
    return out
