"""All recordings of the page: begun in a private folder, then offered under unguessable names for a while."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from realtime.config import Config
from realtime.view.recording.private_folder import make_folder
from realtime.view.recording.recorder import ThreadedRecorder

#: A zip that nobody took is removed after this long.
KEPT_S = 600.0
#: Zips by visitors, those who have gone included; beyond, the oldest is removed.
OFFERED_OF_ONE = 2


class RecordingStore:
    """Its folder is made with the first recording, and removed with the page or by the next one."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._folder: Path | None = None
        self._offered: dict[str, tuple[Path, float]] = {}  # by token, and until when

    def begin(self, camera: str, engines: Sequence[str], *, video: bool) -> ThreadedRecorder:
        """A new recording; SessionError where nothing can be written."""
        self._folder = self._folder or make_folder()
        folder = self._folder / f"glimpse-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        return ThreadedRecorder(folder, self._config, camera, engines, video=video)

    async def finish(self, recorder: ThreadedRecorder) -> str:
        """End a recording; the token that its zip is served under comes back."""
        token = secrets.token_urlsafe(32)
        path = recorder.folder.with_name(f"{token}.zip")
        await recorder.finish(path)
        self._offered[token] = (path, self._clock() + KEPT_S)
        while len(self._offered) > OFFERED_OF_ONE * self._config.view.visitors:  # of visitors who come again and again
            self.withdraw(next(iter(self._offered)))
        return token

    def offered(self, token: str) -> Path | None:
        """The zip of this token, while there is one."""
        path, until = self._offered.get(token, (None, 0.0))
        return path if self._clock() < until else None

    def withdraw(self, token: str) -> None:
        """Remove the zip of this token, if it is still there."""
        if token in self._offered:
            self._offered.pop(token)[0].unlink(missing_ok=True)

    def check(self) -> None:
        """Remove what was offered long enough."""
        for token in [token for token in self._offered if not self.offered(token)]:
            self.withdraw(token)

    def close(self) -> None:
        """Remove everything."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
