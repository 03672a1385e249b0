"""Crops -> what the encoder makes of each, whatever happens in them; it has a rate of its own, below the camera's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from realtime.config import RecogniseConfig
from realtime.engine.engine import Engine
from realtime.engine.package.kind import require
from realtime.pace import Pace
from realtime.recognition.window import Encoded
from realtime.records import Crop, Floats
from realtime.representation.crop_images import CropImages

#: How early a crop may come, as a share of the time between two that are seen: cameras are never quite even.
EARLY = 0.3


def softmax(logits: Floats) -> Floats:
    """Probabilities (..., C) of logits (..., C)."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True), np.float32)


class Encoder:
    """Crops -> embeddings and still-expression probabilities."""

    def __init__(self, engine: Engine) -> None:
        self.manifest = engine.manifest
        self.labels: tuple[str, ...] = tuple(engine.manifest.labels)
        self._engine = engine
        self._pictures = require(CropImages, engine.manifest, "the encoder")

    def see(self, crops: Sequence[Crop]) -> list[Encoded]:
        """One result a crop; the faces of a frame go through together."""
        if not crops:
            return []
        found = self._engine.run(self._pictures.of_images([crop.image for crop in crops]))
        probabilities = softmax(found["logits"])
        return [Encoded(*each) for each in zip(found["embedding"], probabilities, strict=True)]


class PacedEncoder:
    """The encoder at a rate of its own, which may change while it looks; who is new is seen at once.

    All faces are seen with the same frames, so that they go through together.
    """

    def __init__(self, encoder: Encoder, rate_hz: float) -> None:
        self._encoder = encoder
        self._known: set[int] = set()  # faces of the frame before
        self.rate_hz = rate_hz

    @property
    def rate_hz(self) -> float:
        """Most crops of a face that are seen in a second."""
        return self._rate_hz

    @rate_hz.setter
    def rate_hz(self, rate_hz: float) -> None:
        self._rate_hz, self._pace = rate_hz, Pace(rate_hz, EARLY)

    def see(self, crops: Sequence[Crop]) -> dict[int, Encoded]:
        """By face, what the encoder makes of those of a frame's `crops` that are due."""
        all_due = bool(crops) and self._pace.allows(0, crops[0].t)
        due = [crop for crop in crops if all_due or crop.face not in self._known]
        self._known = {crop.face for crop in crops}
        return {crop.face: encoded for crop, encoded in zip(due, self._encoder.see(due), strict=True)}


class Smoothed:
    """A face's expression probabilities over time: the first form of the dynamic-expression output."""

    def __init__(self, config: RecogniseConfig) -> None:
        self._time_s = config.smooth_s
        self._t = 0.0
        self._value: Floats | None = None

    def push(self, t: float, probabilities: Floats) -> Floats:
        """Probabilities (C,) after a causal low-pass of `smooth_s`, from those of one frame, at `t`."""
        step, self._t = t - self._t, t
        if self._value is None or self._time_s == 0.0:
            self._value = probabilities
        else:
            self._value = self._value + (1.0 - np.float32(np.exp(-step / self._time_s))) * (probabilities - self._value)
        return self._value
