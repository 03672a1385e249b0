"""Composes the stages for one camera: `front` does what needs no judgement in threads of its own, this one judges."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

import cv2

from realtime.capture.source import Source
from realtime.config import Config
from realtime.engine.engine import Engine
from realtime.engine.package.manifest import MODEL
from realtime.faces.track import Landmarker
from realtime.pipeline.budget import ENCODER_HZ, Budget, Cost
from realtime.pipeline.front import Front, Tracked
from realtime.pipeline.loop import AROUND_S, Loop, loop
from realtime.pipeline.moments import Moments
from realtime.pipeline.people import Person, Presence
from realtime.pipeline.summary import RunCounter, Summary, version
from realtime.pipeline.timing import Stopwatch, Took
from realtime.publish import Outlet
from realtime.recognition.encode import Encoder, PacedEncoder
from realtime.recognition.heads import require_fit, spotter
from realtime.recognition.recognise import Judges, Recogniser
from realtime.recognition.window import Encoded
from realtime.records import Crop, Face, Floats, Frame, Moment
from realtime.schema import message
from realtime.schema.message import Event, FaceState, Meta, State
from realtime.spotting.detector import FaceSpotter
from realtime.spotting.lagged_flow import LaggedFlow

log = logging.getLogger(__name__)

NOTHING = Took(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a camera is to be watched; it may change while it is."""

    landmarks: bool  #: in every state
    pictures: bool  #: an event's onset and apex are kept in memory
    judges: Judges  #: of events


