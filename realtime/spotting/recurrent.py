"""A recurrent network over how the face moves, tick by tick: an implementation of `Scorer`.

What a blink, speech, a glance or a turning head look like in the lagged flow, the network has learned from films of
them (see `train.methods.spotter.job`).
"""

from __future__ import annotations

import numpy as np

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import LOGITS, MEMORY
from realtime.records import Crop, Floats
from realtime.representation.motion_ticks import TICKS, TURNS, MotionTicks, motion_ticks
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.scorer import PAUSE_S, Spot
from realtime.spotting.ticks import Ticks


class RecurrentScorer:
    """Movements -> ticks -> spots: the network and what it remembers of one face."""

    def __init__(self, engine: Engine, made: MotionTicks, flow: LaggedFlow) -> None:
        self._engine, self._made, self._flow = engine, made, flow
        self.delay_s = made.lookback_s
        self._begin(-np.inf)  # of its own alone: the flow may have seen the first crops already

    def restart(self) -> None:
        """Forget the past, and let the flow forget it."""
        self._flow.restart()
        self._begin(-np.inf)

    def _begin(self, t: float) -> None:
        self._first = self._last = t
        self._ticks = Ticks(self._made.tick_s)
        self._state = np.zeros((1, self._made.memory), np.float32)

    def push(self, crop: Crop) -> list[Spot]:
        """The spots of the ticks that end with this crop."""
        if crop.t - self._last > PAUSE_S:
            self._begin(crop.t)
        self._last = crop.t
        moved = self._flow.push(crop)
        if moved is None:
            return []
        motion, turns = moved
        ended = self._ticks.push(crop.t, packed(motion.field, motion.head, turns))
        return [spot for spot in self._spots(ended) if spot.t >= self._first]

    def _spots(self, ended: list[tuple[float, Floats]]) -> list[Spot]:
        if not ended:
            return []
        means = unpacked(np.stack([mean for _, mean in ended]), self._made.size_px)
        ticks = motion_ticks(*means, self._made.cells)
        return [self._spot(end, tick) for (end, _), tick in zip(ended, ticks, strict=True)]

    def _spot(self, end: float, tick: Floats) -> Spot:
        found = self._engine.run({TICKS: np.concatenate([self._state, tick[None]], axis=1)})
        self._state = found[MEMORY]
        expression, micro, apex = (1.0 / (1.0 + np.exp(-found[LOGITS][0].astype(np.float64)))).tolist()
        return Spot(end - self.delay_s, expression, micro, apex)


def packed(field: Floats, head: float, turns: Floats) -> Floats:
    """All that is known of a frame in one row, so that it can be averaged over ticks."""
    row = np.empty(field.size + 1 + TURNS, np.float32)
    row[: field.size], row[field.size], row[-TURNS:] = field.ravel(), head, turns
    return row


def unpacked(rows: Floats, side: int) -> tuple[Floats, Floats, Floats]:
    """Rows (..., W) -> fields (..., 2, side, side), head (...,), turns (..., TURNS)."""
    fields = rows[..., : 2 * side * side].reshape(*rows.shape[:-1], 2, side, side)
    return fields, rows[..., 2 * side * side], rows[..., -TURNS:]
