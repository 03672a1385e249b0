"""What is published: the state of every frame, numbered events, and what is running."""

from __future__ import annotations

from typing import Literal

import msgspec

from realtime.records import Kind
from realtime.schema.fields import Count, Probabilities, Reasons, RunId, Seconds, Stamped
from realtime.units import Side


class HeadPose(msgspec.Struct, frozen=True, kw_only=True):
    """Degrees, all zero for a face that looks into the camera.

    Yaw is positive towards the picture's right, pitch upwards, roll clockwise.
    """

    yaw: float
    pitch: float
    roll: float


class FaceQuality(msgspec.Struct, frozen=True, kw_only=True):
    """What the picture of a face is worth.

    `size_px` is the distance of the outer eye corners, `sharpness` the variance of the Laplacian,
    `brightness` the mean grey level of 0..255.
    """

    size_px: float
    sharpness: float
    brightness: float
    reasons: Reasons


class FaceState(msgspec.Struct, frozen=True, kw_only=True):
    """One tracked face.

    `box` is left, top, width, height in frame pixels; `landmarks` are 468 pairs x, y in MediaPipe's
    order, or null when they are not sent; `score` is the probability that an expression is under way, a
    moment ago, and `threshold` the one that opens an event; `expression` is smoothed over time.
    """

    id: int
    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...] | None
    pose: HeadPose
    quality: FaceQuality
    score: float
    threshold: float
    expression: Probabilities


class State(Stamped, frozen=True, kw_only=True):
    """One frame and the faces in it.

    `frame` counts from 0, lost frames included, `gap` of which were lost just before this one;
    `latency_ms` runs from grabbing the frame to sending this, null when unknown.
    """

    frame: Count
    gap: Count
    latency_ms: float | None
    faces: tuple[FaceState, ...]


class UnitMoved(msgspec.Struct, frozen=True, kw_only=True):
    """An action unit of FACS that moved in an event.

    `unit` is its number; "6+7" is one of two that cannot be told apart. `left` and `right` say how strongly, as
    shares of the strongest that a face can; sides are the person's own, and `side` is where it moved more, or
    alone, and "both" where neither is sure to have moved more. `words` say it in English.
    """

    unit: str
    side: Side
    left: float
    right: float
    words: str


class Event(Stamped, frozen=True, kw_only=True):
    """One answer about one facial event; a later one with the same `id` replaces it, even in `kind`, so in topic.

    `seq` counts 1, 2, 3 ... over all topics of the socket, so read all of `event/` to see a gap; `seq` and `id` begin
    anew with every `run`, and another `run` than that of the event before says that Glimpse was started again. A
    candidate with a `confidence`: `probabilities` are each engine's own and, where several judge together, what they
    say together, under their names joined by "+"; `rate_hz` is the rate of capture, `reason` says why an event was
    withdrawn. `label` is one of those that `meta` lists for the engine that judged it: for a micro-expression the last
    one there, for a macro-expression the first. `units` are the action units that moved from onset to apex, the
    strongest first: those alone that stand clear of noise, which may be none.
    """

    seq: Count = 0
    run: RunId = ""
    id: int
    face: int
    kind: Kind
    stage: Literal["early", "final", "withdrawn"]
    onset_s: Seconds
    apex_s: Seconds
    offset_s: Seconds | None
    emitted_s: Seconds
    label: str
    confidence: float
    probabilities: dict[str, Probabilities]
    quality: Reasons
    rate_hz: float
    reason: str
    units: tuple[UnitMoved, ...] = ()


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine at work: its package's name, the sha256 of its model, its labels in order, and what runs it.

    `fallback` says why the CPU runs it though a GPU or a server should, null while all is as configured.
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    precision: str
    backend: str
    fallback: str | None = None


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """The value that 50, 95 and 99 of a hundred stay below."""

    p50: float
    p95: float
    p99: float


class Meta(Stamped, frozen=True, kw_only=True):
    """What is running, and how well.

    `rate_hz` is measured at capture; `latency_ms` maps a stage, or "total" for grabbed to sent, to
    its percentiles; `gaps` counts frames that the source lost and `dropped` those that nobody had
    time for; `faces` is now; `shortest_event_s` is the shortest event that the rate can show, null
    while that is unknown; `events` is the `seq` of the last one, of this `run`; `subscribers` is how many listen to
    them; `heads` are what AskWish may choose from: a package, or several joined by "+" that judge together;
    `encoder_hz` is how often the encoder looks at each face at most, and `left_out` says in one sentence what this
    computer has no time for, and is "" while it has time for all.
    """

    engines: tuple[Engine, ...]
    rate_hz: float
    latency_ms: dict[str, Percentiles]
    frames: Count
    gaps: Count
    dropped: Count
    faces: Count
    shortest_event_s: float | None
    events: Count = 0
    run: RunId = ""
    subscribers: Count = 0
    heads: tuple[str, ...] = ()
    encoder_hz: float = 0.0
    left_out: str = ""
    version: str


Published = State | Event | Meta