class Pipeline:
    """From a source to an outlet, until the source ends, `seconds` are over, or `stop` is called.

    `told` is called with each event after it was published; `ids` numbers events, over all cameras if it is
    shared; `heads` names the engines that a wish may choose; with `pictures` no wish can do without them; `landmarker`
    gives what finds faces, or it is opened as configured. Any thread may wish, calibrate, ask for `newest` and
    `moments`, and stop.
    """

    def __init__(
        self,
        config: Config,
        source: Source,
        outlet: Outlet,
        pair: tuple[Engine, Judges],
        told: Callable[[Event], None] | None = None,
        *,
        ids: Iterator[int] | None = None,
        heads: tuple[str, ...] = (),
        pictures: bool = False,
        landmarker: Callable[[], Landmarker] | None = None,
    ) -> None:
        cv2.setNumThreads(1)  # stages run side by side: OpenCV's own threads would fight over the same cores
        self._config = config
        self._source = source
        self._outlet = outlet
        self._encoding = pair[0]
        self._encoder = Encoder(pair[0])
        self._pictures = pictures
        self.wish = Wish(landmarks=config.publish.landmarks, pictures=pictures, judges=pair[1])
        self._recogniser = Recogniser(config.recognise, self._encoder, pair[1])
        self._spotter = spotter(config)
        rate_hz = ENCODER_HZ if config.engines.encoder_hz == "auto" else config.engines.encoder_hz
        self._budget = Budget(config.budget, rate_hz)
        self._budget.landmarks = config.publish.landmarks
        self._looking = PacedEncoder(self._encoder, rate_hz)
        self._people: dict[int, Person] = {}
        self._ids = count(1) if ids is None else ids
        self._heads = heads
        self._meta_at = 0.0
        self._skipped = 0  #: frames that nobody had time for
        self._points_s = 0.0  #: what the points of the newest state took
        self.newest: Frame | None = None  #: the frame that was published last
        self.moments = Moments(config.streams, keeping=pictures)
        self._told = told
        self._landmarker = landmarker
        self._front: Front | None = None
        self.stopped = False  #: whether `stop` ended it
        self.counts = RunCounter()

    def run(self, seconds: float | None = None) -> Summary:
        """Play; always flushes open events and sends a last meta, also when it is interrupted."""
        self._front = Front(self._config, self._source, self._budget, seconds, self._landmarker)
        try:
            for tracked in self._front:
                self._push(tracked)
                if self.stopped:
                    break
            else:
                self._finish()
        finally:
            self._front.close()
            for person in list(self._people.values()):
                self._leave(person)
            self._send_meta()
        return self.counts.summary()

    def calibrate(self) -> bool:
        """Everybody in view looks neutral from now on, for the calibrate_s of [spotter]; False where nobody is."""
        people = list(self._people.values())
        for person in people:
            person.calibrate()
        return bool(people)

    def change(self, wish: Wish) -> None:
        """Watch as `wish` says from the next frame on; EngineError if its judges do not fit."""
        require_fit(self._encoding.manifest, wish.judges, self._config)
        self._recogniser = Recogniser(self._config.recognise, self._encoder, wish.judges)
        self.wish = replace(wish, pictures=wish.pictures or self._pictures)
        self._budget.landmarks = wish.landmarks
        self.moments.keeping = self.wish.pictures

    def loop(self, event: Event) -> Loop | None:
        """The event to be looked at again; for whoever is `told` of it, while he is. None of an early answer."""
        person = self._people.get(event.face)
        if person is None or event.offset_s is None:
            return None
        around = person.span(event.onset_s - AROUND_S, event.offset_s + AROUND_S)
        span = person.span(event.onset_s, event.offset_s)
        return loop(event, around, span, self.wish.judges.units, self._config.streams)

    def stop(self) -> None:
        """End after the frame that is being worked on, or at once when none comes."""
        self.stopped = True
        if self._front is not None:
            self._front.stop()

    def _push(self, tracked: Tracked) -> None:
        """One frame through encoder, spotter, publishing and answers."""
        frame, before = tracked.frame, self.newest
        self.newest = frame
        self.counts.frame(frame.t, frame.gap)
        took, watch = dict(tracked.took), Stopwatch()
        encoded = self._looking.see(tracked.crops)
        if encoded:
            took["encode"] = watch.lap()
        took["motion"] = tracked.moved.result()
        watch.lap()  # of which this thread has only waited for the rest
        moments = self._spot(tracked, encoded)
        took["spot"] = watch.lap()
        self._send_state(frame, tracked.faces)
        took["publish"], took["total"] = watch.lap(), Took(time.monotonic() - frame.grabbed, 0.0)
        if moments:  # after the state: judging an event takes as long as several frames
            for person, moment in moments:
                self._tell(person, moment)
            took["tell"] = watch.lap()
        self._count(took)
        self._skipped = tracked.skipped
        if self._source.live and before is not None and tracked.faces:
            self._weigh(took, tracked, before)
        self._retire(frame.t)
        if frame.t >= self._meta_at:
            self._meta_at = frame.t + self._config.publish.meta_s
            self._send_meta()

    def _spot(self, tracked: Tracked, encoded: Mapping[int, Encoded]) -> list[tuple[Person, Moment]]:
        """What the frame makes sure, with whom it is of."""
        found = []
        for face, crop, flow in zip(tracked.faces, tracked.crops, tracked.flows, strict=True):
            if face.id not in self._people:
                self._welcome(face, crop, flow, first=tracked.first)
            person = self._people[face.id]
            found += [(person, moment) for moment in person.push(face, crop, encoded.get(face.id))]
        return found

    def _count(self, took: Mapping[str, Took]) -> None:
        for stage, each in took.items():
            self.counts.timings.add(stage, each)

    def _weigh(self, took: Mapping[str, Took], tracked: Tracked, before: Frame) -> None:
        """Hold what a frame took against what the camera asks, and do as the budget then says."""
        frame = tracked.frame
        cost = Cost(
            fetch=tracked.fetch_s,
            track=took["track"].wall + took["align"].wall,
            move=took["motion"].wall,
            rest=took["spot"].wall + took["publish"].wall - self._points_s + took.get("tell", NOTHING).wall,
            points=self._points_s,
            encode=took.get("encode", NOTHING).wall,
        )
        self._budget.push(frame.t, (frame.t - before.t) / (1 + frame.gap), cost)
        if self._budget.plan.encoder_hz != self._looking.rate_hz:
            self._looking.rate_hz = self._budget.plan.encoder_hz

    @property
    def _t(self) -> float:
        """Time of the newest frame."""
        return self.newest.t if self.newest else 0.0

    def _welcome(self, face: Face, crop: Crop, flow: LaggedFlow, *, first: bool) -> None:
        """Somebody has come, in the `first` frame or later."""
        own = FaceSpotter(self._config.spotter, self._config.align.size_px, self._spotter, self._ids, flow)
        self._people[face.id] = person = Person(self._config, face, own)
        if first:  # of a clip, perhaps cut at an onset; who comes later comes moving
            person.rest(crop)
        self.counts.face(person.presence)

    def _retire(self, t: float) -> None:
        for person in list(self._people.values()):
            if t - person.presence.last_s > self._config.track.retire_s:
                self._leave(person)

    def _finish(self) -> None:
        """The source is over: what those who are in its last frame were about to show is decided."""
        for person in self._people.values():
            if person.presence.last_s == self._t and not self.stopped:
                for moment in person.finish():
                    self._tell(person, moment)

    def _leave(self, person: Person) -> None:
        for moment in person.leave():
            self._tell(person, moment)
        presence: Presence = self._people.pop(person.presence.id).presence
        log.info("face %d was here from %.2f to %.2f s", presence.id, presence.first_s, presence.last_s)

    def _tell(self, person: Person, moment: Moment) -> None:
        for expression in person.answer(moment, self._recogniser, self._t):
            event = message.event_from(expression, self._config.publish.camera, self.counts.rate_hz)
            # Before it is told, or who hears it would ask for nothing.
            self.moments.keep(event, person.span(event.onset_s, event.offset_s or self._t).frames)
            event = self._outlet.event(event)
            self.counts.event(event)
            if self._told:
                self._told(event)

    def _send_state(self, frame: Frame, faces: list[Face]) -> None:
        self._points_s = 0.0
        self._outlet.state(
            State(
                t=frame.t,
                camera=self._config.publish.camera,
                frame=frame.index,
                gap=frame.gap,
                latency_ms=round((time.monotonic() - frame.grabbed) * 1e3, 3),
                faces=tuple(self._face_state(face) for face in faces),
            )
        )

    def _face_state(self, face: Face) -> FaceState:
        person = self._people[face.id]
        shares: Floats | tuple[()] = person.expression if person.expression is not None else ()
        expression = dict(zip(self._encoder.labels, map(float, shares), strict=True))
        return message.face_state(face, person.score, person.threshold, expression, self._points(face))

    def _points(self, face: Face) -> message.Points | None:
        """None where nobody wants them, or there is no time for them."""
        if not (self.wish.landmarks and self._budget.plan.landmarks):
            return None
        watch = Stopwatch()
        found = message.points(face.landmarks)
        self._points_s += watch.lap().wall
        return found

    def _at_work(self) -> Iterator[Engine]:
        yield self._encoding
        yield self._spotter
        if self.wish.judges.units is not None:
            yield self.wish.judges.units
        yield from self.wish.judges.engines

    def _send_meta(self) -> None:
        counts, rate = self.counts, self.counts.rate_hz
        counts.left_out = self._budget.describe()
        dropped = self._source.dropped + self._skipped
        latencies = {
            name: message.Percentiles(**counts.timings.percentiles_ms(name)) for name in counts.timings.names()
        }
        self._outlet.meta(
            Meta(
                t=round(self._t, 6),
                camera=self._config.publish.camera,
                engines=tuple(map(_engine, self._at_work())),
                rate_hz=round(rate, 3),
                latency_ms=latencies,
                frames=counts.frames,
                gaps=max(counts.gaps - dropped, 0),
                dropped=dropped,
                faces=len(self._people),
                shortest_event_s=message.shortest_event_s(rate),
                heads=self._heads,
                encoder_hz=self._looking.rate_hz,
                left_out=counts.left_out,
                version=version(),
            )
        )


def _engine(engine: Engine) -> message.Engine:
    manifest = engine.manifest
    return message.Engine(
        name=manifest.name,
        sha256=manifest.files[MODEL],
        labels=tuple(manifest.labels),
        precision=engine.precision,
        backend=engine.backend,
        fallback=engine.fallback,
    )
