"""Roles as the encoder sees them: filmed and embedded once, read again."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.engine.package.manifest import MODEL
from realtime.errors import DataError, EngineError
from realtime.representation.crop_images import CropImages
from train.config.clips import EnactedSettings
from train.methods.dynamic import enactments
from train.methods.dynamic.enactments import MANNERS, filmed
from train.registry import METHODS
from train.sources.enacted import EnactedSource
from train.synthesis.script.emotions import EMOTIONS, LABELS, NEUTRAL

replace = msgspec.structs.replace
DYNAMIC = METHODS["dynamic"]


class Encoder:
    """Crops -> what eight strips of them have in the mean, twice as an embedding."""

    manifest = SimpleNamespace(
        name="encoder", files={MODEL: "a" * 64}, representation=CropImages(48, 32, (0.5,) * 3, (0.25,) * 3)
    )

    def run(self, inputs):
        logits = inputs["images"].mean(1).reshape(len(inputs["images"]), 8, -1).mean(2)
        return {"embedding": np.concatenate([logits, logits**2], 1), "logits": logits}


@pytest.fixture
def config(recipe_of):
    return recipe_of("dynamic", "enacted").method


@pytest.fixture
def source(enactment, facekit_path, tmp_path, finds, monkeypatch):
    """Clips that are quickly made, by neither mediapipe nor OpenVINO."""
    monkeypatch.setattr(enactments, "opened", lambda config: Encoder())
    monkeypatch.setattr(enactments, "package", lambda config: Encoder.manifest)
    monkeypatch.setattr(enactments, "open_landmarker", lambda stages: finds())
    few = replace(enactment, head=facekit_path, expressive=1)
    return EnactedSource(EnactedSettings(set="", clips=few), tmp_path)


def test_clips_are_embedded_once_and_read_again(config, source, monkeypatch):
    split = DYNAMIC.see(config, source, source.whole(), 1)
    (train,) = split.train
    assert train.embeddings.shape == (14, 5, 16)
    assert train.logits.shape == (14, 5, 8)
    assert bool((train.moments.diff(dim=1) > 0).all())
    assert DYNAMIC.labels(train)[:6] == list(EMOTIONS)
    assert [MANNERS[k] for k in train.manners] == ["backward"] * 6 + [
        "still" if label == NEUTRAL else "forward" for label in (*LABELS, NEUTRAL)
    ]
    monkeypatch.setattr(enactments, "run", lambda *_: pytest.fail("all clips are there already"))
    again = DYNAMIC.see(config, source, source.whole(), 1)
    assert again.test[0].embeddings.equal(split.test[0].embeddings)


def test_half_of_what_calibrates_and_of_what_is_tested_fades_and_nothing_that_is_trained_on(config, source):
    split = DYNAMIC.see(config, source, source.whole(), 1)
    for clips, share in ((split.train[0], 0.0), (split.calibration, 0.5), (split.test[0], 0.5)):
        assert float((clips.manners == MANNERS.index("fade")).float().mean()) == share


def test_another_encoder_or_precision_sees_the_clips_anew(config, source, monkeypatch):
    cast = source.split(source.whole()).test[0]
    folders = [enactments._folder(config, cast), enactments._folder(replace(config, precision="bf16"), cast)]
    other = SimpleNamespace(files={MODEL: "b" * 64})
    monkeypatch.setattr(enactments, "package", lambda config: other)
    folders.append(enactments._folder(config, cast))
    assert len(set(folders)) == 3


def test_an_encoder_of_other_crops_is_refused(config, source):
    clips = replace(source.settings.clips, size_px=128)
    other = EnactedSource(EnactedSettings(set="", clips=clips), source.cache)
    with pytest.raises(EngineError, match=r"crops of 128 px"):
        filmed(config, other.split(other.whole()).test[0], 1)


def test_pictures_without_a_face_are_an_error_that_counts_them(config, source, finds, monkeypatch):
    monkeypatch.setattr(enactments, "open_landmarker", lambda stages: finds(none=True))
    with pytest.raises(DataError, match="no face is found in any of 8 pictures"):
        filmed(config, source.split(source.whole()).train[0], 1)
