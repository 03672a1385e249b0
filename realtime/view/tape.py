"""The record button of one visitor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from realtime.errors import SessionError
from realtime.view.outgoing import Outgoing
from realtime.view.recording import Recording, Recordings
from realtime.view.spoken import Problem, told


class Tape:
    """At most one recording at a time, of which the browser is told through `outgoing`; off, nothing is written."""

    def __init__(self, recordings: Recordings, outgoing: Outgoing, complain: Callable[[Problem, str], None]) -> None:
        self._recordings, self._outgoing, self._complain = recordings, outgoing, complain
        self.recording: Recording | None = None  #: what goes on now
        self._packing: set[asyncio.Task[None]] = set()

    def begin(self, camera: str, engines: Sequence[str], *, video: bool) -> None:
        """Record from now on."""
        if self.recording is None:
            try:
                self.recording = self._recordings.begin(camera, engines, video=video)
            except SessionError as error:
                self._complain("refused", str(error))
        self._outgoing.put(told("recording", on=self.recording is not None))

    def end(self) -> None:
        """Record no more; the browser is told where the session can be had."""
        if self.recording is not None:
            recording, self.recording = self.recording, None
            self._outgoing.put(told("recording", on=False))
            task = asyncio.get_running_loop().create_task(self._pack(recording))
            self._packing.add(task)
            task.add_done_callback(self._packing.discard)

    def discard(self) -> None:
        """Record no more, and keep nothing."""
        if self.recording is not None:
            self.recording.discard()
            self.recording = None

    def check(self) -> None:
        """End what cannot go on."""
        if self.recording is not None and self.recording.stopped:
            self._complain("refused", f"the recording ended: {self.recording.stopped}")
            self.end()

    async def _pack(self, recording: Recording) -> None:
        try:
            token = await self._recordings.finish(recording)
            self._outgoing.put(told("recorded", url=f"session/{token}.zip", messages=recording.messages))
        except SessionError as error:
            self._complain("refused", str(error))
