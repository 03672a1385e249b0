"""Whether this machine can carry one more camera of a visitor."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping

from realtime.schema.message import Meta, Published, State
from realtime.view.upstream.camera_names import is_browser_camera

#: Seconds of the wall clock over which states are counted.
OVER_S = 3.0
#: Of the time between two frames, what one takes from its arrival on: below it, the camera itself gives no more.
BUSY = 0.5


class Capacity:
    """`hear` all that is published; `why` says what speaks against one more, as long as somebody who is in gets less
    than `least_hz` frames a second for lack of time. 0 lets everybody in. Who has only just come says nothing yet.
    """

    def __init__(
        self, least_hz: float, newest: Mapping[str, Meta], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._least_hz, self._newest, self._clock = least_hz, newest, clock
        self._states: dict[str, deque[float]] = {}  # by camera, when each came
        self._since: dict[str, float] = {}

    def hear(self, message: Published) -> None:
        """Count the states of visitors' cameras."""
        if isinstance(message, State) and is_browser_camera(message.camera):
            now = self._clock()
            self._since.setdefault(message.camera, now)
            self._states.setdefault(message.camera, deque()).append(now)
            self._forget(now)

    def why(self) -> str:
        """Why one more camera would leave too little for those who are in, or ""."""
        now = self._clock()
        self._forget(now)
        known = [camera for camera in self._states if now - self._since[camera] >= OVER_S and self._is_busy(camera)]
        slowest = min((self._rate_hz(camera) for camera in known), default=self._least_hz)
        if slowest >= self._least_hz:
            return ""
        others = "one other camera is" if len(self._states) == 1 else f"{len(self._states)} other cameras are"
        return (
            f"{others} watched already, at {slowest:.0f} frames a second, and below {self._least_hz:g} (view.least_hz) "
            "brief expressions would be missed. Stay here: yours is watched once there is time for it."
        )

    def _rate_hz(self, camera: str) -> float:
        return len(self._states[camera]) / OVER_S

    def _is_busy(self, camera: str) -> bool:
        """Whether its frames wait for the machine, and not the machine for them."""
        meta = self._newest.get(camera)
        total = meta.latency_ms.get("total") if meta else None
        if meta is None or total is None:
            return False
        return bool(meta.left_out) or total.p50 / 1000 * self._rate_hz(camera) > BUSY

    def _forget(self, now: float) -> None:
        for camera, times in list(self._states.items()):
            while times and now - times[0] > OVER_S:
                times.popleft()
            if not times:
                del self._states[camera], self._since[camera]
