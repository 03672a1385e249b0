"""The shipped settings for a network of 32 px that begins from nothing, and macro-expressions that are at hand."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.labels import FERPLUS
from train.sources import stills

replace = msgspec.structs.replace


@pytest.fixture
def recipe(recipe_of):
    return recipe_of("microattention", "smic-3", macro=(), width=8)


@pytest.fixture
def config(recipe):
    return recipe.method


@pytest.fixture
def collection(written):
    """Six clips, two of each class."""
    return written()


@pytest.fixture
def faces(monkeypatch, tmp_path):
    """The file of FER+ in whose place 24 faces are, the brighter the happier; and how often they were cut."""
    path, asked = tmp_path / "ferplus.npz", []
    path.write_bytes(b"not read")

    def made(path, split, crop_px, size_px, cache, workers):
        asked.append((split, crop_px, size_px))
        happy = np.arange(24) % 2
        images = np.random.default_rng(1).integers(0, 60, (24, size_px, size_px)) + 180 * happy[:, None, None]
        return images.astype(np.uint8), SimpleNamespace(targets=np.eye(len(FERPLUS), dtype=np.float32)[happy])

    monkeypatch.setattr(stills, "ferplus_crops", made)
    return SimpleNamespace(path=str(path), asked=asked)


@pytest.fixture
def taught(config, faces):
    """`config` that begins with those faces."""
    places = replace(config.places, ferplus=faces.path)
    transfer = replace(config.transfer, epochs=1, optimiser=replace(config.transfer.optimiser, batch=8))
    return replace(config, macro=("ferplus",), places=places, transfer=transfer)
