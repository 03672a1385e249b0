"""What is kept for each face while it is followed, and what that makes of a new crop."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.config import Config
from realtime.recognition.encode import Smoothed
from realtime.recognition.recognise import Recogniser
from realtime.recognition.window import Encoded, Seen, Span, Window
from realtime.records import Apex, Crop, Expression, Face, Floats, Moment, Offset
from realtime.spotting.detector import FaceSpotter


@dataclass(slots=True)
class Presence:
    """When a face was in view: the times of its first and last frame."""

    id: int
    first_s: float
    last_s: float


class Person:
    """The spotter, the window and the smoothing of one face."""

    def __init__(self, config: Config, face: Face, spotter: FaceSpotter) -> None:
        self.presence = Presence(face.id, face.t, face.t)
        self.face = face
        self._spotter = spotter
        self._window = Window(config.window.seconds)
        self._smoothed = Smoothed(config.recognise)
        self.expression: Floats | None = None  #: (C,) probabilities, smoothed

    @property
    def score(self) -> float:
        """How likely an expression is under way; an event begins at `threshold`."""
        return self._spotter.score

    @property
    def threshold(self) -> float:
        """The score at which an event begins."""
        return self._spotter.threshold

    def rest(self, crop: Crop) -> None:
        """The face is taken to have stood still before `crop`, its first."""
        self._spotter.rest(crop)

    def push(self, face: Face, crop: Crop, encoded: Encoded | None) -> list[Moment]:
        """Take a new frame, which the encoder may have seen; the moments that it makes sure."""
        self.face, self.presence.last_s = face, face.t
        if encoded is not None:
            self.expression = self._smoothed.push(crop.t, encoded.probabilities)
        moments = self._spotter.push(crop)
        self._window.push(Seen(crop, self._spotter.field, encoded))
        return moments

    def calibrate(self) -> None:
        """The face is neutral from now on, for the calibrate_s of [spotter]."""
        self._spotter.calibrate()

    def span(self, begin: float, end: float) -> Span:
        """The frames with begin <= t <= end, as far as the window holds them."""
        return self._window.span(begin, end)

    def finish(self) -> list[Moment]:
        """The stream is over and the face still there: its open event ends as if it now kept still."""
        return self._spotter.finish()

    def leave(self) -> list[Moment]:
        """The face is gone: its open event ends."""
        return self._spotter.flush()

    def answer(self, moment: Moment, recogniser: Recogniser, now: float) -> list[Expression]:
        """What an apex or an offset is worth telling at `now`; an onset alone is not."""
        quality = self.face.quality.reasons
        if isinstance(moment, Apex):
            early = recogniser.early(moment, self._window, now, quality)
            return [] if early is None else [early]
        if isinstance(moment, Offset):
            return [recogniser.final(moment, self._window, now, quality)]
        return []
