from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from realtime.representation.apex_change import ApexChange
from realtime.representation.clip_images import ClipImages
from realtime.representation.contract.event import EventFrames
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.embedding_sequence import EmbeddingSequence
from realtime.representation.flow_fields import FlowFields
from realtime.representation.movement.pooling import pooled
from train.packaging import golden
from train.packaging.golden import CANDIDATES, INT8_ROWS, golden_crops, golden_inputs, golden_motion, surest, varied

PICTURE = CropImages(48, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


class Encoder:
    """Embeds a crop as its mean colour."""

    manifest = SimpleNamespace(name="encoder", representation=PICTURE)

    def run(self, inputs):
        return {"embedding": inputs["images"].mean((2, 3))}


def faces(count):
    return list(np.random.default_rng(1).integers(0, 256, (count, 48, 48, 3), dtype=np.uint8))


def test_int8_is_checked_with_more_crops_and_others(monkeypatch):
    monkeypatch.setattr(golden, "sample_crops", faces)
    assert np.array_equal(golden_crops("fp32"), faces(4))
    assert np.array_equal(golden_crops("fp16"), faces(4))
    assert np.array_equal(golden_crops("int8"), varied(faces(CANDIDATES)))


def test_varied_crops_are_crops_and_differ_though_the_face_does_not():
    same = varied([faces(1)[0]] * 6)
    assert {(crop.shape, crop.dtype.name, crop.flags["C_CONTIGUOUS"]) for crop in same} == {
        ((48, 48, 3), "uint8", True)
    }
    assert all(np.abs(a.astype(float) - b).mean() > 5 for a, b in pairwise(same))
    assert np.array_equal(same, varied([faces(1)[0]] * 6))


def test_the_rows_next_to_a_tie_are_left_out_and_the_others_stay_in_order():
    margins = np.random.default_rng(1).permutation(CANDIDATES) / 10
    logits = np.stack([np.zeros(CANDIDATES), margins, np.full(CANDIDATES, -9.0)], 1).astype(np.float32)
    kept = surest(logits)
    assert list(kept) == sorted(kept)
    assert sorted(margins[kept]) == sorted(margins)[-INT8_ROWS:]
    assert INT8_ROWS * 0.02 >= 1  # one label may change


@pytest.fixture
def sample(monkeypatch):
    monkeypatch.setattr(golden, "sample_crops", faces)
    return faces


def test_an_event_ends_with_its_apex_and_begins_a_crop_after_the_one_before(sample):
    crops = sample(10)
    found = golden_inputs(PICTURE)
    assert list(found) == ["images"]
    assert np.array_equal(found["images"], crop_images(crops[6:10], PICTURE))
    clips = golden_inputs(ClipImages(5, PICTURE), frames=5, rows=2)["clips"]
    for row in (0, 1):
        wanted = crop_images(sample(6)[row : row + 5], PICTURE).swapaxes(0, 1)
        assert np.array_equal(clips[row], wanted)


def test_golden_changes_are_from_an_events_first_crop_to_its_last(sample):
    made = ApexChange(48, 32, 0.02, 20.0)
    event = EventFrames(np.arange(7) / 10, images=sample(7))
    assert np.array_equal(golden_inputs(made)["images"][:1], made.of_event(event, 0.6)["images"])


def test_golden_fields_are_since_an_events_first_crop(sample):
    made = FlowFields(48, 28, 3, "each", 5e-4, 8.0)
    found = golden_inputs(made)["fields"]
    assert found.shape == (4, 3, 3, 28, 28)
    event = EventFrames(np.arange(7) / 10, fields=golden_motion(sample(9)[2:]))
    assert np.array_equal(found[2:3], made.of_event(event, 0.6)["fields"])


def test_golden_embeddings_are_the_encoders_with_the_fields_behind_them_if_wanted(sample):
    plain = golden_inputs(EmbeddingSequence("encoder", "0" * 64, 4, 3), Encoder(), frames=4)["embeddings"]
    moved = golden_inputs(EmbeddingSequence("encoder", "0" * 64, 4, 3, cells=2), Encoder(), frames=4)["embeddings"]
    colours = crop_images(sample(7), PICTURE).mean((2, 3))
    assert (plain.shape, moved.shape) == ((4, 4, 3), (4, 4, 11))
    assert np.array_equal(plain[3], colours[3:7])
    assert np.array_equal(moved[..., :3], plain)
    assert np.array_equal(moved[1, :, 3:], pooled(golden_motion(sample(5)[1:]), 2))


def test_golden_embeddings_want_their_encoder(sample):
    with pytest.raises(ValueError, match="want the encoder that makes them"):
        golden_inputs(EmbeddingSequence("encoder", "0" * 64, 4, 3))
