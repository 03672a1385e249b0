"""Linear maps by closed forms: readings from fields, and back."""

from __future__ import annotations

import numpy as np

from realtime.records import Floats


def ridge(inputs: Floats, wanted: Floats, weights: Floats, amount: float) -> Floats:
    """The map (R, P) from inputs x (N, P) to wanted y (N, R) that makes the weighted error small, and itself:

        W = Y' K X (X' K X + a tr(X' K X) / P I)^-1

    with K the diagonal of `weights` (N,) over their sum (Hoerl and Kennard 1970). There is no constant: nothing that
    moved is nothing read. Products are of float32, far finer than what is measured, and the solution of float64.
    """
    weighed = inputs * np.asarray(weights / weights.sum(), np.float32)[:, None]
    normal, moments = (np.asarray(weighed.T @ part, np.float64) for part in (inputs, wanted))
    normal[np.diag_indices_from(normal)] += amount * np.trace(normal) / len(normal)
    return np.asarray(np.linalg.solve(normal, moments).T, np.float32)
