"""The sample stream: a public-domain portrait brought to life, with its truth beside it.

    python -m train sample

writes realtime/demo/data/sample.mp4 and sample.json. The portrait is NASA's of astronaut Eileen Collins, a work of
the United States government, as scikit-image carries it (`skimage.data.astronaut`). It is moved by hand-drawn action
units (`actions`, `puppet`, `film`), for which no model need be fetched; data sets are made by the 3-D head instead
(`facekit`).
"""

from __future__ import annotations

from pathlib import Path

import cv2
import msgspec
import numpy as np

from realtime import config
from realtime.engine.landmarker import open_landmarker
from realtime.records import Image
from train.synthesis.encode import encode
from train.synthesis.sample.film import SampleCamera, film
from train.synthesis.sample.puppet import Puppet
from train.synthesis.sample.script import Script, ScriptedMovement, blink
from train.synthesis.script.sway import sway

WIDTH, HEIGHT = 640, 360
LEFT, TOP, ENLARGE = 66, 24, 2  # the part of the portrait that is shown, its face then about 190 px wide
CAMERA = SampleCamera(rate_hz=60.0, noise=1.2, flicker=0.003)
SEED = 7


def script() -> Script:
    """Twenty-five seconds: seven micro-expressions of three classes, one smile, six blinks, a head that sways."""
    blinks = tuple(blink(at) for at in (2.2, 5.6, 9.3, 13.9, 18.4, 22.5))
    expressions = (
        _micro("surprise", {1: 0.5, 2: 0.5}, 4.0, 0.15, 0.22),
        _micro("negative", {4: 0.6, 7: 0.5}, 7.4, 0.12, 0.20),
        _micro("positive", {12: 0.35, 6: 0.3}, 10.7, 0.17, 0.23),
        _micro("negative", {15: 0.5, 17: 0.45}, 12.5, 0.13, 0.18),
        ScriptedMovement("macro", "positive", {12: 0.75, 6: 0.6, 25: 0.5}, 14.9, 15.6, 17.6, hold=1.1),
        _micro("surprise", {1: 0.5, 2: 0.5, 26: 0.25}, 19.7, 0.14, 0.24),
        _micro("negative", {9: 0.55, 10: 0.5}, 21.4, 0.11, 0.19),
        _micro("positive", {12: 0.4}, 23.7, 0.15, 0.22),
    )
    head = sway(np.random.default_rng(SEED), degrees=3.0, shift=0.06)
    return Script(25.0, tuple(sorted(blinks + expressions, key=lambda m: m.onset)), head)


def _micro(label: str, units: dict[int, float], onset: float, rise: float, fall: float) -> ScriptedMovement:
    return ScriptedMovement("micro", label, units, onset, round(onset + rise, 3), round(onset + rise + fall, 3))


def portrait() -> Image:
    """uint8 (360, 640, 3), RGB."""
    from skimage import data  # only this program needs it

    part = data.astronaut()[TOP : TOP + HEIGHT // ENLARGE, LEFT : LEFT + WIDTH // ENLARGE]
    return np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def build(folder: Path) -> None:
    """Write the stream and its truth into `folder`; DataError without ffmpeg."""
    image = portrait()
    landmarker = open_landmarker(config.load(), still=True)
    puppet = Puppet(image, landmarker.find(image, 1)[0])
    landmarker.close()
    folder.mkdir(parents=True, exist_ok=True)
    encode(film(puppet, script(), CAMERA, np.random.default_rng(SEED)), CAMERA.rate_hz, folder / "sample.mp4")
    (folder / "sample.json").write_bytes(msgspec.json.format(msgspec.json.encode(truth(script())), indent=1) + b"\n")


def truth(played: Script) -> dict[str, object]:
    """What happens when, for scoring; seconds on the stream's clock."""
    names = ("role", "label", "onset", "apex", "offset")
    events = [{name: getattr(movement, name) for name in names} for movement in played.movements]
    return {"rate_hz": CAMERA.rate_hz, "seconds": played.seconds, "events": events}
