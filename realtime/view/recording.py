"""What a visitor records: a session in a private folder, then a zip under an unguessable name, then nothing."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import psutil

from realtime.config import ROOT, Config
from realtime.engine.package.manifest import MANIFEST
from realtime.errors import SessionError
from realtime.schema.message import MomentPictures, Published, State
from realtime.session import Recorder, archive, layout

log = logging.getLogger(__name__)

#: A zip that nobody took is removed after this long.
KEPT_S = 600.0
#: Zips by visitors, those who have gone included; beyond, the oldest is removed.
OFFERED_OF_ONE = 2
#: A longer recording is ended, lest a forgotten page fills the disk.
LONGEST_S = 1800.0
#: Pictures on their way to the recogniser and back; more were left out there.
IN_FLIGHT = 8
#: What a slow disk may be behind by: then pictures are left out, and at last the recording ends.
WAITING, MOST_WAITING = 60, 2000
PREFIX = "glimpse-page-"


class Recording:
    """A session of one camera while it goes on; everything is written by a thread of its own, in order.

    The session calls the camera `camera`: the name on the wire tells where other programs find it.
    """

    def __init__(self, folder: Path, config: Config, camera: str, engines: Sequence[str], *, video: bool) -> None:
        self.messages = 0
        self.left_out = 0  #: pictures that the disk had no time for
        self.began = time.monotonic()
        self._camera, self._video = camera, video
        self._most_bytes = 1_000_000 * config.view.longest_recording_mb
        self._moments_bytes = self._given = self._done = 0
        self._flying: dict[int, bytes] = {}
        self._folder = folder
        self._recorder = Recorder(folder, _shared(config, camera), _packages(config, engines), video=video)
        self._thread = ThreadPoolExecutor(1, "page-record")

    @property
    def stopped(self) -> str:
        """Why nothing is written any more, empty while all is well."""
        if self._recorder.stopped:
            return self._recorder.stopped
        if time.monotonic() - self.began > LONGEST_S:
            return f"a recording ends after {LONGEST_S / 60:.0f} minutes"
        if self._bytes() > self._most_bytes:
            return f"a recording ends at {self._most_bytes / 1e6:g} MB (view.longest_recording_mb)"
        return "the disk is too slow for it" if self._waiting > MOST_WAITING else ""

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
        if self._video and self._waiting < WAITING:
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

    @property
    def _waiting(self) -> int:
        return self._given - self._done

    def _submit(self, write: Callable[..., None], *what: Any) -> None:
        self._given += 1
        self._thread.submit(self._do, write, *what)

    def _do(self, write: Callable[..., None], *what: Any) -> None:
        self._done += 1
        write(*what)

    def _bytes(self) -> int:
        files = [self._folder / name for name in (layout.MESSAGES, layout.PICTURES)]
        return self._moments_bytes + sum(file.stat().st_size for file in files if file.exists())

    def _pack(self, target: Path) -> None:
        self._recorder.close()
        archive(self._folder, target)

    def _remove(self) -> None:
        self._recorder.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Recordings:
    """All recordings of this page. Its folder is made with the first, and removed with the page or by the next one."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._folder: Path | None = None
        self._offered: dict[str, tuple[Path, float]] = {}  # by token, and until when

    def begin(self, camera: str, engines: Sequence[str], *, video: bool) -> Recording:
        """A new recording; SessionError where nothing can be written."""
        try:
            self._folder = self._folder or Path(tempfile.mkdtemp(prefix=_own_prefix()))  # mode 0700
        except OSError as error:
            raise SessionError(f"no temporary folder can be made: {error}; make room, or set TMPDIR") from None
        folder = self._folder / f"glimpse-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        return Recording(folder, self._config, camera, engines, video=video)

    async def finish(self, recording: Recording) -> str:
        """End `recording`; the token that its zip is served under comes back."""
        assert self._folder is not None
        token = secrets.token_urlsafe(32)
        target = self._folder / f"{token}.zip"
        await recording.finish(target)
        self._offered[token] = (target, self._clock() + KEPT_S)
        while len(self._offered) > OFFERED_OF_ONE * self._config.view.visitors:  # of visitors who come again and again
            self.withdraw(next(iter(self._offered)))
        return token

    def offered(self, token: str) -> Path | None:
        """The zip of this token, while there is one."""
        found = self._offered.get(token)
        return found[0] if found is not None and self._clock() < found[1] else None

    def withdraw(self, token: str) -> None:
        """Remove the zip of this token, if it is still there."""
        if token in self._offered:
            self._offered.pop(token)[0].unlink(missing_ok=True)

    def check(self) -> None:
        """Remove what was offered long enough."""
        for token, (_, until) in list(self._offered.items()):
            if self._clock() >= until:
                self.withdraw(token)

    def close(self) -> None:
        """Remove everything."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def sweep() -> None:
    """Remove what a page that was killed could not."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if not folder.is_symlink() and _abandoned(folder.name):
            log.warning("removing the recordings that a page left behind when it was killed: %s", folder)
            shutil.rmtree(folder, ignore_errors=True)


def _own_prefix() -> str:
    """Names the process beyond doubt: numbers are given again, but not at the same second."""
    process = psutil.Process()
    return f"{PREFIX}{process.pid}-{process.create_time():.0f}-"


def _abandoned(name: str) -> bool:
    number, began, *_ = [*name.removeprefix(PREFIX).split("-"), "", ""]
    if not (number.isdecimal() and began.isdecimal()):
        return False
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(began)) > 1.0)
    except psutil.NoSuchProcess:
        return True


def _packages(config: Config, engines: Sequence[str]) -> list[Path]:
    """Folders of those engines that are at hand here; the recogniser may run elsewhere."""
    folders = [ROOT / config.engines.folder / name for name in engines]
    return [folder for folder in folders if (folder / MANIFEST).is_file()]


def _shared(config: Config, camera: str) -> Config:
    """The configuration without where this machine keeps its secrets: the visitor takes it along."""
    replace = msgspec.structs.replace
    return replace(
        config,
        publish=replace(config.publish, camera=camera, keys=""),
        view=replace(config.view, certificate="", private_key=""),
    )
