"""What a camera makes of a moving face: exposure, noise, compression.

A frame is the mean of the picture over the open shutter, taken around the frame's time; where nothing moves one
picture is enough, and the faster anything moves the more are averaged. Noise has a part that grows with the light
(shot noise). "h264" predicts each frame from the one before as it was decoded and codes the rest in blocks of 8x8
cosines, which dead zones smear as H.264's do; it searches no motion and is no H.264.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from realtime.records import Floats, Frame, Image, Times
from train.config.clips import FilmCameras

Codec = Literal["none", "jpeg", "h264"]

CODECS: tuple[Codec, ...] = ("none", "jpeg", "h264")
STEP_PX, MOST_STEPS = 0.6, 8  # a picture more for each so many pixels that something moves during an exposure
KEY_S = 2.0  # every so often h264 begins anew
GRAIN = 2  # so many frames of noise are drawn once and read from changing places
SHOT = 0.5  # share of the noise's variance at full light that is shot noise


@dataclass(frozen=True, slots=True)
class SyntheticCamera:
    """One camera."""

    rate_hz: float
    open_share: float  #: of the time between frames that the shutter is open
    noise: float  #: standard deviation at full light, grey levels
    codec: Codec
    quality: int  #: of the compression, as JPEG counts it
    grey: bool  #: without colour, for portraits without it
    gamma: float  #: the picture's tones, as another exposure and white balance have them
    gains: tuple[float, float, float]

    @property
    def open_s(self) -> float:
        """How long an exposure lasts."""
        return self.open_share / self.rate_hz

    def times(self, seconds: float) -> Times:
        """The middle of each exposure."""
        return np.arange(max(round(seconds * self.rate_hz), 1)) / self.rate_hz


def draw(film: FilmCameras, rng: np.random.Generator, *, grey: bool) -> SyntheticCamera:
    """A camera within the bounds of a configuration."""
    rate = film.rates_hz[int(rng.integers(len(film.rates_hz)))]
    codec = CODECS[int(rng.integers(len(CODECS)))] if film.quality < 100 else "none"
    red, green, blue = rng.uniform(0.75, 1.1) * (1.0 + (0.0 if grey else 1.0) * rng.uniform(-0.06, 0.06, 3))
    return SyntheticCamera(
        rate_hz=rate,
        open_share=float(rng.uniform(*film.shutter)),
        noise=float(rng.uniform(0.0, film.noise)),
        codec=codec,
        quality=int(rng.integers(film.quality, 98)) if codec != "none" else 100,
        grey=grey,
        gamma=float(np.exp(rng.uniform(-0.3, 0.3))),
        gains=(float(red), float(green), float(blue)),
    )


def moments(times: Times, open_s: float, moved_px: Times) -> tuple[Times, list[int]]:
    """All moments at which pictures are taken, and how many make each frame; `moved_px` (T,) is in an exposure."""
    counts = [min(1 + int(moved / STEP_PX), MOST_STEPS) for moved in moved_px]
    parts = [t + open_s * ((np.arange(count) + 0.5) / count - 0.5) for t, count in zip(times, counts, strict=True)]
    return np.concatenate(parts), counts


def expose(
    pictures: Iterator[Image], counts: list[int], light: Times, camera: SyntheticCamera, rng: np.random.Generator
) -> Iterator[Frame]:
    """Frames stamped with exact times from 0. `pictures` are (S, S, 3), or (S, S) for a camera without colour."""
    coder, tones = _Coder(camera), _tones(camera)
    grain: Floats | None = None
    for index, (count, gain) in enumerate(zip(counts, light, strict=True)):
        mean = cv2.LUT(next(pictures), tones).astype(np.float32)
        for _ in range(count - 1):
            mean += cv2.LUT(next(pictures), tones)
        mean *= np.float32(gain / count)
        if grain is None:
            grain = rng.standard_normal(GRAIN * mean.size, dtype=np.float32)
        _add_noise(mean, camera, grain[int(rng.integers(grain.size - mean.size)) :][: mean.size])
        seen = coder.push(np.asarray(cv2.convertScaleAbs(np.maximum(mean, 0.0, out=mean)), np.uint8), index)
        image = cv2.merge([seen] * 3) if seen.ndim == 2 else seen
        yield Frame(np.asarray(image, np.uint8), index / camera.rate_hz, index, 0, 0.0)


def _tones(camera: SyntheticCamera) -> Image:
    """A table (1, 256, 3); of one channel for a camera without colour."""
    levels = np.linspace(0.0, 1.0, 256)[:, None] ** camera.gamma
    table = np.clip(255.0 * levels * np.array(camera.gains) + 0.5, 0, 255).astype(np.uint8)[None]
    return np.ascontiguousarray(table[..., 0]) if camera.grey else table


def _add_noise(mean: Floats, camera: SyntheticCamera, grain: Floats) -> None:
    size = np.sqrt((1.0 - SHOT) + (SHOT / np.float32(255)) * mean)
    mean += np.float32(camera.noise) * size * grain.reshape(mean.shape)


class _Coder:
    """Compression and its undoing."""

    def __init__(self, camera: SyntheticCamera) -> None:
        self._codec, self._quality = camera.codec, camera.quality
        self._every = max(round(KEY_S * camera.rate_hz), 1)
        self._last: Image | None = None

    def push(self, image: Image, index: int) -> Image:
        if self._codec == "none":
            return image
        if self._codec == "jpeg" or self._last is None or index % self._every == 0:
            self._last = self._through(image)
            return self._last
        rest = np.clip(image.astype(np.int16) - self._last + 128, 0, 255).astype(np.uint8)
        decoded = self._through(rest).astype(np.int16) - 128
        self._last = np.clip(self._last + decoded, 0, 255).astype(np.uint8)
        return self._last

    def _through(self, image: Image) -> Image:
        _, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return np.asarray(cv2.imdecode(coded, cv2.IMREAD_UNCHANGED), np.uint8)
