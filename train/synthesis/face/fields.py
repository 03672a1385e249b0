"""What each channel of the 3-D head does to one picture: displacement fields in its pixels, made once a face.

The head's visible skin is projected with and without the channel; the differences are spread over the picture.
Skin above and below the openings of eyes and mouth is spread apart, for the two move against each other.
How the whole head moves is linear in a point's place and depth, which a few more fields give.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime.records import Floats, Image
from train.synthesis.face.channels import GAZE_CM, NAMES, channels
from train.synthesis.face.facekit import HEAD, SKIN, Head
from train.synthesis.face.fit import Fit, fit
from train.synthesis.face.openings import EDGES, Opening, opening
from train.synthesis.face.spread import spread

Mask = npt.NDArray[np.bool_]

FACING = -0.08  # z of a normal, away from the camera, below which skin counts as seen
HIDDEN_CM = 1.2  # skin that lies so far behind other skin at its pixel is not seen
CELL_PX = 3
PIVOT_CM = np.array([0.0, 3.0, -1.0], np.float32)  # where a head turns: between the ears, low in the skull
STILL, STILL_WEIGHT = 0.45, 0.3  # the background begins so far from the head, in eye distances
MAP_STEP_PX = 4
DEEP = 0.07  # depth is smoothed by so many eye distances: what a turn uncovers has no picture
LID_SLOPE = 0.55  # most stretch of the lid's skin that is seen: the rest comes out of its fold
FALLING = ("7L", "7R", "blinkL", "blinkR", "gaze-down")  # channels that lower the upper lid
#: Around each opening, in cm of the model's rest (x, y): centre, half axes.
ELLIPSES: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "left eye": ((-3.15, -3.35), (2.3, 1.3)),
    "right eye": ((3.15, -3.35), (2.3, 1.3)),
    "mouth": ((0.0, 3.45), (3.1, 1.5)),
}
#: Landmarks whose means the line runs through.
BETWEEN: dict[str, tuple[tuple[int, ...], ...]] = {
    "left eye": ((36,), (39,)),
    "right eye": ((42,), (45,)),
    "mouth": ((60,), (61, 67), (62, 66), (63, 65), (64,)),
}


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """One picture's. Columns of a basis: the channels of `NAMES`, then X, Y, Z, 1 for x, then the same for y."""

    size_px: int
    eye_px: float  #: distance of the outer eye corners
    scale: float  #: px a cm
    pivot: Floats  #: (3,) px
    upper: Floats  #: (K + 8, S * S * 2): skin but what lies below an opening
    lower: Floats  #: the same but what lies above one
    openings: tuple[Opening, ...]
    apart: Floats  #: (3, K) px: how far a channel moves an opening's edges apart, at full strength
    gaze: Floats  #: (K, 2) px: how far it turns the eyeballs
    most: Floats  #: (K,) px: the farthest that it moves anything
    head: Floats  #: (S, S) 0..1: 1 on the head, 0 in the background


def fields(head: Head, picture: Image, points: Floats, teeth: float = 0.5) -> Fields:
    """The fields of a square picture (S, S, 3) with landmarks (468, 3) px."""
    found, size = fit(head, points), len(picture)
    rest = head.shaped(found.identity)[:HEAD]
    placed = found.place(rest)
    seen = visible(head, placed, found.scale)
    skin = seen & (np.arange(HEAD) < SKIN)
    move = _Move(found, size)
    at = move.adjusted(placed)
    moved = _moved(head, found, move, placed, at, skin)  # (N, K * 2)
    eye_px = float(np.hypot(*(points[263, :2] - points[33, :2])))
    still = _background(at[seen], size, eye_px)
    upper_skin, lower_skin = (~sides(head)[which][skin] for which in ("below", "above"))
    layers = [_layer(at[skin], moved, kept, still, size) for kept in (upper_skin, lower_skin)]
    pivot = np.append(move.adjusted(found.place(PIVOT_CM[None]))[0], found.place(PIVOT_CM[None])[0, 2])
    solid = _solid(at[seen], placed[seen, 2], pivot, still, size, eye_px)
    _unfold(layers[0], size)
    openings = tuple(opening(name, picture, points, teeth) for name in EDGES)
    upper, lower = (np.concatenate([layer, solid[0]]) for layer in layers)
    lengths = np.hypot(*np.moveaxis(upper[: len(NAMES)].reshape(len(NAMES), -1, 2), 2, 0)).max(1)
    return Fields(
        size,
        eye_px,
        found.scale,
        pivot.astype(np.float32),
        upper,
        lower,
        openings,
        np.stack([_apart(part, layers, size) for part in openings]),
        _gaze(found),
        lengths.astype(np.float32),
        solid[1],
    )


