"""Faces in which a place brightens, an encoder that sees it, and the method on them as if they were stored."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import torch

from realtime.config import ROOT
from realtime.engine.package.manifest import EMBEDDING, MODEL, TensorSpec
from realtime.labels import MEGC3
from realtime.representation.crop_images import CropImages
from train import registry
from train.clips.clip import ClipCrops
from train.clips.movement.fields import MovingClip
from train.datasets.annotation.sample import Sample
from train.methods.cmn import method
from train.methods.experiment import Experiment

PICTURES = CropImages(crop_px=16, size_px=16, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
PLACES = {"negative": (2, 2), "positive": (9, 9), "surprise": (2, 9)}  #: where the crop brightens
RECIPE = [ROOT / "configs/methods/cmn.toml", ROOT / "configs/data/synthetic.toml"]
WIDTH = 24


class Encoder:
    """A fixed random layer over 4x4 blocks of the crop; its hash repeats the first letter of its folder's name."""

    precision, backend = "f32", "none"

    def __init__(self, folder):
        embedding = TensorSpec(name=EMBEDDING, shape=(-1, WIDTH), dtype="float32", layout="NC")
        name = Path(folder).name
        self.manifest = SimpleNamespace(
            name=name, files={MODEL: name[0] * 64}, representation=PICTURES, outputs=(embedding,)
        )
        self.weights = np.random.default_rng(0).standard_normal((48, WIDTH)).astype(np.float32)

    def run(self, inputs):
        x = inputs["images"]
        blocks = x.reshape(len(x), 3, 4, 4, 4, 4).mean((3, 5)).reshape(len(x), -1)
        return {"embedding": np.maximum(blocks @ self.weights, 0), "logits": blocks[:, :8]}


@dataclass(frozen=True, eq=False)
class AtHand:
    """A stored clip that is in memory."""

    sample: Sample
    moments: np.ndarray
    pictures: list

    @property
    def named(self):
        return self.sample

    def times(self):
        return self.moments

    def crops(self):
        return np.stack(self.pictures)

    def cut(self, around_s=0.0):
        inside = np.abs(self.moments - np.clip(self.moments, self.sample.onset_s, self.sample.offset_s)) <= around_s
        return ClipCrops(self.sample, self.moments[inside], [self.pictures[row] for row in np.flatnonzero(inside)])


def clip(person, number, frames=36, rate=60.0):
    """A face of its own in which one place brightens from onset to apex and fades until the offset."""
    rng = np.random.default_rng((person, number))
    face = np.random.default_rng(person).uniform(60, 160, (16, 16, 3))
    label = MEGC3[number % 3]
    onset = 0.1 + rng.uniform(0, 0.05)
    apex, offset = onset + rng.uniform(0.1, 0.2), onset + rng.uniform(0.3, 0.4)
    times = np.arange(frames) / rate
    row, column = PLACES[label]
    crops = []
    for intensity in np.interp(times, [onset, apex, offset], [0, 1, 0]):
        picture = face + rng.normal(0, 2, face.shape)
        picture[row : row + 5, column : column + 5] += 45 * intensity
        crops.append(np.clip(picture, 0, 255).astype(np.uint8))
    return AtHand(Sample(f"p{person}-{number}", f"p{person}", label, onset, apex, offset), times, crops)


def moving(clips, workers=None):
    """All places move as the clip's number says."""
    return [
        MovingClip(each.sample, each.times(), np.full((len(each.times()), 2, 28, 28), number / 1000, np.float16))
        for number, each in enumerate(clips, 1)
    ]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Also for what a module trains once."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def encoder():
    return Encoder("engines/encoder")


@pytest.fixture(scope="session")
def clips():
    return [clip(person, number) for person in range(14) for number in range(6)]


@pytest.fixture(scope="session")
def shipped():
    """The shipped recipe without motion, of every frame, and with other settings by their names."""
    given = registry.load(RECIPE, ["motion.cells=0", "encoder_hz=0"])
    return lambda **changes: replace(given, method=msgspec.structs.replace(given.method, **changes))


@pytest.fixture(scope="module")
def at_hand():
    """The encoder, and clips that are in memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(method, "open_encoder", Encoder)
        patch.setattr(method, "load", lambda folder: Encoder(folder).manifest)
        patch.setattr(method, "moving", moving)
        yield


@pytest.fixture(scope="module")
def experiment(at_hand, clips, shipped, given_clips, tmp_path_factory):
    """A short training of the clips, to be done, its files under a folder of the module's own."""
    folder = tmp_path_factory.mktemp("cmn")

    def make(**changes):
        files = {"cache": str(folder / "cache"), "runs": str(folder / "runs")}
        recipe = shipped(**(files | {"epochs": 12} | changes))
        return Experiment(registry.METHODS["cmn"], recipe, given_clips(clips, MEGC3, name="megc-3"))

    return make
