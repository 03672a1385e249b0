"""A running Glimpse: its streams, and the four sockets by which other programs and the page reach them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from realtime.capture.source import Source
from realtime.config import Config
from realtime.pipeline.moments import jpeg
from realtime.pipeline.streams import Streams
from realtime.pipeline.summary import Summary
from realtime.publish import Answers, Inbox, Publisher, Sized, room_for
from realtime.records import Frame
from realtime.schema.message import AskMoment, Event, MomentPictures
from realtime.session import FilmedSource, Recorder, RecordingOutlet


class Live:
    """Opens the sockets and the engines, and closes them again; a context manager.

    `recorder` gets all that is published of the source, with its pictures if it takes them; what comes from cameras
    elsewhere is theirs to record. It keeps the events for the run after this one, which answers whoever asks for them,
    as this one does for `earlier`, those of runs before it.
    """

    def __init__(self, config: Config, recorder: Recorder | None = None, earlier: Sequence[Sized] = ()) -> None:
        self._config, self._recorder = config, recorder
        room_for(config.publish.limits.peers)
        with ExitStack() as opened:
            self.publisher = opened.enter_context(Publisher(config.publish))
            if recorder is not None:
                self.publisher.outlive(recorder.keep, earlier)
            self.streams = Streams(config, self.publisher)
            opened.callback(self.streams.close)
            self.answers = opened.enter_context(Answers(config.publish, self.publisher, self.streams))
            self.inbox = opened.enter_context(Inbox(config.publish, self.streams.take))
            self._opened = opened.pop_all()

    def run(
        self,
        source: Source | None,
        seconds: float | None = None,
        told: Callable[[Event], None] | None = None,
    ) -> Summary | None:
        """Watch `source`, or without one only cameras elsewhere; until its end, for `seconds`, or until `streams.stop`.

        `told` is called with each event of `source`.
        """
        recorder = self._recorder
        if source is None or recorder is None:
            return self.streams.run(source, seconds, told=told)
        recorded = RecordingOutlet(self.publisher, recorder)
        if not recorder.video:
            return self.streams.run(source, seconds, recorded, told)

        def keep(event: Event) -> None:
            found = self.streams.answer(AskMoment(camera=event.camera, event=event.id))
            if isinstance(found, MomentPictures):
                recorder.moment(event.id, found)
            if told is not None:
                told(event)

        def picture(frame: Frame) -> None:
            recorder.picture(frame.t, frame.index, jpeg(frame.image, self._config.streams.jpeg_quality))

        return self.streams.run(FilmedSource(source, picture), seconds, recorded, keep, pictures=True)

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()
