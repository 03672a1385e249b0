"""A session that a visitor records, while it goes on."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from realtime.config import ROOT, Config
from realtime.engine.package.manifest import MANIFEST
from realtime.schema.message import MomentPictures, Published, State
from realtime.session import Recorder, archive, layout

#: A longer recording is ended, lest a forgotten page fills the disk.
LONGEST_S = 1800.0
#: Pictures on their way to the recogniser and back; more were left out there.
IN_FLIGHT = 8
#: What a slow disk may be behind by: then pictures are left out, and at last the recording ends.
WAITING, MOST_WAITING = 60, 2000


class ThreadedRecorder:
    """Writes a session of one camera into `folder`, all by a thread of its own, in order.

    The session calls the camera `camera`: the name on the wire tells where other programs find it.
    """

    def __init__(self, folder: Path, config: Config, camera: str, engines: Sequence[str], *, video: bool) -> None:
        self.folder = folder
        self.messages = 0
        self.left_out = 0  #: pictures that the disk had no time for
        self._camera, self._video = camera, video
        self._most_bytes = 1_000_000 * config.view.longest_recording_mb
        self._moments_bytes = 0
        self._flying: dict[int, bytes] = {}
        self._waiting: set[Future[None]] = set()  # writes that the disk has not done yet
        self._began = time.monotonic()
        self._recorder = Recorder(folder, _shared(config, camera), _packages(config, engines), video=video)
        self._thread = ThreadPoolExecutor(1, "page-record")

    @property
    def stopped(self) -> str:
        """Why nothing is written any more, empty while all is well."""
        if self._recorder.stopped:
            return self._recorder.stopped
        if time.monotonic() - self._began > LONGEST_S:
            return f"a recording ends after {LONGEST_S / 60:.0f} minutes"
        if self._bytes() > self._most_bytes:
            return f"a recording ends at {self._most_bytes / 1e6:g} MB (view.longest_recording_mb)"
        return "the disk is too slow for it" if len(self._waiting) > MOST_WAITING else ""

    def write(self, message: Published) -> None:
        """Add a message; the picture that a state is about is added with it, if it was sent."""
        self.messages += 1
        self._submit(self._recorder.write, msgspec.structs.replace(message, camera=self._camera))
        if isinstance(message, State) and (jpeg := self._flying.pop(message.frame, None)) is not None:
            self.picture(message.t, message.frame, jpeg)

    def sent(self, number: int, jpeg: bytes) -> None:
        """A picture went up; it is kept until its state comes, whose clock the session runs by."""
        if self._video:
            self._flying[number] = jpeg
            while len(self._flying) > IN_FLIGHT:
                del self._flying[next(iter(self._flying))]

    def picture(self, t: float, frame: int, jpeg: bytes) -> None:
        """Add a picture, if pictures are wanted and the disk has time."""
        if self._video and len(self._waiting) < WAITING:
            self._submit(self._recorder.picture, t, frame, jpeg)
        elif self._video:
            self.left_out += 1

    def moment(self, event: int, pictures: MomentPictures) -> None:
        """Add the pictures of an event."""
        self._moments_bytes += sum(map(len, (pictures.onset, pictures.apex, pictures.exaggerated)))
        self._submit(self._recorder.moment, event, pictures)

    async def finish(self, target: Path) -> None:
        """End, and pack the session into `target`; SessionError where that cannot be."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._pack, target)
        finally:
            self.discard()

    def discard(self) -> None:
        """End, and leave nothing behind."""
        self._thread.submit(self._remove)
        self._thread.shutdown(wait=False)

    def _submit(self, write: Callable[..., None], *what: Any) -> None:
        future = self._thread.submit(write, *what)
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)

    def _bytes(self) -> int:
        files = [self.folder / name for name in (layout.MESSAGES, layout.PICTURES)]
        return self._moments_bytes + sum(file.stat().st_size for file in files if file.exists())

    def _pack(self, target: Path) -> None:
        self._recorder.close()
        archive(self.folder, target)

    def _remove(self) -> None:
        self._recorder.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _packages(config: Config, engines: Sequence[str]) -> list[Path]:
    """Folders of those engines that are at hand here; the recogniser may run elsewhere."""
    folders = [ROOT / config.engines.folder / name for name in engines]
    return [folder for folder in folders if (folder / MANIFEST).is_file()]


def _shared(config: Config, camera: str) -> Config:
    """The configuration without where this machine keeps its secrets: the visitor takes it along."""
    replace = msgspec.structs.replace
    return replace(
        config,
        publish=replace(config.publish, camera=camera, keys="", private=""),
        view=replace(config.view, certificate="", private_key=""),
    )
