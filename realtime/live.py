"""A running Glimpse: its streams, and the four sockets by which other programs and the page reach them, if they may."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from realtime.capture.source import Source
from realtime.config import Config
from realtime.pipeline.moments import jpeg
from realtime.pipeline.streams import Streams
from realtime.pipeline.summary import Summary
from realtime.publish import Answers, Inbox, Outlet, Publisher, Sized, Unheard, room_for
from realtime.records import Frame
from realtime.schema.message import AskMoment, Event, MomentPictures
from realtime.session import FilmedSource, Recorder, RecordingOutlet


class Alone:
    """Opens the engines, and no socket: nobody hears it, and it runs beside whatever holds the ports.

    `recorder` gets all that is published of the source, with its pictures if it takes them; what comes from cameras
    elsewhere is theirs to record. A context manager, which closes what it opened.
    """

    def __init__(self, config: Config, recorder: Recorder | None = None) -> None:
        self._config, self._recorder = config, recorder
        with ExitStack() as opened:
            self._outlet = self._open(opened)
            self.streams = Streams(config, self._outlet)
            opened.callback(self.streams.close)
            self._serve(opened)
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
        recorded = RecordingOutlet(self._outlet, recorder)
        if not recorder.video:
            return self.streams.run(source, seconds, recorded, told)

        def keep(event: Event) -> None:
            found = self.streams.answer(AskMoment(camera=event.camera, event=event.id))
            if isinstance(found, MomentPictures):
                recorder.moment(event.id, found, self.streams.loop(event) if event.stage == "final" else None)
            if told is not None:
                told(event)

        def picture(frame: Frame) -> None:
            recorder.picture(frame.t, frame.index, jpeg(frame.image, self._config.streams.jpeg_quality))

        return self.streams.run(FilmedSource(source, picture), seconds, recorded, keep, pictures=True)

    def _open(self, opened: ExitStack) -> Outlet:
        """Where all is sent to, closed by `opened`."""
        return Unheard(None if self._recorder is None else self._recorder.keep)

    def _serve(self, opened: ExitStack) -> None:
        """What answers for the streams, closed by `opened`."""

    def __enter__(self) -> Alone:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


class Live(Alone):
    """Opens the sockets as well.

    The recorder keeps the events for the run after this one, which answers whoever asks for them, as this one does for
    `earlier`, those of runs before it.
    """

    def __init__(self, config: Config, recorder: Recorder | None = None, earlier: Sequence[Sized] = ()) -> None:
        self._earlier = earlier
        super().__init__(config, recorder)

    def _open(self, opened: ExitStack) -> Outlet:
        room_for(self._config.publish.limits.peers)
        self.publisher = opened.enter_context(Publisher(self._config.publish))
        if self._recorder is not None:
            self.publisher.outlive(self._recorder.keep, self._earlier)
        return self.publisher

    def _serve(self, opened: ExitStack) -> None:
        self.answers = opened.enter_context(Answers(self._config.publish, self.publisher, self.streams))
        self.inbox = opened.enter_context(Inbox(self._config.publish, self.streams.take))

    def __enter__(self) -> Live:
        return self
