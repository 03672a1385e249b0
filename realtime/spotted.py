"""Crops of one face -> Onset, Apex, Offset, as they happen: the spotter says what it sees, the machine decides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from realtime.config import SpotterConfig
from realtime.decide import Machine
from realtime.engine import Engine
from realtime.fields import FIELD_PX
from realtime.records import Crop, Floats, Moment
from realtime.spotter import Spotter, representation

#: Before there is anything to compare a frame with.
STILL: Floats = np.zeros((2, FIELD_PX, FIELD_PX), np.float32)


class Spotting:
    """Finds the events of one face; `push(Crop) -> [Moment]`. Events are numbered from `ids`."""

    def __init__(self, config: SpotterConfig, crop_px: int, engine: Engine, ids: Iterator[int]) -> None:
        self._config = config
        self._spotter = Spotter(engine, crop_px)
        self._machine = Machine(config, ids)
        self._quiet_until: float | None = None
        self._asked = False
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
        spots = self._spotter.push(crop)
        if spots:
            self.score = spots[-1].expression
        elif self._spotter.seen is None:
            self.score = 0.0  # after a gap nothing is known
        if self._quiet_until is not None and crop.t < self._quiet_until:
            return ended
        self._quiet_until = None
        return ended + [moment for spot in spots for moment in self._machine.push(crop.face, spot)]

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event ends here."""
        return self._machine.flush()

    def _hush(self, t: float) -> list[Moment]:
        """An open event ends, and none begins for a while."""
        self._asked, self._quiet_until = False, t + self._config.calibrate_s
        return self._machine.flush()
