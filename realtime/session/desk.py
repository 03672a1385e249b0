"""What a recording answers when it is asked: the time, its pictures, and its events' moments."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from realtime.errors import SessionError
from realtime.schema.message import Answer, Ask, AskClock, AskMoment, AskPicture, AskWish, Clock, Done, Picture, Shown
from realtime.session.read import Session, Still
from realtime.session.replay import Replay


class RecordedDesk:
    """Answers from `session` what suits the place that `replay` has come to; SessionError for what it cannot."""

    def __init__(self, session: Session, replay: Replay) -> None:
        self._session = session
        self._replay = replay
        self._pictures = _Walk(session)

    def answer(self, question: Ask) -> Answer:
        match question:
            case AskClock():
                return Clock(monotonic_s=time.monotonic(), unix_s=time.time(), cameras=self._replay.clocks())
            case AskPicture(camera=camera, after=after):
                self._check(camera)
                return self._picture(after)
            case AskMoment(camera=camera, event=event):
                self._check(camera)
                return self._moment(event)
            case AskWish() as wish:
                return self._wished(wish)
        raise SessionError("this is a recording: what was seen then cannot be calibrated or changed; watch a camera")

    def _wished(self, wish: AskWish) -> Done:
        """Done, where it was recorded as it is wished."""
        if wish.head:
            raise SessionError(f"engine {wish.head!r} cannot judge a recording, whose events were judged then")
        if wish.landmarks and not self._session.has_landmarks():
            raise SessionError("this session was recorded without landmarks; publish.landmarks puts them into one")
        if wish.pictures and not self._session.moments:
            raise SessionError("this session was recorded without pictures of its events; `run --video` keeps them")
        return Done()

    def _check(self, camera: str) -> None:
        recorded = self._session.header.camera
        if camera != recorded:
            raise SessionError(f"no picture of camera {camera!r} was recorded, only of {recorded!r}: ask for that one")

    def _picture(self, after: int) -> Shown:
        if not self._session.video:
            raise SessionError("this session was recorded without video; `run --record DIR --video` records it too")
        lap, frame = self._replay.showing
        still = self._pictures.newest(frame)
        if still is None or lap.frame(still.frame) <= after:
            return Shown(frame=0, t=0.0, jpeg=b"")
        return Shown(frame=lap.frame(still.frame), t=lap.t(still.t), jpeg=self._session.jpeg(still))

    def _moment(self, event: int) -> Answer:
        lap, _ = self._replay.showing
        pictures = self._session.moment(lap.recorded_event(event))
        if pictures is None:
            raise SessionError(f"no pictures of event {event} were kept in this session: the person had not allowed it")
        return pictures


class _Walk:
    """Goes through the index of pictures as the replay goes on, and starts anew when that does."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked = math.inf
        self._stills: Iterator[Still] = iter(())
        self._still: Still | None = None
        self._ahead: Still | None = None

    def newest(self, frame: int) -> Still | None:
        """The last picture up to `frame`."""
        if frame < self._asked:
            self._stills = self._session.stills()
            self._still, self._ahead = None, next(self._stills, None)
        self._asked = frame
        while self._ahead is not None and self._ahead.frame <= frame:
            self._still, self._ahead = self._ahead, next(self._stills, None)
        return self._still


def refuse(picture: Picture) -> None:
    """For an inbox: a recording has no use for pictures."""
    raise SessionError(
        f"a picture of camera {picture.camera!r}, but this is a recording, which takes none: `realtime run` does"
    )
