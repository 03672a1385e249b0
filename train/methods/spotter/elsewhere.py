"""Chunks as other cameras, codecs and flow algorithms would have shown them, and faces that are covered in part.

Of each change in `CHANGES` a coin decides. Lengths are in outer eye distances, as the fields are; the sizes are ours:
from what DIS flow of 8-bit video errs by where nothing moves to some times as much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from realtime.records import Floats
from realtime.representation.movement.fields import LAG_S
from train.methods.spotter.footage import Chunk

Change = Callable[[Chunk, np.random.Generator], Floats]

RATES_HZ = (12.0, 50.0)  # of a slow camera
MISSED, DOUBLED = 0.08, 0.08  # shares of its frames
BLUR = (0.3, 1.2)  # deviation, in cells of the field: flow at half the size, or of larger patches
DEAD = 0.0015  # most length that a coarse flow does not see
NOISE, KNOTS = (0.0003, 0.003), 9  # the deviation of flow's errors, that change about so often over the face
BLOCK, SKIPPED, HELD_TICKS = 4, 0.4, (2, 12)  # cells a side, share of the blocks that a codec leaves as they were
#: What glasses, hair, a mask and a hand's shadow cover: top, bottom, left and right, as shares of the side.
COVERED = ((0.3, 0.5, 0.1, 0.9), (0.0, 0.3, 0.0, 1.0), (0.65, 1.0, 0.15, 0.85), (0.0, 1.0, 0.0, 0.35))
THROUGH = (0.0, 0.4)  # of the movement under it


def elsewhere(chunk: Chunk, rng: np.random.Generator) -> Chunk:
    """`chunk`, seen by another camera in another place; what happens in it is the same."""
    for change in CHANGES:
        if rng.random() < 0.5:
            chunk = replace(chunk, fields=np.asarray(change(chunk, rng), np.float32))
    return chunk


def slow(chunk: Chunk, rng: np.random.Generator) -> Floats:
    """A camera of fewer frames, some of which are missed and some come twice; between frames ticks lie on a line."""
    ends, ticks = chunk.ends, np.arange(len(chunk.ends))
    frames = np.searchsorted(ends, np.arange(ends[0], ends[-1], 1.0 / np.exp(rng.uniform(*np.log(RATES_HZ)))))
    frames = np.unique([0, *frames[rng.random(len(frames)) >= MISSED], ticks[-1]])
    seen = chunk.fields[frames]
    for again in np.flatnonzero(rng.random(len(frames) - 1) < DOUBLED) + 1:
        seen[again] = seen[again - 1]
    after = np.searchsorted(frames, ticks).clip(1)
    part = (ticks - frames[after - 1]) / (frames[after] - frames[after - 1])
    late = part.astype(np.float32)[:, None, None, None]
    return np.asarray(seen[after - 1] + late * (seen[after] - seen[after - 1]))


def coarse(chunk: Chunk, rng: np.random.Generator) -> Floats:
    """A flow that sees less: blurred, and nothing of what hardly moves."""
    cells = np.arange(chunk.fields.shape[-1])
    blur = np.exp(-0.5 * np.square(np.subtract.outer(cells, cells) / rng.uniform(*BLUR))).astype(np.float32)
    blur /= blur.sum(1, keepdims=True)
    seen = blur @ chunk.fields @ blur.T
    return np.asarray(np.sign(seen) * np.maximum(np.abs(seen) - np.float32(rng.uniform(0.0, DEAD)), 0.0))


def noisy(chunk: Chunk, rng: np.random.Generator) -> Floats:
    """Errors of the newest frame, and of the one that it is compared with."""
    lag, side = round(LAG_S / float(chunk.ends[1] - chunk.ends[0])), chunk.fields.shape[-1]
    spread = cv2.resize(np.eye(KNOTS, dtype=np.float32), (KNOTS, side), interpolation=cv2.INTER_CUBIC)
    knots = rng.standard_normal((len(chunk.ends) + lag, 2, KNOTS, KNOTS), dtype=np.float32)
    errors = spread @ (np.float32(np.exp(rng.uniform(*np.log(NOISE)))) * knots) @ spread.T
    return np.asarray(chunk.fields + errors[lag:] - errors[:-lag])


def blocks(chunk: Chunk, rng: np.random.Generator) -> Floats:
    """A codec that now and then leaves blocks as they were for a few frames: nothing is seen to move there."""
    side, seen, at = chunk.fields.shape[-1], chunk.fields.copy(), 0
    while at < len(seen):
        held, then = rng.integers(*HELD_TICKS, 2)
        kept = (rng.random((-(-side // BLOCK),) * 2) >= SKIPPED).astype(np.float32)
        seen[at : at + held] *= np.kron(kept, np.ones((BLOCK, BLOCK), np.float32))[:side, :side]
        at += int(held + then)
    return seen


def covered(chunk: Chunk, rng: np.random.Generator) -> Floats:
    """Of a part of the face little is seen to move."""
    place = np.array(COVERED[int(rng.integers(len(COVERED)))]) * chunk.fields.shape[-1]
    top, bottom, left, right = place.round().astype(int)
    seen = chunk.fields.copy()
    seen[..., top:bottom, left:right] *= np.float32(rng.uniform(*THROUGH))
    return seen


CHANGES: tuple[Change, ...] = (slow, coarse, noisy, blocks, covered)
