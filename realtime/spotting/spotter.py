"""How likely an expression is under way: a recurrent network over how the face moves, on a clock of its own; causal.

Every crop is held against the one from `lag_s` before, whatever the face did in between: a micro-expression is the
rise and the fall of a movement that is over before the lag is, and nothing has to be known of rest. What a blink,
speech, a glance or a turning head look like in such a signal, the network has learned from films of them (see
`train.methods.spotter.job`). A face with which a stream begins may be taken to have stood still before, or a clip
that is cut at the onset would be over before there is anything to compare it with.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from realtime.engine.engine import Engine
from realtime.engine.package.manifest import LOGITS, MEMORY, TICKS
from realtime.errors import EngineError
from realtime.records import Crop, Floats, Image, Motion
from realtime.representation import motion
from realtime.representation.preprocess import TURNS, MotionTicks, motion_ticks
from realtime.spotting.ticks import Ticks

PAUSE_S = 0.5  # after a longer gap between frames nothing is known of what came before


@dataclass(frozen=True, slots=True)
class Spot:
    """What the network says of one moment; three probabilities, each on its own."""

    t: float  #: seconds; earlier than the newest frame by the network's lookback, and a tick
    expression: float  #: that one is under way, of any length
    micro: float  #: that it is a micro-expression
    apex: float  #: that this is its apex


class Sight:
    """A face's crops -> how each differs from the one `lag_s` before, and by what the head has turned."""

    def __init__(self, lag_s: float, crop_px: int) -> None:
        self._lag_s = lag_s
        self._layout = motion.layout(crop_px)
        self._flow = motion.Flow()
        self._past: deque[tuple[Crop, Image]] = deque()

    def push(self, crop: Crop) -> tuple[Motion, Floats] | None:
        """Motion, and turns (TURNS,) in degrees; None while the oldest crop is younger than half of the lag."""
        picture = motion.grey(crop.image)
        self._past.append((crop, picture))
        while len(self._past) > 1 and self._past[1][0].t <= crop.t - self._lag_s:
            self._past.popleft()
        before, reference = self._past[0]
        if crop.t - before.t < 0.5 * self._lag_s:
            return None
        turned = np.subtract(_angles(crop), _angles(before)).astype(np.float32)
        return motion.measure(crop.t, self._flow(reference, picture), self._layout), turned

    def rest(self, crop: Crop) -> None:
        """Begin just before `crop`: the face is taken to have stood still, as it is there, for the lag before."""
        self.restart()
        self.push(replace(crop, t=crop.t - self._lag_s))

    def restart(self) -> None:
        """Forget the past."""
        self._past.clear()


class Memory:
    """Movements -> ticks -> spots: the network and what it remembers of one face."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._made = representation(engine)
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._ticks = Ticks(self._made.tick_s)
        self._state = np.zeros((1, self._made.memory), np.float32)

    def rest(self, t: float) -> None:
        """Begin at `t`, with nothing that moved in the lag before: a network that has just begun says little of use."""
        self.restart()
        still = np.zeros((2, self._made.size_px, self._made.size_px), np.float32)
        for moment in (t - self._made.lag_s, t):
            self.push(moment, still, 0.0, np.zeros(TURNS, np.float32))

    def push(self, t: float, field: Floats, head: float, turns: Floats) -> list[Spot]:
        """The spots that become known with the movement of a frame."""
        ended = self._ticks.push(t, packed(field, head, turns))
        if not ended:
            return []
        ticks = motion_ticks(*unpacked(np.stack([mean for _, mean in ended]), self._made.size_px), self._made.cells)
        return [self._spot(end, tick) for (end, _), tick in zip(ended, ticks, strict=True)]

    def _spot(self, end: float, tick: Floats) -> Spot:
        found = self._engine.run({TICKS: np.concatenate([self._state, tick[None]], axis=1)})
        self._state = found[MEMORY]
        expression, micro, apex = (1.0 / (1.0 + np.exp(-found[LOGITS][0].astype(np.float64)))).tolist()
        return Spot(end - self._made.lookback_s, expression, micro, apex)


class Spotter:
    """`push(Crop) -> [Spot]` for one face, which with `rested` is taken to have stood still before its first crop.

    Of a face that comes later, or again after a pause, nothing is assumed: as a rule it comes moving.
    """

    def __init__(self, engine: Engine, crop_px: int, *, rested: bool = False) -> None:
        self._sight = Sight(representation(engine).lag_s, crop_px)
        self._memory = Memory(engine)
        self._rested = rested
        self._first, self._last = 0.0, -np.inf
        self.seen: Motion | None = None  #: of the newest frame; None with the first one, and after a pause

    def push(self, crop: Crop) -> list[Spot]:
        """The spots that become known with this crop; none is of a moment before the first."""
        if crop.t - self._last > PAUSE_S:
            self._begin(crop)
        self._last = crop.t
        found = self._sight.push(crop)
        if found is None or crop.t == self._first:
            return []
        self.seen, turns = found
        spots = self._memory.push(crop.t, self.seen.field, self.seen.head, turns)
        return [spot for spot in spots if spot.t >= self._first]

    def _begin(self, crop: Crop) -> None:
        """Nothing is known of what came before `crop`."""
        self._first, self.seen = crop.t, None
        if self._rested:
            self._sight.rest(crop)
            self._memory.rest(crop.t)
        else:
            self._sight.restart()
            self._memory.restart()
        self._rested = False


def representation(engine: Engine) -> MotionTicks:
    """What the network is fed; EngineError if it is no spotter."""
    manifest = engine.manifest
    if manifest.task != "spotting" or not isinstance(manifest.representation, MotionTicks):
        raise EngineError(f"{manifest.name} cannot be the spotter", [f"it judges {manifest.task}: name another"])
    return manifest.representation


def packed(field: Floats, head: float, turns: Floats) -> Floats:
    """All that is known of a frame in one row, so that it can be averaged over ticks."""
    return np.concatenate([field.ravel(), [head], turns]).astype(np.float32)


def unpacked(rows: Floats, side: int) -> tuple[Floats, Floats, Floats]:
    """Rows (..., W) -> fields (..., 2, side, side), head (...,), turns (..., TURNS)."""
    fields = rows[..., : 2 * side * side].reshape(*rows.shape[:-1], 2, side, side)
    return fields, rows[..., 2 * side * side], rows[..., -TURNS:]


def _angles(crop: Crop) -> tuple[float, float, float]:
    return crop.pose.yaw, crop.pose.pitch, crop.pose.roll
