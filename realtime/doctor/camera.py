"""The camera: which there are, what this one gives, and the light in its pictures."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

import numpy as np

from realtime.capture import nodes
from realtime.capture.source import open_source
from realtime.capture.url import masked
from realtime.config import SourceConfig
from realtime.doctor.finding import Finding
from realtime.errors import SourceError
from realtime.faces.quality import BRIGHT, DARK
from realtime.schema.message import shortest_event_s

#: A driver that hangs is waited for so long: OpenCV gives up after 10 s, and a stream has as long to open.
PATIENCE_S = 15.0
#: Of the rate that was asked for; 59.94 is not slower than 60, and a second is short to measure in.
SLOWER = 0.9
#: Pixels: in a narrower picture a face that is not close is smaller than any movement can be seen in.
NARROW_PX = 320
#: Grey of 255: a lens that is covered, or a camera that gives nothing.
BLACK = 6.0


@dataclass(frozen=True, slots=True)
class Look:
    """What a source gave: `size` in pixels, frames and those lost among them, over `seconds` of its own clock."""

    size: tuple[int, int] = (0, 0)
    frames: int = 0
    lost: int = 0
    seconds: float = 0.0
    grey: float = 0.0  #: mean of the last picture, 0 to 255
    error: str = ""  #: why no picture came

    @property
    def rate_hz(self) -> float:
        """Frames a second as they came; 0 of fewer than two."""
        return (self.frames - 1) / self.seconds if self.frames > 1 and self.seconds > 0 else 0.0


def camera(spec: str, config: SourceConfig, seconds: float, *, watched: bool) -> list[Finding]:
    """Findings on the source `spec`, looked at for `seconds`; `watched` says that a Glimpse at work may have it."""
    look = looked(spec, config, seconds)
    found = judge_camera(masked(spec), nodes.listed(), look, config.rate_hz, watched=watched)
    return [found, *([judge_light(look.grey)] if look.frames else [])]


def looked(spec: str, config: SourceConfig, seconds: float, patience_s: float = PATIENCE_S) -> Look:
    """What `spec` gives within `seconds` from its first picture on; it is waited for no longer than `patience_s`."""
    found = [Look(error=f"it opens, but gives no picture within {patience_s:g} s: unplug it, or restart the stream")]
    came, enough = threading.Event(), threading.Event()

    def watch() -> None:
        try:
            source = open_source(spec, config, fast=False)
        except SourceError as error:
            found[0] = Look(error=str(error))
            came.set()
            return
        until, first = 0.0, 0.0
        try:
            for frame in source.frames():
                if not found[0].frames:
                    until, first = time.monotonic() + seconds, frame.t
                size = (frame.image.shape[1], frame.image.shape[0])
                look = found[0]
                found[0] = replace(
                    look, size=size, frames=look.frames + 1, lost=look.lost + frame.gap, seconds=frame.t - first,
                    grey=float(np.mean(frame.image[::4, ::4])), error="",
                )  # fmt: skip
                came.set()
                if time.monotonic() >= until or enough.is_set():
                    break
        except SourceError as error:
            found[0] = replace(found[0], error=found[0].error and str(error))
        finally:
            source.close()
            came.set()
            enough.set()

    threading.Thread(target=watch, name="doctor-camera", daemon=True).start()  # which no driver that hangs holds up
    if came.wait(patience_s) and found[0].frames:
        enough.wait(seconds + patience_s)
    enough.set()
    return found[0]


def judge_camera(name: str, there: str, look: Look, asked_hz: float, *, watched: bool) -> Finding:
    """`there` are the cameras that the system lists; `asked_hz` is what was asked of this one."""
    if look.error and watched:
        return Finding("camera", "ok", f"{name} is not to be had while the Glimpse that runs here watches")
    if look.error:
        return Finding("camera", "stop", f"{name}: {look.error}", "or --source none, for cameras of browsers alone")
    width, height = look.size
    lost = f", {look.lost} lost among them" if look.lost else ""
    shown = f"{name} gives {width}x{height} at {look.rate_hz:.1f} frames/s{lost}; cameras here: {there}"
    if width < NARROW_PX:
        return Finding("camera", "look", shown, f"set source.width to {NARROW_PX} or more")
    if 0.0 < look.rate_hz < SLOWER * asked_hz:
        least = 1e3 * (shortest_event_s(look.rate_hz) or 0.0)
        todo = f"nothing shorter than {least:.0f} ms is told; try more light, source.format=mjpg, or a smaller picture"
        return Finding("camera", "look", f"{shown}; asked for {asked_hz:g}", todo)
    return Finding("camera", "ok", shown)


def judge_light(grey: float) -> Finding:
    """Of the mean grey of a picture, by what is asked of a face."""
    shown = f"mean grey {grey:.0f} of 255"
    if grey < BLACK:
        return Finding("light", "look", f"{shown}, as good as black", "uncover the lens, or choose another camera")
    if grey < DARK:
        return Finding(
            "light", "look", f"{shown}, dark", "light the face from the front: a dark camera is a slow one too"
        )
    if grey > BRIGHT:
        return Finding("light", "look", f"{shown}, too bright", "turn the camera from the window, or dim the lamp")
    return Finding("light", "ok", shown)
