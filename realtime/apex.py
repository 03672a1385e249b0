"""The online detector: crops of one face -> Onset, Apex, Offset, as they happen.

Three parts: `Reference` chooses the neutral picture, `score.Scorer` says how far from rest the
face is, and `Machine` decides. While an event is open the reference and rest stand still.
Starting point: methods 7.2; that an apex is sure only once the score falls, not when it merely
stops rising, is ours: a smile that is held would otherwise be announced as a micro-expression.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from realtime import motion
from realtime.config import ApexConfig, MotionConfig
from realtime.decide import Machine
from realtime.fields import FIELD_PX
from realtime.records import Crop, Floats, Image, Moment, Motion, Pose
from realtime.score import Scorer

#: Before there is anything to compare a frame with.
STILL: Floats = np.zeros((2, FIELD_PX, FIELD_PX), np.float32)
#: The reference is also left alone in frames whose score has come this near to the threshold.
CALM = 0.5


class Reference:
    """The picture of the face at rest: the newest calm one that is old enough to lie before an onset."""

    def __init__(self, config: MotionConfig) -> None:
        self._config = config
        self._kept: deque[tuple[float, Image, Pose]] = deque()

    def at(self, t: float) -> tuple[Image, Pose] | None:
        """Picture and pose of the reference for a frame at `t`; the oldest there is, while none is old enough."""
        while len(self._kept) > 1 and self._kept[1][0] <= t - self._config.lag_s:
            self._kept.popleft()
        return self._kept[0][1:] if self._kept else None

    def offer(self, t: float, picture: Image, pose: Pose) -> None:
        """A calm frame, which may become the reference later."""
        if not self._kept or t - self._kept[-1][0] >= self._config.refresh_s:
            self._kept.append((t, picture, pose))

    def forget_after(self, t: float) -> None:
        """Drop what came after `t`, the onset of an event; something older stays."""
        while len(self._kept) > 1 and self._kept[-1][0] > t:
            self._kept.pop()

    def restart(self) -> None:
        """The face rests in a new position."""
        self._kept.clear()


class Detector:
    """Finds the events of one face; `push(Crop) -> [Onset | Apex | Offset]`. Events are numbered from `ids`."""

    def __init__(self, apex: ApexConfig, motion_config: MotionConfig, crop_px: int, ids: Iterator[int]) -> None:
        self._config = apex
        self._motion = motion_config
        self._layout = motion.layout(crop_px)
        self._flow = motion.Flow()
        self._reference = Reference(motion_config)
        self._scorer = Scorer(apex)
        self._machine = Machine(apex, ids)
        self.delay_s = apex.micro_max_s  #: the apex of a micro-expression is told at most this much later
        self.score = 0.0  #: of the newest frame
        self.field: Floats = STILL  #: of the newest frame: how it differs from rest, as in `Motion`
        self._asked = False
        self._neutral_until: float | None = None

    def calibrate(self) -> None:
        """From the next frame on the face is neutral for `calibrate_s`: that is rest, whatever it was before."""
        self._asked = True

    def push(self, crop: Crop) -> list[Moment]:
        """The moments that this frame makes sure; their times lie in the past."""
        ended = self._begin_anew(crop.t) if self._asked else []
        return ended + self._look(crop)

    def _look(self, crop: Crop) -> list[Moment]:
        picture = motion.grey(crop.image)
        reference = self._reference.at(crop.t)
        if reference is None:
            self._reference.offer(crop.t, picture, crop.pose)
            return []
        before, pose = reference
        seen = motion.measure(crop.t, self._flow(before, picture), self._layout, self._motion.top)
        self.score, self.field = self._scorer.push(seen), seen.field
        if self._neutral_until is not None:
            self._learn(crop, seen, picture)
            return []
        turn = max(abs(crop.pose.yaw - pose.yaw), abs(crop.pose.pitch - pose.pitch))
        settling = self._machine.settling
        moments = self._machine.push(crop, seen, self.score, turn) if self._scorer.ready else []
        self._settle(crop, seen, picture, settled=settling and not self._machine.settling)
        return moments

    def _begin_anew(self, t: float) -> list[Moment]:
        """Forget what rest was; an open event ends."""
        self._asked = False
        self._neutral_until = t + self._config.calibrate_s
        ended = self._machine.restart()
        self._scorer, self.score = Scorer(self._config), 0.0
        self._reference.restart()
        return ended

    def _learn(self, crop: Crop, seen: Motion, picture: Image) -> None:
        """Every frame is rest, as the person says."""
        self._scorer.rest(seen)
        self._reference.offer(crop.t, picture, crop.pose)
        if self._neutral_until is not None and crop.t >= self._neutral_until:
            self._neutral_until = None

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event ends here."""
        return self._machine.flush()

    def _settle(self, crop: Crop, seen: Motion, picture: Image, *, settled: bool) -> None:
        """Let rest and the reference learn from a frame without an event."""
        if self._machine.onset is not None:
            self._reference.forget_after(self._machine.onset)
            return
        if self._machine.settling:
            return
        if settled and self.score >= CALM * self._config.threshold:
            self._reference.restart()  # the face did not come back: it rests in a new position
        self._scorer.rest(seen)
        if self.score < CALM * self._config.threshold and seen.eyes < self._eyes_at_rest(seen):
            self._reference.offer(crop.t, picture, crop.pose)

    def _eyes_at_rest(self, seen: Motion) -> float:
        """Eyes that move more than this are closing, and make no neutral picture."""
        return self._config.blink_ratio * float(seen.regions.max()) + 4 * self._config.floor
