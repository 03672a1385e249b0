"""A live camera or stream as a Source: frames are stamped at once, losses counted, and a lost one is looked for again.

Nothing here knows cv2: `device` opens it, tests play one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol

from realtime.config import SourceConfig
from realtime.errors import SourceError, SourceLost
from realtime.records import Frame, Image

log = logging.getLogger(__name__)

_LATE = 1.5  # frame intervals between two grabs from which on frames must have been lost between them
_JOIN_S = 2.0  # a driver that hangs keeps its thread for longer; the process may end all the same


class Device(Protocol):
    """An open camera."""

    rate_hz: float

    def grab(self) -> bool:
        """Wait for the next picture and keep it; False when none comes any more."""

    def picture(self) -> Image | None:
        """What was grabbed, uint8 (H, W, 3), RGB; None when it is damaged."""

    def close(self) -> None:
        """Give the camera back."""


class Camera:
    """Source of a device that `open_device` opens, or refuses with SourceError; `t` is 0 at the first frame given out.

    The newest `queue_frames` wait for the consumer. Frames lost in the queue, before the grab (seen by
    the time between two stamps, where that is above `burst_s`) or while the camera was away are counted in the next
    one's `gap`. `name` is what messages call it.
    """

    live = True

    def __init__(
        self,
        name: str,
        config: SourceConfig,
        open_device: Callable[[], Device],
        *,
        burst_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._name, self._config, self._burst_s = name, config, burst_s
        self._open, self._clock = open_device, clock
        self._closed = threading.Event()
        self._sleep = sleep or self._closed.wait  # which `close` interrupts
        self._arrived = threading.Condition()
        self._queue: deque[tuple[Image, float, int]] = deque(maxlen=config.queue_frames)
        self._number, self._stamp = 0, clock()
        self.dropped = 0
        self._ended = False
        device = open_device()
        self.rate_hz = device.rate_hz
        if not self._take(device) or not self._queue:
            device.close()
            raise SourceError(f"camera {name} opens but gives no picture; close other programs that use it")
        self._thread = threading.Thread(target=self._run, args=(device,), name=f"camera {name}", daemon=True)
        self._thread.start()

    def frames(self) -> Iterator[Frame]:
        with self._arrived:
            self._queue.clear()  # grabbed before anybody asked: stale by now
            self.dropped = 0
        return self._deliver()

    def close(self) -> None:
        if self._closed.is_set():
            return  # nor waits again for a driver that hangs
        self._closed.set()
        with self._arrived:
            self._arrived.notify_all()
        self._thread.join(_JOIN_S)

    def _deliver(self) -> Iterator[Frame]:
        start: float | None = None
        first = last = 0
        while (item := self._next()) is not None:
            image, stamp, number = item
            if start is None:
                start, first, last = stamp, number, number - 1
            yield Frame(image, stamp - start, number - first, gap=number - last - 1, grabbed=stamp)
            last = number

    def _next(self) -> tuple[Image, float, int] | None:
        """The oldest frame that waits; None once closed."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue or self._ended or self._closed.is_set())
            if self._closed.is_set():
                return None
            if not self._queue:
                raise SourceLost(f"camera {self._name} can no longer be read, for the reason logged; start again")
            return self._queue.popleft()

    def _run(self, device: Device) -> None:
        """The thread: take frames, reopen what is lost, until closed."""
        current: Device | None = device
        pause = self._config.reopen_first_s
        try:
            while not self._closed.is_set():
                if current is not None and self._take(current):
                    pause = self._config.reopen_first_s
                else:
                    current = self._reopen(current, pause)
                    pause = min(2.0 * pause, self._config.reopen_most_s)
        finally:
            if current is not None:
                current.close()
            with self._arrived:
                self._ended = True
                self._arrived.notify_all()

    def _reopen(self, device: Device | None, pause_s: float) -> Device | None:
        log.warning("camera %s is lost; it is tried again in %.1f s", self._name, pause_s)
        if device is not None:
            device.close()
        self._sleep(pause_s)
        if self._closed.is_set():
            return None
        try:
            return self._open()
        except SourceError:
            return None  # still away: the next pause is longer

    def _take(self, device: Device) -> bool:
        """Queue the device's next frame; a damaged one is left out and so becomes part of a gap."""
        if not device.grab():
            return False
        stamp = self._clock()  # before the decoding, which takes milliseconds
        image = device.picture()
        if image is not None:
            late_s = stamp - self._stamp
            intervals = late_s * self.rate_hz
            lost = round(intervals) - 1 if intervals > _LATE and late_s > self._burst_s else 0
            with self._arrived:
                self._number, self._stamp = self._number + 1 + lost, stamp
                self.dropped += len(self._queue) == self._config.queue_frames
                self._queue.append((image, stamp, self._number))  # a full queue drops its oldest
                self._arrived.notify_all()
        return True
