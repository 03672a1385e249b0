"""A session in numbers that do not grow with its length, but for its events and its faces."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from realtime.schema.message import Engine, Event, FaceState, Meta, State
from realtime.session.read import Record
from realtime.session.survey import SessionSurvey

#: Faces that are drawn, those seen longest, and expressions of each.
MOST_DRAWN, MOST_SHARES = 8, 12
#: Columns that a timeline is thinned to, about one a pixel.
COLUMNS = 900


@dataclass(slots=True)
class Gap:
    """Frames that were lost between two times."""

    after_s: float
    before_s: float
    lost: int


@dataclass(slots=True)
class LeftOut:
    """What the computer had no time for, as one sentence says it: between which times, in how many metas."""

    first_s: float
    last_s: float = 0.0
    metas: int = 0


class Curve:
    """The lowest and the highest value in each of `COLUMNS` stretches of time: thinned, yet no peak is lost."""

    def __init__(self, span: tuple[float, float]) -> None:
        self.span = span
        self._first, self._width = span[0], max(span[1] - span[0], 1e-9) / (COLUMNS - 1)
        self._low: dict[int, float] = {}
        self._high: dict[int, float] = {}

    def add(self, t: float, value: float) -> None:
        """One more value, at any time of the span."""
        column = round((t - self._first) / self._width)
        self._low[column] = min(value, self._low.get(column, value))
        self._high[column] = max(value, self._high.get(column, value))

    @property
    def width_s(self) -> float:
        """How long a stretch is."""
        return self._width

    @property
    def peak(self) -> float:
        """The highest of all."""
        return max(self._high.values(), default=0.0)

    def __iter__(self) -> Iterator[tuple[float, float, float]]:
        """Time, lowest and highest value of each stretch that has any, in order."""
        for column in sorted(self._low):
            yield self._first + column * self._width, self._low[column], self._high[column]


@dataclass(slots=True)
class FaceDigest:
    """One face of one camera."""

    curve: Curve  #: its score
    first_s: float
    last_s: float = 0.0
    frames: int = 0
    threshold: float = 0.0
    poor: Counter[str] = field(default_factory=Counter)  #: frames by reason
    expressions: Counter[str] = field(default_factory=Counter)  #: frames by likeliest label
    shares: dict[str, Curve] | None = None  #: of each expression, by label; None of a face that is not drawn

    def take(self, t: float, face: FaceState) -> None:
        """The face in one more frame."""
        self.curve.add(t, face.score)
        self.last_s, self.frames, self.threshold = t, self.frames + 1, face.threshold
        self.poor.update(face.quality.reasons)
        if face.expression:
            self.expressions[max(face.expression, key=face.expression.__getitem__)] += 1
        if self.shares is not None:
            self._take_shares(t, face, self.shares)

    def _take_shares(self, t: float, face: FaceState, shares: dict[str, Curve]) -> None:
        for label, share in face.expression.items():
            if label in shares or len(shares) < MOST_SHARES:
                shares.setdefault(label, Curve(self.curve.span)).add(t, share)


@dataclass(slots=True)
class Digest:
    """What a report says of a session."""

    spans: dict[str, tuple[float, float]]  #: by camera, the times of its first and last frame
    drawn: frozenset[tuple[str, int]] = frozenset()  #: faces by camera and id of which expressions are kept
    frames: Counter[str] = field(default_factory=Counter)  #: by camera
    faces: dict[tuple[str, int], FaceDigest] = field(default_factory=dict)  #: by camera and id
    gaps: dict[str, list[Gap]] = field(default_factory=dict)  #: by camera
    events: dict[tuple[str, int], Event] = field(default_factory=dict)  #: the last answer, by camera and id
    engines: dict[Engine, None] = field(default_factory=dict)  #: all that were at work
    metas: dict[str, Meta] = field(default_factory=dict)  #: the last one, by camera
    told: Counter[str] = field(default_factory=Counter)  #: metas by camera
    left_out: dict[tuple[str, str], LeftOut] = field(default_factory=dict)  #: by camera and sentence
    _latencies: array[float] = field(default_factory=lambda: array("f"))
    _newest: dict[str, float] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Count one more in."""
        match record.message:
            case State() as state:
                self._take_state(state)
            case Event() as event:
                self.events[event.camera, event.id] = event
            case Meta() as meta:
                self._take_meta(meta)

    def rate_hz(self, camera: str) -> float | None:
        """Frames a second on the camera's clock; None for fewer than two."""
        first, last = self.spans[camera]
        return (self.frames[camera] - 1) / (last - first) if last > first else None

    def latency_ms(self) -> tuple[float, float, float] | None:
        """From grabbing to publishing, over all frames: p50, p95, p99; None where it is unknown."""
        if not self._latencies:
            return None
        p50, p95, p99 = np.percentile(np.asarray(self._latencies), (50, 95, 99)).tolist()
        return p50, p95, p99

    def _take_meta(self, meta: Meta) -> None:
        self.metas[meta.camera] = meta
        self.told[meta.camera] += 1
        self.engines.update(dict.fromkeys(meta.engines))
        if meta.left_out:
            found = self.left_out.setdefault((meta.camera, meta.left_out), LeftOut(meta.t))
            found.last_s, found.metas = meta.t, found.metas + 1

    def _take_state(self, state: State) -> None:
        camera, t = state.camera, state.t
        self.frames[camera] += 1
        if state.gap:
            self.gaps.setdefault(camera, []).append(Gap(self._newest.get(camera, t), t, state.gap))
        self._newest[camera] = t
        if state.latency_ms is not None:
            self._latencies.append(state.latency_ms)
        for face in state.faces:
            key = camera, face.id
            if key not in self.faces:
                self.faces[key] = FaceDigest(Curve(self.spans[camera]), t, shares={} if key in self.drawn else None)
            self.faces[key].take(t, face)


def digest(records: Iterable[Record], found: SessionSurvey) -> Digest:
    """Walk through them once more, after `found`."""
    numbers = Digest(found.spans, frozenset(key for key, _ in found.faces.most_common(MOST_DRAWN)))
    for record in records:
        numbers.take(record)
    return numbers
