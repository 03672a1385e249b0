"""Crops of one face -> Onset, Apex, Offset, as they happen: a scorer says what it sees, a detector decides."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from realtime.config import SpotterConfig
from realtime.engine.engine import Engine
from realtime.engine.package.kind import of_kind
from realtime.errors import EngineError
from realtime.records import Apex, Crop, Floats, Moment, Offset
from realtime.representation.crop_images import CropImages
from realtime.representation.motion_ticks import MotionTicks
from realtime.representation.movement.fields import FIELD_PX, LAG_S
from realtime.representation.representation import tag_of
from realtime.spotting.decide import EventDetector
from realtime.spotting.formula_apex import FormulaApex
from realtime.spotting.lagged_flow import LaggedFlow, stood
from realtime.spotting.recurrent import RecurrentScorer
from realtime.spotting.scorer import PAUSE_S, Scorer, Spot
from realtime.spotting.sliding_window import SlidingWindowScorer

#: Before there is anything to compare a frame with.
STILL: Floats = np.zeros((2, FIELD_PX, FIELD_PX), np.float32)
HELD_S = 0.016666667  # a face that is held as it is, is shown so often: with every tick of the shipped network


def scorer_of(engine: Engine, flow: LaggedFlow) -> Scorer:
    """What makes spots with `engine`, by what that is fed; EngineError if it is no spotter."""
    manifest = engine.manifest
    ticks, pictures = of_kind(MotionTicks, manifest), of_kind(CropImages, manifest)
    if ticks is not None and manifest.task == "spotting":
        return RecurrentScorer(engine, ticks, flow)
    if pictures is not None and manifest.task == "spotting":
        return SlidingWindowScorer(engine, pictures)
    fed = f"it judges {manifest.task} from {tag_of(manifest.representation)}"
    raise EngineError(f"{manifest.name} cannot be the spotter", [f"{fed}: name another"])


class FaceSpotter:
    """Finds the events of one face; `push(Crop) -> [Moment]`. Events are numbered from `ids`.

    A `flow` that is handed in may have measured the newest crops already.
    """

    def __init__(
        self, config: SpotterConfig, crop_px: int, engine: Engine, ids: Iterator[int], flow: LaggedFlow | None = None
    ) -> None:
        self._config = config
        self._flow = LaggedFlow(LAG_S, crop_px, PAUSE_S) if flow is None else flow
        self._scorer = scorer_of(engine, self._flow)
        self._detector = EventDetector(config, ids)
        self._formula = FormulaApex(self._scorer.delay_s) if config.apex == "formula" else None
        self._asked = False
        self._first = self._quiet_until = -np.inf  # of what comes before them nothing is told
        self._last: Crop | None = None
        self.score = 0.0  #: how likely an expression is under way, at the newest moment of which that is known
        self.threshold = config.open  #: the score that opens an event
        self.field = STILL  #: how the newest frame differs from the one a lag before, as in `Motion`
        #: The apex of a micro-expression is told at most so much later, and with the first frame after a tick.
        self.delay_s = config.micro_max_s + self._scorer.delay_s

    def calibrate(self) -> None:
        """From the next frame on the face is neutral for `calibrate_s`, whatever it looks like."""
        self._asked = True

    def rest(self, crop: Crop) -> None:
        """The face is taken to have stood still before `crop`, its first, as it is there.

        A clip that is cut at its onset would be over before there is anything to compare it with. Of a face that comes
        later, or again after a pause, nothing is assumed: as a rule it comes moving.
        """
        self._first = crop.t
        for earlier in stood(crop):
            self._look(earlier)

    def push(self, crop: Crop) -> list[Moment]:
        """The moments that this frame makes sure; their times lie in the past."""
        ended = self._hush(crop.t) if self._asked else []
        self._last = crop
        spots = self._look(crop)
        if self._formula is not None:
            self._formula.push(crop)
        if crop.t < self._quiet_until:
            return ended
        found = [moment for spot in spots for moment in self._detector.push(crop.face, spot)]
        return ended + self._named(found, crop.t - self._scorer.delay_s)

    def finish(self) -> list[Moment]:
        """The stream is over while the face is there: its last moments are judged as if it now kept still.

        So a clip that is cut at the offset tells what live would have told a little later. No event begins in what was
        not seen, and one that it would make too long for a micro-expression is decided on what was seen (see `flush`).
        """
        last, self._last, found = self._last, None, list[Moment]()
        if last is None or last.t < self._quiet_until:
            return self.flush()
        for spot in self._held(last):
            if spot.t > last.t and not self._detector.awaits(spot.t):
                break
            found += self._named(self._detector.push(last.face, spot), last.t)
        return [_within(moment, last.t) for moment in _settled([*found, *self.flush()])]

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event ends here."""
        return self._named(self._detector.flush(), math.inf)

    def _named(self, moments: list[Moment], until: float) -> list[Moment]:
        """`moments` with the apexes that the formula finds up to `until`, if it is to find them."""
        return moments if self._formula is None else self._formula.told(moments, until)

    def _look(self, crop: Crop) -> list[Spot]:
        """Score and field of this crop, and the spots that become known with it."""
        moved = self._flow.push(crop)
        self.field = STILL if moved is None else moved[0].field
        spots = [spot for spot in self._scorer.push(crop) if spot.t >= self._first]
        if spots:
            self.score = spots[-1].expression
        elif moved is None:
            self.score = 0.0  # after a gap nothing is known
        return spots

    def _held(self, last: Crop) -> Iterator[Spot]:
        """What would be seen of a face that stays as it is in `last`."""
        for step in range(1, round(self.delay_s / HELD_S) + 1):
            yield from self._look(replace(last, t=last.t + step * HELD_S))

    def _hush(self, t: float) -> list[Moment]:
        """An open event ends, and none begins for a while."""
        self._asked, self._quiet_until = False, t + self._config.calibrate_s
        return self._named(self._detector.dismiss(), t)


def _settled(moments: list[Moment]) -> list[Moment]:
    """`moments` without the apexes of what is none at its end: told together, one would only take back the other."""
    none = {moment.event for moment in moments if isinstance(moment, Offset) and moment.kind is None}
    return [moment for moment in moments if not (isinstance(moment, Apex) and moment.event in none)]


def _within(moment: Moment, last: float) -> Moment:
    """`moment`, none of whose times lies after `last`."""
    if isinstance(moment, Offset):
        moment = replace(moment, apex=min(moment.apex, last))
    return replace(moment, t=min(moment.t, last))