def sides(head: Head) -> dict[str, Mask]:
    """Vertices (HEAD,) of the skin that lie "above" and "below" an opening, near it."""
    x, y = head.neutral[:HEAD, 0], head.neutral[:HEAD, 1]
    found = {"above": np.zeros(HEAD, bool), "below": np.zeros(HEAD, bool)}
    for name, (centre, axes) in ELLIPSES.items():
        near = ((x - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 < 1.0
        ends = np.array([head.neutral[head.landmarks[list(pair)], :2].mean(0) for pair in BETWEEN[name]])
        line = np.interp(x, ends[:, 0], ends[:, 1])
        found["above"] |= near & (y < line)
        found["below"] |= near & (y > line)
    return found


def visible(head: Head, placed: Floats, scale: float) -> Mask:
    """Which of the vertices `placed` (HEAD, 3) px face the camera with nothing before them."""
    quads = head.quads[(head.quads < HEAD).all(1)]
    normals = np.zeros((HEAD, 3), np.float32)
    across, down = placed[quads[:, 2]] - placed[quads[:, 0]], placed[quads[:, 3]] - placed[quads[:, 1]]
    facing = np.cross(across, down)
    for corner in range(4):
        for axis in range(3):
            normals[:, axis] += np.bincount(quads[:, corner], facing[:, axis], HEAD).astype(np.float32)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    cells = np.floor(placed[:, :2] / CELL_PX).astype(np.int64)
    cells -= cells.min(0)
    flat = cells[:, 1] * (cells[:, 0].max() + 1) + cells[:, 0]
    front = np.full(flat.max() + 1, np.inf, np.float32)
    toward = normals[:, 2] < FACING
    np.minimum.at(front, flat[toward], placed[toward, 2])
    return np.asarray(toward & (placed[:, 2] < front[flat] + HIDDEN_CM * scale), np.bool_)


class _Move:
    """Where the smooth map of a fit takes points: looked up in a grid, for it costs 68 logarithms a point."""

    def __init__(self, found: Fit, size_px: int) -> None:
        step, self._edge = MAP_STEP_PX * max(size_px // 128, 1), size_px // 4
        nodes = np.arange(-self._edge, size_px + self._edge + step, step, dtype=np.float64)
        grid = np.stack(np.meshgrid(nodes, nodes), axis=2)
        self._step, self._shift = step, (found.adjust(grid.reshape(-1, 2)).reshape(grid.shape) - grid)
        self._shift = self._shift.astype(np.float32)

    def adjusted(self, points: Floats) -> Floats:
        """(..., 2+) px -> (..., 2) px."""
        flat = np.ascontiguousarray(points[..., :2], np.float32).reshape(-1, 2)
        out = np.empty_like(flat)
        for start in range(0, len(flat), 30_000):  # remap takes no longer rows
            part = flat[start : start + 30_000]
            at = ((part + self._edge) / self._step)[None].astype(np.float32)
            shift = cv2.remap(self._shift, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
            out[start : start + 30_000] = part + shift[0]
        return out.reshape(*points.shape[:-1], 2)


def _moved(head: Head, found: Fit, move: _Move, placed: Floats, at: Floats, skin: Mask) -> Floats:
    """Displacement (N, K * 2) px of the skin's seen vertices by every channel."""
    away = np.float32(found.scale) * (channels(head).moved[:, :HEAD][:, skin] @ found.rotation.T)
    return np.asarray(
        np.moveaxis(move.adjusted(placed[skin] + away) - at[skin], 0, 1).reshape(int(skin.sum()), -1), np.float32
    )


def _background(seen: Floats, size: int, eye_px: float) -> Floats:
    """Pixels (M, 2), every other one, that the head's movement does not reach."""
    mask = np.zeros((size, size), np.uint8)
    hull = cv2.convexHull(np.round(seen).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, (1,))
    away = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) > STILL * eye_px
    away[1:-1:2] = False
    away[:, 1:-1:2] = False
    return np.argwhere(away)[:, ::-1].astype(np.float32)


def _layer(at: Floats, moved: Floats, kept: Mask, still: Floats, size: int) -> Floats:
    """Basis (K, S * S * 2) of the vertices that are `kept`, and of a background that is still."""
    points = np.concatenate([at[kept], still])
    values = np.concatenate([moved[kept], np.zeros((len(still), moved.shape[1]), np.float32)])
    weights = np.concatenate([np.ones(int(kept.sum())), np.full(len(still), STILL_WEIGHT)]).astype(np.float32)
    field = spread(points, values, weights, size)
    return np.ascontiguousarray(
        field.reshape(size * size, len(NAMES), 2).transpose(1, 0, 2).reshape(len(NAMES), -1), np.float32
    )


def _solid(at: Floats, depth: Floats, pivot: Floats, still: Floats, size: int, eye_px: float) -> tuple[Floats, Floats]:
    """Basis (8, S * S * 2) of the head's own movement, about the pivot; and where the head is (S, S)."""
    points = np.concatenate([at, still])
    values = np.zeros((len(points), 2), np.float32)
    values[: len(at), 0] = depth - pivot[2]
    values[: len(at), 1] = 1.0
    weights = np.concatenate([np.ones(len(at)), np.full(len(still), STILL_WEIGHT)]).astype(np.float32)
    deep, on = np.moveaxis(spread(points, values, weights, size), 2, 0)
    deep = cv2.GaussianBlur(deep, (0, 0), DEEP * eye_px)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    terms = np.stack([(x - pivot[0]) * on, (y - pivot[1]) * on, deep, on]).reshape(4, -1)
    basis = np.zeros((8, size * size, 2), np.float32)
    basis[:4, :, 0], basis[4:, :, 1] = terms, terms
    return basis.reshape(8, -1), np.asarray(on, np.float32)


def _unfold(upper: Floats, size: int) -> None:
    """Spread the fall of a lid upwards over the skin, in place: a steeper stretch would fold the picture."""
    whole = upper.reshape(len(NAMES), size, size, 2)
    for name in FALLING:
        down = whole[NAMES.index(name), :, :, 1]
        before = down.copy()
        for row in range(size - 2, -1, -1):
            np.maximum(down[row], down[row + 1] - np.float32(LID_SLOPE), out=down[row])
        added = cv2.GaussianBlur(down - before, (0, 0), size / 128)
        down[:] = before + added


def _apart(part: Opening, layers: list[Floats], size: int) -> Floats:
    """(K,) px: the most that the layers differ at an opening's edges."""
    upper, lower = (layer.reshape(len(NAMES), size, size, 2) for layer in layers)
    height, width = part.above.shape
    box = (slice(None), slice(part.top, part.top + height), slice(part.left, part.left + width))
    edges = ((part.above > 0.0) & (part.below > 0.0) | (part.above + part.below < 1.0)).astype(np.uint8)
    near = cv2.dilate(edges, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(np.abs(upper[box] - lower[box])[:, near].max((1, 2), initial=0.0), np.float32)


def _gaze(found: Fit) -> Floats:
    turned = np.zeros((len(NAMES), 2), np.float32)
    for name, (x, y) in GAZE_CM.items():
        turned[NAMES.index(name)] = found.scale * (found.rotation[:2] @ np.array([x, y, 0.0], np.float32))
    return turned
