"""The shipped settings for networks of 32 px and four frames, an epoch of each training, and clips for them."""

import msgspec
import pytest

from train.methods.menet.config import EarlierEpochs
from train.registry import METHODS
from train.sources.source import Split, Vocabulary

replace = msgspec.structs.replace


@pytest.fixture
def recipe(recipe_of):
    once = EarlierEpochs(identity=1, motion=1)
    return recipe_of("menet", "smic-3", frames=4, width=4, epochs=1, before=once, dropout=0.0)


@pytest.fixture
def config(recipe):
    return recipe.method


@pytest.fixture
def collection(written):
    """Six clips: two of each of three people, and two of each class."""
    return written()


@pytest.fixture
def split(collection):
    """All of them to train on."""
    return Split(Vocabulary("smic-3", collection.labels), (collection.of(collection.ids(), 0.0),), [], ())


@pytest.fixture
def stages(config, split):
    """The three trainings: two jobs, and what makes the third."""
    return METHODS["menet"].stages(config, split, None, 1)
