"""The record button of one visitor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial

from realtime.errors import SessionError
from realtime.schema.message import Answer, AskMoment, Event, MomentPictures, Picture, Published, Shown
from realtime.view.recording.recorder import ThreadedRecorder
from realtime.view.recording.store import RecordingStore
from realtime.view.upstream.asker import AsyncAsker
from realtime.view.visit.problems import Problems
from realtime.view.visit.protocol import encode
from realtime.view.visit.send_queue import SendQueue

log = logging.getLogger(__name__)


class RecordButton:
    """At most one recording at a time, and one zip, of which the browser is told through `queue`.

    While it is off nothing is written.
    """

    def __init__(self, store: RecordingStore, asker: AsyncAsker, queue: SendQueue, problems: Problems) -> None:
        self._store, self._asker, self._queue, self._problems = store, asker, queue, problems
        self._recorder: ThreadedRecorder | None = None
        self._packing: asyncio.Task[None] | None = None
        self._offered = ""  # token of the newest zip

    def begin(self, camera: str, engines: Sequence[str], *, video: bool) -> None:
        """Record from now on."""
        if self._packing is not None:
            self._problems.refuse("the last recording is still being packed; wait for it, then record again")
        elif self._recorder is None:
            try:
                self._recorder = self._store.begin(camera, engines, video=video)
            except SessionError as error:
                self._problems.refuse(str(error))
        self._queue.put(encode("recording", on=self._recorder is not None))

    def write(self, message: Published, *, moments: bool) -> None:
        """Add a message; with `moments` the pictures of an event that is over are asked for, and added."""
        if self._recorder is not None:
            self._recorder.write(message)
            if moments and isinstance(message, Event) and message.stage == "final":
                keep = partial(self._keep, self._recorder, message.id)
                self._asker.then(AskMoment(camera=message.camera, event=message.id), keep)

    def sent(self, picture: Picture) -> None:
        """Add a picture that went up, once its state comes."""
        if self._recorder is not None:
            self._recorder.sent(picture.number, picture.jpeg)

    def shown(self, shown: Shown) -> None:
        """Add a picture of the server's camera."""
        if self._recorder is not None:
            self._recorder.picture(shown.t, shown.frame, shown.jpeg)

    def end(self) -> None:
        """Record no more; the browser is told where the session can be had."""
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            self._queue.put(encode("recording", on=False))
            self._packing = asyncio.get_running_loop().create_task(self._pack(recorder))

    def discard(self) -> None:
        """Record no more, and keep nothing."""
        if self._recorder is not None:
            log.info("a recording of %d messages is thrown away: its visitor went", self._recorder.messages)
            self._recorder.discard()
            self._recorder = None

    def check(self) -> None:
        """End what cannot go on."""
        if self._recorder is not None and (why := self._recorder.stopped):
            self._problems.refuse(f"the recording ended: {why}")
            self.end()

    def _keep(self, recorder: ThreadedRecorder, event: int, answer: Answer) -> None:
        if isinstance(answer, MomentPictures) and self._recorder is recorder:
            recorder.moment(event, answer)

    async def _pack(self, recorder: ThreadedRecorder) -> None:
        try:
            self._store.withdraw(self._offered)
            self._offered = token = await self._store.finish(recorder)
            if recorder.left_out:
                log.warning("%d pictures were not recorded: the disk is too slow", recorder.left_out)
            url, counts = f"session/{token}.zip", {"messages": recorder.messages, "left_out": recorder.left_out}
            self._queue.put(encode("recorded", url=url, **counts))
        except SessionError as error:
            self._problems.refuse(str(error))
        finally:
            self._packing = None
