"""Filmed clips in which a spot changes, another for each class, and the shipped settings for them."""

import cv2
import msgspec
import numpy as np
import pytest

from realtime.labels import MEGC3, NONE
from train.datasets.annotation.sample import Sample
from train.methods.apexnet.config import PairAugment
from train.methods.apexnet.pairs import Filmed

SPOTS = {"negative": (-40, 10, 10), "positive": (40, 10, 10), "surprise": (40, 3, 40), NONE: (0, 1, 1)}  #: and sizes


def clip(label, person, number):
    """A second of a smooth face of 48 px at 20 Hz, of which a spot changes from 0.4 to 0.6 s and back."""
    knots = np.random.default_rng(person).uniform(80, 160, (6, 6, 3)).astype(np.float32)
    face, times = cv2.resize(knots, (48, 48), interpolation=cv2.INTER_CUBIC), np.arange(20) / 20
    change, height, width = SPOTS[label]
    spot = np.zeros((48, 48, 1))
    spot[20 : 20 + height, 4 : 4 + width] = change
    level = np.interp(times, [0.4, 0.6, 0.75], [0, 1, 0])[:, None, None, None]
    images = np.clip(face + level * spot, 0, 255).astype(np.uint8)
    return Filmed(Sample(f"{person}-{number}", f"p{person:02d}", label, 0.4, 0.6, 0.75), times, images)


@pytest.fixture(scope="session")
def clips():
    """Of 14 people, one of each class each."""
    return [clip(label, person, number) for person in range(14) for number, label in enumerate((*MEGC3, NONE))]


@pytest.fixture(scope="session")
def still():
    """Nothing is changed at random, but that half of the events are mirrored."""
    return PairAugment(**dict.fromkeys(PairAugment.__struct_fields__, 0.0))


@pytest.fixture
def config(recipe_of):
    """As shipped, with "none" as a class, for pictures of 48 px."""
    given = recipe_of("apexnet", rest=0.2, size_px=48, groups=2, dropout=0.0, epochs=1).method
    return msgspec.structs.replace(given, optimiser=msgspec.structs.replace(given.optimiser, batch=16, average=0.99))
