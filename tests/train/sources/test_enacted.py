"""Pictures that play dynamic expressions, as a source: who plays on which side, and what its key knows."""

from pathlib import Path

import msgspec
import pytest

from realtime import config as realtime_config
from realtime.config import ROOT
from train.config.clips import EnactedSettings
from train.datasets.folds import Fold
from train.registry import load
from train.sources.enacted import EnactedSource
from train.synthesis.script.emotions import LABELS

replace = msgspec.structs.replace


@pytest.fixture
def source(enactment, tmp_path):
    return EnactedSource(EnactedSettings(set="", clips=enactment), tmp_path)


def test_the_shipped_clips_are_cropped_as_the_live_half_does():
    shipped = load([ROOT / "configs/methods/dynamic.toml", ROOT / "configs/data/enacted.toml"]).source
    assert shipped.clips.size_px == realtime_config.load().align.size_px


def test_the_authors_splits_are_trained_on_calibrate_and_are_tested(source, enactment):
    (fold,) = source.folds()
    assert fold == source.whole()
    split = source.split(fold)
    assert split.vocabulary.labels == LABELS
    sides = {"train": split.train, "valid": [split.calibration], "test": split.test}
    for name, casts in sides.items():
        (cast,) = casts
        assert (cast.split, cast.clips) == (name, enactment)
        assert {role.split for role in cast.roles} == {name}
        assert {role.shown for role in cast.roles} == set(LABELS)
    assert len(split.train[0]) + len(split.calibration) == len(fold.train) == len(set(fold.train))
    assert not set(fold.train) & set(fold.test)


def test_roles_that_a_fold_does_not_name_play_nowhere(source):
    whole = source.whole()
    less = source.split(Fold("less", whole.train[1:], whole.test[:3]))
    assert [role.id for role in less.test[0].roles] == list(whole.test[:3])
    assert whole.train[0] not in {role.id for role in less.train[0].roles}


def test_the_key_changes_with_the_films_and_their_roles_and_not_with_where_they_are_kept(source):
    def key(**changes):
        return EnactedSource(replace(source.settings, clips=replace(source.settings.clips, **changes)), Path("x")).key()

    assert key() == source.key()
    changed = [key(seed=2), key(frames=6), key(back=(0.1, 0.2)), key(expressive=1), key(agreed=0.4)]
    assert len({source.key(), *changed}) == 6


def test_films_are_the_same_however_many_roles_there_are(source, enactment):
    more = EnactedSource(EnactedSettings(set="", clips=replace(enactment, expressive=2, neutral=2)), source.cache)
    films, others = (each.split(each.whole()).train[0].films() for each in (source, more))
    assert films == others
