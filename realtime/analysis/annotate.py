"""The pictures of a file again, with what was found drawn into them: boxes, labels, and the likelihood as a curve."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from realtime.capture.recorded.encoder import VideoWriter
from realtime.capture.source import Source
from realtime.records import Image
from realtime.schema.message import Event, FaceState, State
from realtime.session import Session

Colour = tuple[int, int, int]
#: RGB; of the page: its dark ground, its ink, and those that tell micro from macro.
GROUND, INK, GREY = (20, 23, 26), (233, 231, 226), (120, 128, 135)
KINDS: dict[str, Colour] = {"micro": (95, 203, 210), "macro": (242, 164, 92)}
#: The curve reaches so far back and ahead of the picture that is shown.
AROUND_S = 3.0
#: A label stays with its face for so long after the event, or nobody could read it.
STAYS_S = 1.0
#: Of the picture's height, what the curve takes below it, and how low it is at least.
SHARE, LEAST_PX = 0.16, 48
_LINE = cv2.LINE_AA


@dataclass(slots=True)
class _Face:
    """What is drawn of one face: its likelihood at each of its times, and its events that stayed."""

    times: array[float] = field(default_factory=lambda: array("d"))
    scores: array[float] = field(default_factory=lambda: array("d"))
    threshold: float = 1.0
    events: dict[int, Event] = field(default_factory=dict)


def annotate(source: Source, session: Session, path: Path, told: Callable[[float], object]) -> None:
    """Write `source`, of which `session` was made, as the video `path`; `told` hears each time that is drawn."""
    faces = _faces(session)
    states = (record.message for record in session if isinstance(record.message, State))
    encoder: VideoWriter | None = None
    try:
        for image, state in _together(source, states):
            drawn = _drawn(image, state, faces)
            if encoder is None:
                encoder = VideoWriter(path, (drawn.shape[1], drawn.shape[0]), source.rate_hz)
                size = image.shape
            if image.shape == size:  # of a folder whose pictures change their size, those like the first
                encoder.write(state.t, drawn)
            told(state.t)
    finally:
        if encoder is not None:
            encoder.close()


def _together(source: Source, states: Iterator[State]) -> Iterator[tuple[Image, State]]:
    """Each frame with what was said of it."""
    state = next(states, None)
    for frame in source.frames():
        while state is not None and state.frame < frame.index:
            state = next(states, None)
        if state is None:
            return
        if state.frame == frame.index:
            yield frame.image, state


def _faces(session: Session) -> dict[int, _Face]:
    faces: dict[int, _Face] = {}
    for record in session:
        match record.message:
            case State(t=t, faces=seen):
                for face in seen:
                    of = faces.setdefault(face.id, _Face())
                    of.times.append(t)
                    of.scores.append(face.score)
                    of.threshold = face.threshold
            case Event() as event:
                faces.setdefault(event.face, _Face()).events[event.id] = event
    for of in faces.values():
        of.events = {id: event for id, event in of.events.items() if event.stage != "withdrawn"}
    return faces


def _drawn(image: Image, state: State, faces: dict[int, _Face]) -> Image:
    """The picture with boxes and labels, and below it the curves."""
    picture = image.copy()
    unit = max(min(image.shape[:2]) / 480, 0.6)  # strokes and letters grow with the picture
    for face in state.faces:
        _box(picture, face, _now(faces[face.id].events.values(), state.t), unit)
    below = np.full((max(round(SHARE * image.shape[0]), LEAST_PX), image.shape[1], 3), GROUND, np.uint8)
    _curves(below, [faces[face.id] for face in state.faces], state.t, unit)
    return np.vstack([picture, below])


def _now(events: Iterable[Event], t: float) -> Event | None:
    """The event that is shown at `t`, the newest of several."""
    shown = [event for event in events if event.onset_s <= t <= (event.offset_s or event.apex_s) + STAYS_S]
    return max(shown, key=lambda event: event.onset_s, default=None)


def _box(picture: Image, face: FaceState, event: Event | None, unit: float) -> None:
    left, top, width, height = (round(value) for value in face.box)
    colour = INK if event is None else KINDS[event.kind]
    stroke = max(round(1.5 * unit), 1)
    cv2.rectangle(picture, (left, top), (left + width, top + height), GROUND, stroke + 2, _LINE)
    cv2.rectangle(picture, (left, top), (left + width, top + height), colour, stroke, _LINE)
    text = f"{face.id}" if event is None else f"{face.id}  {event.label} {event.confidence:.0%}, {event.kind}"
    _label(picture, text, (left, top), colour, unit)


def _label(picture: Image, text: str, at: tuple[int, int], colour: Colour, unit: float) -> None:
    """On a ground of its own, above the box as long as it fits into the picture."""
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, 1)
    pad = round(4 * unit)
    left = min(max(at[0], 0), max(picture.shape[1] - wide - 2 * pad, 0))
    bottom = max(at[1] - pad, high + 2 * pad)
    cv2.rectangle(picture, (left, bottom - high - 2 * pad), (left + wide + 2 * pad, bottom), colour, cv2.FILLED)
    place = (left + pad, bottom - pad)
    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, GROUND, max(round(unit), 1), _LINE)


def _curves(below: Image, faces: Sequence[_Face], t: float, unit: float) -> None:
    """The likelihood of every face in the picture around `t`, which stands in the middle."""
    high, wide = below.shape[:2]
    for face in faces:
        for event in face.events.values():
            ends = (_x(at - t, wide) for at in (event.onset_s, event.offset_s or event.apex_s))
            left, right = (min(max(x, 0), wide) for x in ends)
            if left < right:
                below[:, left:right] = (0.65 * below[:, left:right] + 0.35 * np.array(KINDS[event.kind])).astype(
                    np.uint8
                )
    cv2.line(below, (wide // 2, 0), (wide // 2, high), INK, 1)
    for face in faces:
        y = _y(face.threshold, high)
        for x in range(0, wide, 8):
            cv2.line(below, (x, y), (x + 3, y), GREY, 1)
        first, last = bisect_left(face.times, t - AROUND_S), bisect_right(face.times, t + AROUND_S)
        points = [[_x(face.times[i] - t, wide), _y(face.scores[i], high)] for i in range(first, last)]
        cv2.polylines(below, [np.array(points, np.int32)], False, INK, max(round(1.2 * unit), 1), _LINE)


def _x(ahead_s: float, wide: int) -> int:
    return round(wide * (0.5 + ahead_s / (2 * AROUND_S)))


def _y(score: float, high: int) -> int:
    """Likelihoods from 0 to 1, with a little room at both ends."""
    return round((high - 1) * (0.94 - 0.88 * min(max(score, 0.0), 1.0)))
