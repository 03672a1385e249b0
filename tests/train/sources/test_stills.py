"""FER+ as a source: whose splits, what names them, and what is refused."""

import msgspec
import pytest

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.errors import ConfigError, DataError
from train import registry
from train.datasets.ferplus import SPLITS
from train.sources.stills import StillsSource

replace = msgspec.structs.replace


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "ferplus.npz"
    path.write_bytes(b"some pictures")
    files = [ROOT / "configs/methods/expression.toml", ROOT / "configs/data/ferplus.toml"]
    return registry.load(files, [f"ferplus={path}"]).source


def test_the_authors_splits_are_trained_on_watched_and_tested(settings, tmp_path):
    source = StillsSource(settings, tmp_path)
    [fold] = source.folds()
    assert source.whole() == fold
    split = source.split(fold)
    (train,), (test,) = split.train, split.test
    assert (train.split, split.calibration.split, test.split) == SPLITS
    assert {(each.crop_px, each.cache) for each in (train, split.calibration, test)} == {(settings.crop_px, tmp_path)}
    assert split.vocabulary.name == "ferplus-8"
    assert source.exact([], 1) is None


def test_other_pictures_make_another_key_wherever_they_lie(settings, tmp_path):
    key = StillsSource(settings, tmp_path).key()
    moved = tmp_path / "moved.npz"
    moved.write_bytes(b"some pictures")
    assert StillsSource(replace(settings, ferplus=str(moved)), tmp_path / "elsewhere").key() == key
    moved.write_bytes(b"some more pictures")
    assert StillsSource(replace(settings, ferplus=str(moved)), tmp_path).key() != key
    assert StillsSource(replace(settings, crop_px=96), tmp_path).key() != key
    with pytest.raises(DataError, match=r"no file .*none\.npz"):
        StillsSource(replace(settings, ferplus=str(tmp_path / "none.npz")), tmp_path).key()


def test_crops_that_serving_does_not_make_are_refused(settings, tmp_path):
    assert settings.crop_px == realtime_config.load().align.size_px
    other = StillsSource(replace(settings, crop_px=96), tmp_path)
    with pytest.raises(ConfigError, match="crop_px is 96"):
        other.split(other.whole())


@pytest.mark.parametrize(
    ("method", "data", "wanted"),
    [
        ("motion", "ferplus", "synthetic or recorded"),
        ("expression", "smic-3", "ferplus"),
        ("motion", "films", "synthetic"),
    ],
)
def test_a_method_is_given_only_what_it_can_learn_from(method, data, wanted):
    files = [ROOT / f"configs/methods/{method}.toml", ROOT / f"configs/data/{data}.toml"]
    with pytest.raises(ConfigError, match=f"{method} learns from {wanted}"):
        registry.load(files)
