"""Several cameras at once: one pipeline each, all with the same engines, sockets and numbers of events."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import count

import msgspec

from realtime.capture.remote import Remote, require_picture
from realtime.capture.source import Source
from realtime.config import Config
from realtime.engine.landmarker import SpareLandmarker
from realtime.errors import ConfigError, GlimpseError
from realtime.pipeline.loop import Loop
from realtime.pipeline.moments import jpeg
from realtime.pipeline.pipeline import Pipeline, Wish
from realtime.pipeline.summary import Summary
from realtime.publish import Outlet
from realtime.recognition.heads import Heads
from realtime.schema.message import (
    Answer,
    Ask,
    AskClock,
    AskLeave,
    AskMoment,
    AskNeutral,
    AskPicture,
    AskWish,
    Clock,
    Done,
    Event,
    Picture,
    Refused,
    Shown,
)

log = logging.getLogger(__name__)

#: A page asks for pictures as fast as it shows them; one that is slow, or was hidden for a moment, looks all the same.
LOOKED_S = 5.0
NOBODY = "there is nobody in view whose face could be taken as neutral; look into the camera and ask again"
NOT_KEPT = "no pictures of event {} are kept; they are when AskWish(pictures=True) came before it, of the newest few"


class Streams:
    """Watches a source of its own with `run`, and every camera elsewhere whose pictures are given to `take`.

    A camera elsewhere begins with its first picture, if there is room, and leaves with AskLeave or when it falls
    silent. One that failed is not taken again for `streams.silent_s`. `answer` makes it a `publish.Desk`.
    """

    def __init__(self, config: Config, outlet: Outlet) -> None:
        self._config, self._outlet = config, outlet
        self._heads = Heads(config)
        self._landmarker = SpareLandmarker(config)  # opened now, or whoever comes first would wait for it
        self._ids = count(1)
        self._lock = threading.Lock()  # of the tables below
        self._pipelines: dict[str, Pipeline] = {}
        self._visitors: dict[str, tuple[Remote, threading.Thread]] = {}
        self._not_before: dict[str, float] = {}  # cameras that failed
        self._full_said = 0.0
        self._looked_s = -float("inf")
        self._stopped = threading.Event()

    def run(
        self,
        source: Source | None,
        seconds: float | None = None,
        outlet: Outlet | None = None,
        told: Callable[[Event], None] | None = None,
        *,
        pictures: bool = False,
    ) -> Summary | None:
        """Watch `source` to its end, or without one only the cameras elsewhere; for `seconds`, or until `stop`.

        What is found in `source` goes to `outlet`, if there is one, and `told` is called with its events; with
        `pictures` theirs are kept, whatever AskWish says.
        """
        if source is None:
            self._stopped.wait(seconds)
            return None
        camera = self._config.publish.camera
        with self._lock:
            pipeline = self._pipelines[camera] = self._pipeline(camera, source, outlet, told, pictures=pictures)
        if self._stopped.is_set():
            pipeline.stop()
        try:
            return pipeline.run(seconds)
        finally:
            with self._lock:
                del self._pipelines[camera]

    def looked_at(self) -> bool:
        """Whether anybody asked for a picture of the source of `run` a moment ago."""
        return time.monotonic() - self._looked_s < LOOKED_S

    def loop(self, event: Event) -> Loop | None:
        """The event to be looked at again; for whoever is `told` of it, while he is."""
        return self._watched(event.camera).loop(event)

    def take(self, picture: Picture) -> None:
        """A picture of a camera elsewhere; SourceError for one that cannot begin a stream."""
        with self._lock:
            found = self._visitors.get(picture.camera)
            remote = found[0] if found else self._begin(picture)
        if remote is not None:
            remote.push(picture)

    def answer(self, question: Ask) -> Answer:
        """What a program or the page asks; GlimpseError says why it cannot be."""
        match question:
            case AskClock():
                return self._clock()
            case AskLeave(camera=camera):
                return self._leave(camera)
            case AskPicture(camera=camera, after=after):
                if camera == self._config.publish.camera:
                    self._looked_s = time.monotonic()
                return self._picture(self._watched(camera), after)
            case AskMoment(camera=camera, event=event):
                return self._watched(camera).moments.pictures(event) or Refused(why=NOT_KEPT.format(event))
            case AskNeutral(camera=camera):
                return Done() if self._watched(camera).calibrate() else Refused(why=NOBODY)
            case AskWish(camera=camera):
                return self._change(self._watched(camera), question)
            case _:
                return Refused(why=f"{type(question).__name__} is not answered here")

    def _begin(self, picture: Picture) -> Remote | None:
        """A stream for a camera that was not known; None without room. Called with the lock held.

        SourceError where its first picture is none, or a name alone would take a place.
        """
        camera = picture.camera
        require_picture(picture.jpeg, self._config.streams)
        now = time.monotonic()
        self._not_before = {name: until for name, until in self._not_before.items() if until > now}
        if self._stopped.is_set() or camera in self._not_before or camera in self._pipelines:
            return None
        if len(self._visitors) >= self._config.streams.visitors:
            if now >= self._full_said:  # once a while: its next picture is tried again, since somebody may leave
                log.warning("no room for camera %s: streams.visitors = %d are here", camera, len(self._visitors))
                self._full_said = now + self._config.streams.silent_s
            return None
        remote = Remote(camera, self._config.streams)
        pipeline = self._pipelines[camera] = self._pipeline(camera, remote)
        thread = threading.Thread(target=self._watch, args=(camera, pipeline), name=f"camera {camera}", daemon=True)
        self._visitors[camera] = remote, thread
        thread.start()
        return remote

    def _watch(self, camera: str, pipeline: Pipeline) -> None:
        """The thread of a camera elsewhere."""
        log.info("camera %s begins", camera)
        failed = False
        try:
            pipeline.run()
        except Exception as error:  # whatever it is, or each of its next pictures would end in the same again
            log.error("camera %s ends: %s", camera, error, exc_info=not isinstance(error, GlimpseError))
            failed = True
        finally:
            with self._lock:
                self._visitors.pop(camera, None)
                self._pipelines.pop(camera, None)
                if failed:
                    self._not_before[camera] = time.monotonic() + self._config.streams.silent_s
            log.info("camera %s has left", camera)

    def _pipeline(
        self,
        camera: str,
        source: Source,
        outlet: Outlet | None = None,
        told: Callable[[Event], None] | None = None,
        *,
        pictures: bool = False,
    ) -> Pipeline:
        publish = msgspec.structs.replace(self._config.publish, camera=camera)
        config = msgspec.structs.replace(self._config, publish=publish)
        pair = self._heads.encoder, self._heads.judges(self._heads.default)
        outlet, heads = outlet or self._outlet, self._heads.names
        return Pipeline(
            config, source, outlet, pair, told,
            ids=self._ids, heads=heads, pictures=pictures, landmarker=self._landmarker.take,
        )  # fmt: skip

    def _watched(self, camera: str) -> Pipeline:
        found = self._pipelines.get(camera)
        if found is None:
            raise ConfigError(f"camera {camera!r} is not watched now; events and meta name those that are")
        return found

    def _clock(self) -> Clock:
        now = time.monotonic()
        newest = {name: pipeline.newest for name, pipeline in list(self._pipelines.items())}
        cameras = {name: frame.t + now - frame.grabbed for name, frame in newest.items() if frame is not None}
        return Clock(monotonic_s=now, unix_s=time.time(), cameras=cameras)

    def _picture(self, pipeline: Pipeline, after: int) -> Shown:
        frame = pipeline.newest
        if frame is None or frame.index == after:
            return Shown(frame=0, t=0.0, jpeg=b"")
        return Shown(frame=frame.index, t=frame.t, jpeg=jpeg(frame.image, self._config.streams.jpeg_quality))

    def _change(self, pipeline: Pipeline, wish: AskWish) -> Done:
        now = pipeline.wish
        pipeline.change(
            Wish(
                landmarks=now.landmarks if wish.landmarks is None else wish.landmarks,
                pictures=now.pictures if wish.pictures is None else wish.pictures,
                judges=now.judges if wish.head is None else self._heads.judges(wish.head),
            )
        )
        return Done()

    def _leave(self, camera: str) -> Done:
        with self._lock:
            found = self._visitors.get(camera)
        if found is not None:
            found[0].close()
        return Done()

    def stop(self) -> None:
        """End every pipeline soon; a signal handler may call this."""
        self._stopped.set()
        for pipeline in list(self._pipelines.values()):
            pipeline.stop()

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called, or `close`."""
        return self._stopped.is_set()

    def close(self) -> None:
        """Stop, and wait for all."""
        self.stop()
        for remote, thread in list(self._visitors.values()):
            remote.close()
            thread.join(timeout=5.0)
        self._landmarker.close()
