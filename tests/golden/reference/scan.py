# SPDX-License-Identifier: Apache-2.0
"""Running maximum and minimum with the place where they were found."""
import numpy as np


def cumulative(x, dim, better):
    """Of equal values the last one counts; NaN wins over all, the last NaN again. Rank 0: the value itself, index 0."""
    values, indices = np.array(x), np.zeros(x.shape, np.int64)
    if x.ndim == 0:
        return values, indices
    lines, places = np.moveaxis(values, dim, -1), np.moveaxis(indices, dim, -1)
    for line in np.ndindex(lines.shape[:-1]):
        best = 0
        for k in range(lines.shape[-1]):
            old, new = lines[line][best], lines[line][k]
            if np.isnan(new) or (not np.isnan(old) and better(new, old)):
                best = k
            lines[line][k], places[line][k] = lines[line][best], best
    return values, indices


def cummax(x, dim):
    return cumulative(x, dim, lambda new, old: new >= old)


def cummin(x, dim):
    return cumulative(x, dim, lambda new, old: new <= old)
