"""The online detector: crops of one face -> Onset, Apex, Offset, as they happen.

Three parts: `Reference` chooses the neutral picture, `score.Scorer` says how far from rest the
face is, and `Machine` decides; the last two are a `Judge`, which needs no pictures. While an event is open the
reference and rest stand still.
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


class Judge:
    """Decides what the motion of one face is, without its pictures: rest, score and machine; numbers from `ids`.

    After each frame it says what that is worth as a reference: the `onset` of the event that is open, or whether the
    face is `calm`, rests `elsewhere`, or neither.
    """

    def __init__(self, config: ApexConfig, ids: Iterator[int]) -> None:
        self._config = config
        self._scorer = Scorer(config)
        self._machine = Machine(config, ids)
        self.score = 0.0  #: of the newest frame
        self.elsewhere = False  #: the face did not come back after an event
        self.calm = False  #: the newest frame shows the face at rest

    @property
    def onset(self) -> float | None:
        """Onset of the open event in seconds; None when there is none."""
        return self._machine.onset

    def push(self, crop: Crop, seen: Motion, turn: float) -> list[Moment]:
        """The moments that a frame makes sure; `turn` of the head from the reference, degrees."""
        self.score = self._scorer.push(seen)
        settling = self._machine.settling
        moments = self._machine.push(crop, seen, self.score, turn) if self._scorer.ready else []
        self.elsewhere = self.calm = False
        if self.onset is None and not self._machine.settling:
            still = self.score < CALM * self._config.threshold
            self.elsewhere = settling and not still
            self._scorer.rest(seen)
            self.calm = still and seen.eyes < self._eyes_at_rest(seen)
        return moments

    def learn(self, seen: Motion) -> None:
        """The face is at rest in this frame, whatever it looks like."""
        self.score = self._scorer.push(seen)
        self._scorer.rest(seen)

    def restart(self) -> list[Moment]:
        """Forget what rest was; an open event ends."""
        self._scorer, self.score = Scorer(self._config), 0.0
        return self._machine.restart()

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event ends here."""
        return self._machine.flush()

    def _eyes_at_rest(self, seen: Motion) -> float:
        """Eyes that move more than this are closing, and make no neutral picture."""
        return self._config.blink_ratio * float(seen.regions.max()) + 4 * self._config.floor


class Detector:
    """Finds the events of one face; `push(Crop) -> [Onset | Apex | Offset]`. Events are numbered from `ids`."""

    def __init__(self, apex: ApexConfig, motion_config: MotionConfig, crop_px: int, ids: Iterator[int]) -> None:
        self._config = apex
        self._motion = motion_config
        self._layout = motion.layout(crop_px)
        self._flow = motion.Flow()
        self._reference = Reference(motion_config)
        self._judge = Judge(apex, ids)
        self.delay_s = apex.micro_max_s  #: the apex of a micro-expression is told at most this much later
        #: Of the newest frame: motion, and the head's turn in degrees; None where there was nothing to compare it with.
        self.seen: tuple[Motion, float] | None = None
        self._asked = False
        self._neutral_until: float | None = None

    @property
    def score(self) -> float:
        """Of the newest frame, robust standard deviations above rest."""
        return self._judge.score

    @property
    def threshold(self) -> float:
        """The score that opens an event."""
        return self._config.threshold

    @property
    def field(self) -> Floats:
        """How the newest frame differs from rest, as in `Motion`."""
        return STILL if self.seen is None else self.seen[0].field

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
            self.seen = None
            return []
        before, pose = reference
        seen = motion.measure(crop.t, self._flow(before, picture), self._layout, self._motion.top)
        turn = max(abs(crop.pose.yaw - pose.yaw), abs(crop.pose.pitch - pose.pitch))
        self.seen = seen, turn
        if self._neutral_until is not None:
            self._learn(crop, seen, picture)
            return []
        moments = self._judge.push(crop, seen, turn)
        self._settle(crop, picture)
        return moments

    def _begin_anew(self, t: float) -> list[Moment]:
        """Forget what rest was; an open event ends."""
        self._asked = False
        self._neutral_until = t + self._config.calibrate_s
        self._reference.restart()
        return self._judge.restart()

    def _learn(self, crop: Crop, seen: Motion, picture: Image) -> None:
        """Every frame is rest, as the person says."""
        self._judge.learn(seen)
        self._reference.offer(crop.t, picture, crop.pose)
        if self._neutral_until is not None and crop.t >= self._neutral_until:
            self._neutral_until = None

    def flush(self) -> list[Moment]:
        """The face is gone or the stream is over: an open event ends here."""
        return self._judge.flush()

    def _settle(self, crop: Crop, picture: Image) -> None:
        """Let the reference learn from a frame without an event."""
        if self._judge.onset is not None:
            self._reference.forget_after(self._judge.onset)
        if self._judge.elsewhere:
            self._reference.restart()  # the face rests in a new position
        if self._judge.calm:
            self._reference.offer(crop.t, picture, crop.pose)
