from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from realtime.engine.package.manifest import MODEL
from realtime.errors import DataError, EngineError
from realtime.representation.crop_images import CropImages, crop_images
from realtime.representation.embedding_sequence import EmbeddingSequence
from train.clips import embeddings
from train.clips.clip import ClipCrops
from train.clips.embeddings import View, apply_view, draw_view, embed, open_encoder
from train.config.sections import Views
from train.datasets.annotation.sample import Sample

PICTURES = CropImages(crop_px=32, size_px=16, mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2))
VIEWS = Views(seed=1, count=3, noise=0.05, noise_probability=1.0, grey_probability=0.5)


class Encoder:
    """Embeds a crop as its mean colours; counts the crops."""

    precision, backend = "f32", "none"

    def __init__(self, sha256="a" * 64, representation=PICTURES):
        self.manifest = SimpleNamespace(name="encoder", files={MODEL: sha256}, representation=representation)
        self.crops = 0

    def run(self, inputs):
        self.crops += len(inputs["images"])
        means = inputs["images"].mean((2, 3))
        return {"embedding": np.concatenate([means, means**2], 1), "logits": means}


def clip(seed=0, frames=100, side=32, id="a"):
    crops = np.random.default_rng(seed).integers(0, 256, (frames, side, side, 3), dtype=np.uint8)
    return ClipCrops(Sample(id, "p", "negative", 0.1, 0.3, 0.5), np.arange(frames) / 60, list(crops))


def test_every_frame_is_embedded_in_order_clean_and_in_all_views(tmp_path):
    source = clip()
    found = embed([source], Encoder(), VIEWS, tmp_path)[0]
    means = crop_images(source.crops, PICTURES).mean((2, 3))
    assert found.clean == pytest.approx(np.concatenate([means, means**2], 1))
    assert found.views.shape == (3, 100, 6)
    assert found.clean.dtype == found.views.dtype == np.float32
    assert len({view.tobytes() for view in found.views} | {found.clean.tobytes()}) >= 3  # tiny noise rounds to none


def test_what_is_cached_is_not_computed_again(tmp_path):
    first, second = Encoder(), Encoder()
    before = embed([clip()], first, VIEWS, tmp_path)[0]
    after = embed([clip()], second, VIEWS, tmp_path)[0]
    assert (first.crops, second.crops) == (400, 0)
    assert np.array_equal(before.clean, after.clean)
    assert np.array_equal(before.views, after.views)


@pytest.mark.parametrize(
    "changed",
    [
        {"clip": clip(seed=1)},
        {"encoder": Encoder("b" * 64)},
        {"views": Views(seed=1, count=3, noise=0.06, noise_probability=1.0, grey_probability=0.5)},
        {"views": msgspec.structs.replace(VIEWS, seed=2)},
    ],
)
def test_anything_that_shapes_the_embeddings_makes_new_ones(tmp_path, changed):
    embed([clip()], Encoder(), VIEWS, tmp_path)
    given = {"clip": clip(), "encoder": Encoder(), "views": VIEWS} | changed
    embed([given["clip"]], given["encoder"], given["views"], tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_the_cache_of_earlier_versions_is_read(tmp_path):
    embed([clip(frames=2)], Encoder(), VIEWS, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["embeddings-abf167a07792a307.npy"]


def test_another_clip_in_the_list_changes_nothing(tmp_path):
    alone = embed([clip()], Encoder(), VIEWS, tmp_path / "a")[0]
    beside = embed([clip(5, id="b"), clip()], Encoder(), VIEWS, tmp_path / "b")[1]
    assert np.array_equal(alone.views, beside.views)


def test_a_view_is_grey_in_all_frames_or_in_none_and_its_noise_is_new_in_each(tmp_path):
    still = np.full((32, 32, 3), (90, 120, 150), np.uint8)
    noisy = apply_view(still, View(8.0, grey=False), np.random.default_rng(0)).astype(float) - still
    assert noisy.std() == pytest.approx(8.0, rel=0.05)
    grey = apply_view(still, View(0.0, grey=True), np.random.default_rng(0))
    assert len(np.unique(grey)) == 1
    frozen = ClipCrops(clip().sample, np.arange(20) / 60, [still] * 20)
    views = Views(seed=1, count=12, noise=0.0, noise_probability=0.0, grey_probability=0.5)
    for view in embed([frozen], Encoder(), views, tmp_path)[0].views:
        assert np.array_equal(view, np.repeat(view[:1], 20, axis=0))
    loud = Views(seed=1, count=2, noise=0.2, noise_probability=1.0, grey_probability=0.0)
    for view in embed([frozen], Encoder(), loud, tmp_path)[0].views:
        assert len(np.unique(view[:, 0])) > 1


def test_views_are_drawn_with_their_probabilities_and_limits():
    views = Views(seed=1, count=2, noise=0.05, noise_probability=0.5, grey_probability=0.2)
    rng = np.random.default_rng(1)
    drawn = [draw_view(views, rng) for _ in range(4000)]
    levels = np.array([view.noise for view in drawn])
    assert np.mean(levels > 0) == pytest.approx(0.5, abs=0.03)
    assert np.mean([view.grey for view in drawn]) == pytest.approx(0.2, abs=0.03)
    assert levels.max() <= 0.05 * 255
    assert levels[levels > 0].mean() == pytest.approx(0.025 * 255, rel=0.05)


def test_crops_of_another_size_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"\(24, 24, 3\).*wants 32 px"):
        embed([clip(side=24)], Encoder(), VIEWS, tmp_path)


def test_an_engine_that_takes_no_pictures_is_refused(tmp_path):
    sequence = EmbeddingSequence(encoder="encoder", encoder_sha256="a" * 64, frames=8, width=6)
    with pytest.raises(EngineError, match="cannot be the encoder"):
        embed([clip()], Encoder(representation=sequence), VIEWS, tmp_path)


def test_the_encoder_of_a_training_computes_in_f32(monkeypatch):
    opened = []
    monkeypatch.setattr(embeddings, "open_engine", lambda folder, settings: opened.append((folder, settings)))
    open_encoder(Path("engines/encoder"))
    [(folder, settings)] = opened
    assert (folder, settings.precision) == (Path("engines/encoder"), "f32")
