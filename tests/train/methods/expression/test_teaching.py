from types import SimpleNamespace

import numpy as np
import pytest

from realtime.engine.package.manifest import MODEL
from realtime.errors import EngineError
from realtime.labels import FERPLUS
from realtime.representation.crop_images import CropImages
from realtime.representation.flow_fields import FlowFields
from train.methods.expression import teaching
from train.methods.expression.teaching import taught

ZEROS, ONES = (0.0,) * 3, (1.0,) * 3
CROPS = CropImages(48, 24, ZEROS, ONES)


class Teacher:
    """Sees how bright the left half of a picture is: the brighter, the surer it is of its favourite."""

    def __init__(self, favourite, labels=FERPLUS, representation=CROPS):
        self.favourite, self.rows = favourite, []
        self.manifest = SimpleNamespace(
            name=f"of {favourite}", labels=labels, representation=representation, files={MODEL: f"sha {favourite}"}
        )

    def run(self, inputs):
        images = inputs["images"]
        self.rows.append(len(images))
        logits = np.zeros((len(images), 8), np.float32)
        logits[:, self.favourite] = images[:, 0, :, :12].mean((1, 2))
        return {"logits": logits}


@pytest.fixture
def teachers(monkeypatch):
    """Packages by the names of their folders."""
    made = {"one": Teacher(1), "two": Teacher(2)}
    monkeypatch.setattr(teaching, "open_encoder", lambda folder: made[folder.name])
    return made


def crops(size_px):
    """Dark pictures, and one whose right half is bright."""
    greys = np.zeros((70, size_px, size_px), np.uint8)
    greys[5, :, size_px // 2 :] = 255
    return greys


def test_what_teachers_say_is_averaged_over_them_and_over_mirror_images(teachers, tmp_path):
    found = taught(["engines/one", "engines/two"], crops, 48, tmp_path)
    assert (found.shape, found.dtype) == ((70, 8), np.float32)
    assert found[0] == pytest.approx(np.full(8, 1 / 8))
    sure = np.exp(1.0) / (np.exp(1.0) + 7.0)  # of the mirrored one; the other way round it knows nothing
    assert found[5, 1] == found[5, 2] == pytest.approx(0.25 * (sure + (1 - sure) / 7 + 1 / 8 + 1 / 8))
    assert found.sum(1) == pytest.approx(np.ones(70), abs=1e-5)


def test_what_was_said_is_kept_and_not_asked_again(teachers, tmp_path):
    first = taught(["one"], crops, 48, tmp_path)
    asked = list(teachers["one"].rows)
    assert sum(asked) == 2 * 70
    assert np.array_equal(taught(["one"], crops, 48, tmp_path), first)
    assert teachers["one"].rows == asked
    taught(["one"], lambda size_px: crops(size_px)[:50], 48, tmp_path)  # of other pictures nothing is known
    assert sum(teachers["one"].rows) == 2 * 120


@pytest.mark.parametrize(
    ("labels", "representation", "reasons"),
    [
        (("none",), CropImages(48, 24, ZEROS, ONES), ["it tells none; wanted neutral"]),
        (FERPLUS, CropImages(64, 24, ZEROS, ONES), ["wanted pictures of crops of 48 px"]),
        (("none",), FlowFields(48, 28, 8, "each", 0.1, 8.0), ["it tells none", "wanted pictures of crops of 48 px"]),
    ],
)
def test_an_engine_that_judges_something_else_is_no_teacher(teachers, tmp_path, labels, representation, reasons):
    teachers["one"] = Teacher(1, labels, representation)
    with pytest.raises(EngineError, match="cannot be a teacher") as raised:
        taught(["one"], crops, 48, tmp_path)
    assert len(raised.value.reasons) == len(reasons)
    assert all(wanted in found for wanted, found in zip(reasons, raised.value.reasons, strict=True))
