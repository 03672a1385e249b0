"""How a crop differs from an earlier one of the same face: dense flow, the head's part removed; pure functions.

The flow is DIS (Kroeger et al. 2016, arXiv 1603.03590). What the head does to it, turning a
little or coming nearer, is an affine field over the face, fitted robustly and taken away; the
rest is what the face does. Lengths are in distances of the outer eye corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from realtime.faces import landmarks as lm
from realtime.faces.align import TEMPLATE
from realtime.records import Floats, Image, Motion
from realtime.representation.movement.fields import EYES, FIELD_PX, HALF

#: Nodes of the head's fit: the face without its mouth, which moves most.
FIT_STEP, FIT_TOP, FIT_BOTTOM, FIT_SIDE = 6, 0.12, 0.66, 0.14
FIT_ROUNDS = 3
RIDGE = 1e-6
PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))  # of the columns of a design, as `_solved` takes their sums


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where to look in crops of one size: made by `layout`."""

    size_px: int
    eye_px: float  #: distance of the outer eye corners in the crop
    nodes: npt.NDArray[np.intp]  #: (M,) flat pixel indices of the fit's nodes
    design: Floats  #: (M, 3) `plane` at the nodes
    products: Floats  #: (6, M) of 1, x, y with each other, at the nodes: what normal matrices are sums of
    even: Floats  #: (6,) their sums where all nodes weigh alike
    plane: Floats  #: (S * S, 3) 1, x, y of every pixel, from -1 to 1
    cells: Floats  #: (FIELD_PX * FIELD_PX, 3) means of `plane` over the cells of a field


@cache
def layout(size_px: int) -> Layout:
    """The nodes and planes for crops of `size_px`; once for all who ask, so nobody may write there."""
    half = max(round(HALF * size_px), 2)
    eyes = np.concatenate([_box(x, y, half, size_px) for x, y in EYES])  # blinks and glances are not the head's
    axis = np.linspace(-1.0, 1.0, size_px, dtype=np.float32)
    across, down = np.meshgrid(axis, axis)
    plane = np.stack([np.ones_like(across), across, down], axis=2).reshape(-1, 3)
    rows = np.arange(int(FIT_TOP * size_px), int(FIT_BOTTOM * size_px), FIT_STEP)
    columns = np.arange(int(FIT_SIDE * size_px), int((1 - FIT_SIDE) * size_px), FIT_STEP)
    nodes = np.setdiff1d((rows[:, None] * size_px + columns[None]).ravel(), eyes)
    eye_px = float(TEMPLATE[lm.RIGID.index(lm.RIGHT_EYE_OUTER), 0] - TEMPLATE[0, 0]) * size_px
    cells = _coarse(plane.reshape(size_px, size_px, 3)).reshape(-1, 3)
    design = plane[nodes]
    products = np.stack([design[:, i] * design[:, j] for i, j in PAIRS])
    even = products @ np.ones(len(nodes), np.float32)
    return Layout(size_px, eye_px, nodes, design, products, even, plane, cells)


class Flow:
    """Dense flow between two grey crops. It keeps buffers, so one belongs to one thread."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._dis.setFinestScale(1)  # half the crop's resolution: the full one costs three times as much
        self._dis.setVariationalRefinementIterations(3)

    def __call__(self, before: Image, now: Image) -> Floats:
        """uint8 (S, S) twice -> float32 (S, S, 2): how far, in px, what was there `before` has moved right and down."""
        found = self._dis.calc(before, now, None)  # type: ignore[call-overload]
        return np.asarray(found, np.float32)


def grey(image: Image) -> Image:
    """RGB uint8 (S, S, 3) -> (S, S): what the flow compares."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def head_fit(flow: Floats, place: Layout) -> Floats:
    """The affine field (3, 2) that a flow (S * S, 2) px has in common over the face: what the head did.

    Least squares over the nodes, then again with the nodes that disagree weighted down (Cauchy
    weights), so that a moving brow does not pass for a moving head. In closed form: this runs on every frame,
    and for a matrix of 3x3 numpy's solver wakes a second thread and waits for it, far longer than the answer takes.
    """
    observed = flow.take(place.nodes, axis=0)
    fit = _solved(place.even, place.design.T @ observed)
    for _ in range(FIT_ROUNDS - 1):
        apart = observed - place.design @ fit
        squared = np.einsum("mc,mc->m", apart, apart)
        weights = 1.0 / (1.0 + squared / np.float32(2.25 * _median(squared) + 1e-6))
        fit = _solved(place.products @ weights, (place.design.T * weights) @ observed)
    return fit


def _solved(normal: Floats, moments: Floats) -> Floats:
    """The fit (3, 2) whose normal matrix has the sums `normal` (6,), for `moments` (3, 2), by Cramer's rule."""
    n, x, y, xx, xy, yy = normal.tolist()
    n, xx, yy = n + RIDGE, xx + RIDGE, yy + RIDGE
    a, b, c = xx * yy - xy * xy, xy * y - x * yy, x * xy - xx * y
    inverse = ((a, b, c), (b, n * yy - y * y, x * y - n * xy), (c, x * y - n * xy, n * xx - x * x))
    return np.asarray(np.array(inverse) @ moments / (n * a + x * b + y * c), np.float32)


def _median(values: Floats) -> float:
    """As numpy's, which takes five times as long for a few hundred."""
    middle = len(values) // 2
    ordered = np.partition(values, (middle - 1, middle))
    return float(ordered[middle] if len(values) % 2 else 0.5 * (ordered[middle - 1] + ordered[middle]))


def residual(flow: Floats, fit: Floats, place: Layout) -> Floats:
    """Flow (S, S, 2) px without the head's part."""
    return np.asarray(flow - (place.plane @ fit).reshape(flow.shape), np.float32)


def field(flow: Floats, fit: Floats, place: Layout) -> Floats:
    """The same as means over the cells of a coarse grid: (2, FIELD_PX, FIELD_PX), eye distances.

    The head's part is taken away after the means, for those of an affine field are known beforehand.
    """
    rest = _coarse(flow).reshape(-1, 2) - place.cells @ fit
    return np.ascontiguousarray((rest / np.float32(place.eye_px)).T).reshape(2, FIELD_PX, FIELD_PX)


def measure(t: float, flow: Floats, place: Layout) -> Motion:
    """What a flow field (S, S, 2) px shows of head and face."""
    fit = head_fit(flow.reshape(-1, 2), place)
    moved = place.design @ fit
    head = np.sqrt(np.einsum("mc,mc->m", moved, moved)).mean() / place.eye_px
    return Motion(t, float(head), field(flow, fit, place))


def _coarse(values: Floats) -> Floats:
    """(S, S, C) -> its means over the cells of a field (FIELD_PX, FIELD_PX, C)."""
    return np.asarray(cv2.resize(values, (FIELD_PX, FIELD_PX), interpolation=cv2.INTER_AREA), np.float32)


def _box(x: float, y: float, half: int, size_px: int) -> npt.NDArray[np.intp]:
    """Flat indices of the square of half side `half` px around (x, y), moved inside the crop."""
    column = min(max(round(x * size_px), half), size_px - half)
    row = min(max(round(y * size_px), half), size_px - half)
    rows, columns = np.arange(row - half, row + half), np.arange(column - half, column + half)
    return (rows[:, None] * size_px + columns[None]).ravel()
