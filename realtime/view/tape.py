"""The record button of one visitor."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from realtime.errors import SessionError
from realtime.view.outgoing import Outgoing
from realtime.view.recording import Recording, Recordings
from realtime.view.spoken import Problem, told

log = logging.getLogger(__name__)


class Tape:
    """At most one recording at a time, and one zip, of which the browser is told through `outgoing`.

    While it is off nothing is written.
    """

    def __init__(self, recordings: Recordings, outgoing: Outgoing, complain: Callable[[Problem, str], None]) -> None:
        self._recordings, self._outgoing, self._complain = recordings, outgoing, complain
        self.recording: Recording | None = None  #: what goes on now
        self._packing: asyncio.Task[None] | None = None
        self._offered = ""  # token of the newest zip

    def begin(self, camera: str, engines: Sequence[str], *, video: bool) -> None:
        """Record from now on."""
        if self._packing is not None:
            self._complain("refused", "the last recording is still being packed; wait for it, then record again")
        elif self.recording is None:
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
            self._packing = asyncio.get_running_loop().create_task(self._pack(recording))

    def discard(self) -> None:
        """Record no more, and keep nothing."""
        if self.recording is not None:
            log.info("a recording of %d messages is thrown away: its visitor went", self.recording.messages)
            self.recording.discard()
            self.recording = None

    def check(self) -> None:
        """End what cannot go on."""
        if self.recording is not None and self.recording.stopped:
            self._complain("refused", f"the recording ended: {self.recording.stopped}")
            self.end()

    async def _pack(self, recording: Recording) -> None:
        try:
            self._recordings.withdraw(self._offered)
            self._offered = token = await self._recordings.finish(recording)
            if recording.left_out:
                log.warning("%d pictures were not recorded: the disk is too slow", recording.left_out)
            url, counts = f"session/{token}.zip", {"messages": recording.messages, "left_out": recording.left_out}
            self._outgoing.put(told("recorded", url=url, **counts))
        except SessionError as error:
            self._complain("refused", str(error))
        finally:
            self._packing = None
