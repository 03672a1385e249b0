"""How a camera gives its pictures: what is asked of it, what it grants, and what is said of the difference."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import cv2

from realtime.config import SourceConfig

log = logging.getLogger(__name__)

MJPG = "MJPG"
#: Many webcams give raw pictures no faster, however small.
RAW_HZ = 30.0
#: What USB 2 carries of one camera: 3 packets of 1024 bytes in each of 8000 microframes a second (USB 2.0, 5.9.1).
RAW_BYTES_S = 3 * 1024 * 8000
YUYV_BYTES = 2  # of a pixel, in the raw format that webcams have

_SLOWER = 0.95  # of the rate that was asked for; 59.94 is not slower than 60


@dataclass(frozen=True, slots=True)
class Mode:
    """Size in pixels, frames a second, and four letters such as MJPG or YUYV; "" is whatever the camera begins with."""

    format: str
    width: int
    height: int
    rate_hz: float

    def __str__(self) -> str:
        return f"{self.format or 'its own format'} {self.width}x{self.height} at {self.rate_hz:g} frames/s"


def wanted(config: SourceConfig) -> Mode:
    """What to ask for: compressed pictures where `source.format` says so, or where raw ones would be too slow."""
    compressed = config.format == "mjpg" or (config.format == "auto" and _raw_is_too_slow(config))
    return Mode(MJPG if compressed else "", config.width, config.height, config.rate_hz)


def _raw_is_too_slow(config: SourceConfig) -> bool:
    return config.rate_hz > RAW_HZ or YUYV_BYTES * config.width * config.height * config.rate_hz > RAW_BYTES_S


def granted(get: Callable[[int], float]) -> Mode:
    """What a driver states, by `get` of a capture's property; a rate may be nonsense, see `plausible`."""
    code = int(get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF  # -1 where a driver has none
    letters = code.to_bytes(4, "little").decode("latin-1")
    width, height = int(get(cv2.CAP_PROP_FRAME_WIDTH)), int(get(cv2.CAP_PROP_FRAME_HEIGHT))
    known = letters.isascii() and letters.isprintable()
    return Mode(letters if known else "an unknown format", width, height, get(cv2.CAP_PROP_FPS))


def plausible(stated_hz: float, otherwise_hz: float) -> float:
    """Drivers and containers state 0, NaN or their clock's rate when they do not know."""
    return stated_hz if 1.0 <= stated_hz <= 1000.0 else otherwise_hz


def tell(number: int, asked: Mode, given: Mode) -> None:
    """Log both, and warn where the pictures come slower than was asked."""
    log.info("camera %d: asked for %s, given %s", number, asked, given)
    if plausible(given.rate_hz, asked.rate_hz) < _SLOWER * asked.rate_hz:
        log.warning(
            "camera %d gives %g frames/s, not %g, as %s %dx%d; try source.format=%s, a smaller source.width and "
            "source.height, or more light", number, given.rate_hz, asked.rate_hz, given.format, given.width,
            given.height, "raw" if given.format == MJPG else "mjpg",
        )  # fmt: skip
