"""Script + portrait -> frames: the puppet posed at every moment, then what a camera adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from realtime.faces.quality import eye_distance
from realtime.records import Floats, Frame, Image
from train.synthesis.sample.actions import displacement
from train.synthesis.sample.puppet import Puppet, turned
from train.synthesis.sample.script import Script


@dataclass(frozen=True, slots=True)
class SampleCamera:
    """The camera's own marks."""

    rate_hz: float
    noise: float  #: standard deviation of the sensor noise, grey levels
    flicker: float  #: standard deviation of the exposure, share of the brightness


def film(puppet: Puppet, script: Script, camera: SampleCamera, rng: np.random.Generator) -> Iterator[Frame]:
    """Frames of `script` played by `puppet`, stamped with exact times from 0."""
    for index in range(round(script.seconds * camera.rate_hz)):
        t = index / camera.rate_hz
        image = puppet.pose(*_shifts(puppet.points, script, t))
        yield Frame(_expose(image, camera, rng), t, index, 0, 0.0)


def _shifts(points: Floats, script: Script, t: float) -> tuple[Floats, Floats]:
    """Landmark shifts (468, 2) and the camera's view (2, 3) at `t`."""
    where = {name: wave.at(t) for name, wave in script.sway.items()}
    shift = displacement(points, script.amounts(t))
    shift = shift + turned(points, where.get("yaw", 0.0), where.get("pitch", 0.0), 0.0)
    centre = points[:, :2].mean(0)
    view: npt.NDArray[np.float64] = np.asarray(
        cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), where.get("roll", 0.0), 1.0), np.float64
    )
    view[:, 2] += np.array([where.get("x", 0.0), where.get("y", 0.0)]) * eye_distance(points[:, :2])
    return shift, view.astype(np.float32)


def _expose(image: Image, camera: SampleCamera, rng: np.random.Generator) -> Image:
    light = 1.0 + camera.flicker * rng.standard_normal()
    noise = camera.noise * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip(image * np.float32(light) + noise, 0, 255).astype(np.uint8)
