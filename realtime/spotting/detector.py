"""Crops of one face -> Onset, Apex, Offset, as they happen: the spotter says what it sees, the machine decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from realtime.config import SpotterConfig
from realtime.engine.engine import Engine
from realtime.records import Apex, Crop, Floats, Moment, Offset, Onset
from realtime.representation.fields import FIELD_PX
from realtime.spotting.decide import Machine
from realtime.spotting.spotter import Spot, Spotter, representation

#: Before there is anything to compare a frame with.
STILL: Floats = np.zeros((2, FIELD_PX, FIELD_PX), np.float32)


class Spotting:
    """Finds the events of one face; `push(Crop) -> [Moment]`. Events are numbered from `ids`.

    With `rested` the face is taken to have stood still before its first crop.
    """

    def __init__(
        self, config: SpotterConfig, crop_px: int, engine: Engine, ids: Iterator[int], *, rested: bool = False
    ) -> None:
        self._config = config
        self._spotter = Spotter(engine, crop_px, rested=rested)
        self._machine = Machine(config, ids)
        self._quiet_until: float | None = None
        self._asked = False
        self._last: Crop | None = None
        self._tick_s = representation(engine).tick_s
        self.score = 0.0  #: how likely an expression is under way, at the newest moment of which that is known
        #: The apex of a micro-expression is told at most so much later, and with the first frame after a tick.
        self.delay_s = config.micro_max_s + representation(engine).lookback_s

    @property
    def threshold(self) -> float:
        """The score that opens an event."""
        return self._config.open

    @property
    def field(self) -> Floats:
        """How the newest frame differs from the one a lag before, as in `Motion`."""
        return STILL if self._spotter.seen is None else self._spotter.seen.field

    def calibrate(self) -> None:
        """From the next frame on the face is neutral for `calibrate_s`, whatever it looks like."""
        self._asked = True

    def push(self, crop: Crop) -> list[Moment]:
        """The moments that this frame makes sure; their times lie in the past."""
        ended = self._hush(crop.t) if self._asked else []
        self._last = crop
        spots = self._spotter.push(crop)
        if spots:
            self.score = spots[-1].expression
        elif self._spotter.seen is None:
            self.score = 0.0  # after a gap nothing is known
        if self._quiet_until is not None and crop.t < self._quiet_until:
            return ended
        self._quiet_until = None
        return ended + [moment for spot in spots for moment in self._machine.push(crop.face, spot)]

    def finish(self) -> list[Moment]:
        """The stream is over while the face is there: its last moments are judged as if it now kept still.

        So a clip that is cut at the offset tells what live would have told a little later. No event begins in what was
        not seen, and one that it would make too long for a micro-expression is lost: nobody knows how it went on.
        """
        if self._last is None or self._quiet_until is not None:
            return self.flush()
        last, found = self._last, list[Moment]()
        self._last = None
        for spot in self._held(last):
            if spot.t > last.t and not self._machine.awaits(spot.t):
                break
            found += self._machine.push(last.face, spot)
        return [_within(moment, last.t) for moment in _settled([*found, *self.flush()])]

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event ends here."""
        return self._machine.flush()

    def _held(self, last: Crop) -> Iterator[Spot]:
        """What would be seen of a face that stays as it is in `last`."""
        for tick in range(1, round(self.delay_s / self._tick_s) + 1):
            yield from self._spotter.push(replace(last, t=last.t + tick * self._tick_s))

    def _hush(self, t: float) -> list[Moment]:
        """An open event ends, and none begins for a while."""
        self._asked, self._quiet_until = False, t + self._config.calibrate_s
        return self._machine.flush()


def _settled(moments: list[Moment]) -> list[Moment]:
    """`moments` without the apexes of what is none at its end: told together, one would only take back the other."""
    none = {moment.event for moment in moments if isinstance(moment, Offset) and moment.kind is None}
    return [moment for moment in moments if not (isinstance(moment, Apex) and moment.event in none)]


def _within(moment: Moment, last: float) -> Moment:
    """`moment`, none of whose times lies after `last`."""
    if isinstance(moment, Onset):
        return moment
    if isinstance(moment, Offset):
        return replace(moment, apex=min(moment.apex, last), t=min(moment.t, last))
    return replace(moment, t=min(moment.t, last))
