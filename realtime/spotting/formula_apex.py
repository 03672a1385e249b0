"""The apex of an event by the formula of Quang et al. instead of the network's word: onset term alone, causal.

When an apex is told, and of what kind, stays the detector's business; when it *was* is the frame that differs most from
the onset where the picture changes least. `lag` is the authors' code's: one frame. Frames are brought to the onset's
head as they come while an event is open, a flow each; without an event nothing is computed. An onset
is told a while after it was: the frames since then are made up for at once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from realtime.errors import DataError
from realtime.records import Apex, Crop, Floats, Moment, Onset
from realtime.spotting.apex_formula import Region, Registration, change, region_means, regions
from realtime.spotting.decide import BACK_S

log = logging.getLogger(__name__)

SPARE_S = 0.1  # an onset may lie between two frames


class RunningApex:
    """How far each frame since `onset`, an event's first, is from it; DataError where its face is not in the crop."""

    def __init__(self, onset: Crop) -> None:
        height, width = onset.image.shape[:2]
        self._regions: list[Region] = regions(onset.landmarks, width, height)
        self._placed = Registration(onset.image)
        self._before: Floats = self._placed.first
        self._scores: list[tuple[float, float]] = []  #: moment and score of each frame but the first

    def push(self, crop: Crop) -> None:
        """The next frame."""
        frame = self._placed.of(crop.image)
        ratios = change(frame, self._placed.first) / change(frame, self._before)
        self._scores.append((crop.t, float(region_means(ratios, self._regions).mean())))
        self._before = frame

    def apex(self, until: float) -> float | None:
        """When the first of the highest scores was, no later than `until`; None before there is one."""
        seen = [(score, -t) for t, score in self._scores if t <= until]
        return -max(seen)[1] if seen else None


class FormulaApex:
    """`told([Moment])` gives the same moments with the formula's apexes, after `push(Crop)` has seen each frame."""

    def __init__(self, delay_s: float) -> None:
        """`delay_s`: how much later than a frame the detector judges it."""
        self._kept_s = BACK_S + delay_s + SPARE_S
        self._kept: deque[Crop] = deque()
        self._running: dict[int, RunningApex] = {}  #: by event: one at most is open, and none as a rule

    def push(self, crop: Crop) -> None:
        """The newest frame of the face."""
        self._kept.append(crop)
        while crop.t - self._kept[0].t > self._kept_s:
            self._kept.popleft()
        for running in self._running.values():
            running.push(crop)

    def told(self, moments: Sequence[Moment], until: float) -> list[Moment]:
        """`moments` as they are known now; nothing after `until`, and after an offset, is anybody's apex."""
        return [self._told(moment, until) for moment in moments]

    def _told(self, moment: Moment, until: float) -> Moment:
        if isinstance(moment, Onset):
            self._begin(moment)
            return moment
        running = self._running.get(moment.event)
        if isinstance(moment, Apex):
            found = running.apex(until) if running else None
            return moment if found is None else replace(moment, t=found)
        self._running.pop(moment.event, None)
        found = running.apex(min(until, moment.t)) if running else None
        return moment if found is None else replace(moment, apex=found)

    def _begin(self, onset: Onset) -> None:
        """From the frame at the onset on, or from the first that is kept of those behind it."""
        crops = [crop for crop in self._kept if crop.t >= onset.t]
        if not crops:
            return
        try:
            running = RunningApex(crops[0])
        except DataError as error:
            log.info("event %d: %s; its apex is the network's", onset.event, error)
            return
        for crop in crops[1:]:
            running.push(crop)
        self._running[onset.event] = running
