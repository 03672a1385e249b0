import cv2
import numpy as np
import pytest

from realtime.errors import DataError
from realtime.labels import MEGC3
from realtime.records import Frame
from train.datasets.annotation.action_units import ActionUnit
from train.datasets.annotation.sample import Sample
from train.datasets.corpora.catalogue import load
from train.datasets.made_up import is_made_up
from train.synthesis import tree
from train.synthesis.script.prototypes import PROTOTYPES
from train.synthesis.tree import LABELS, chosen, emotion, fabricate

PLAYED = [(1, 2), (4, 7), (6, 12), (9,), (20,), (15, 17), (1, 2), (4, 7)]


def clip(id, units):
    return Sample(id, "x", "", 0.1, 0.2, 0.35, action_units=tuple(ActionUnit(n, "", "", True) for n in units))


class Made:
    """In the place of `Synthetic`: frames whose brightness is their number."""

    def __init__(self, clips):
        assert clips.film.rates_hz == (200,)
        self.people = [f"person {number}" for number in range(clips.people)]

    def sample(self, person, take):
        return clip(f"{person}, {take}", PLAYED[take % len(PLAYED)])

    def frames(self, sample):
        return [Frame(np.full((32, 32, 3), i, np.uint8), i / 200, i, 0, 0.0) for i in range(80)]


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(tree, "Synthetic", Made)
    fabricate(tmp_path / "tree", "head.npz", "ferplus.npz", people=2, per_person=3, seed=1)
    return tmp_path / "tree"


def test_the_tree_is_read_without_a_problem_as_what_was_played(root):
    dataset = load("casme2", root, None, None)
    samples = dataset.samples()
    assert [s.label for s in samples] == [*LABELS, LABELS[0]]
    assert [s.subject for s in samples] == ["sub01"] * 3 + ["sub02"] * 3
    moments = (samples[0].onset_s, samples[0].apex_s, samples[0].offset_s)
    assert moments == pytest.approx((0.1, 0.2, 0.35))
    assert dataset.frames(samples[0])[40].image.mean() == pytest.approx(40, abs=1)


def test_a_tree_says_that_its_clips_are_made_up_and_no_other_does(root):
    assert is_made_up(root)
    assert not is_made_up(root.parent)


@pytest.mark.parametrize(("people", "each"), [(4, 6), (5, 6), (3, 7), (20, 1), (7, 3), (3, 20)])
def test_every_class_has_at_least_four_clips_of_at_least_three_people(people, each):
    made = Made(tree._settings("", "", people, each, 1))
    found = chosen(made, each)
    assert len({sample.id for sample in found}) == people * each  # no clip comes twice
    for label in LABELS:
        showing = [sample.id.partition(",")[0] for sample in found if emotion(sample) == label]
        assert len(showing) >= 4
        assert len(set(showing)) >= 3


def test_every_class_is_shown_by_some_movement_that_is_really_played():
    played = {emotion(clip("", units)) for label in MEGC3 for units in PROTOTYPES[label]}
    assert played == set(LABELS)


def test_every_frame_lies_in_the_tree(root):
    pictures = sorted((root / "CASME2_RAW_selected" / "sub02" / "EP03_02").iterdir())
    assert len(pictures) == 80
    assert cv2.imread(str(pictures[0].with_name("img80.jpg"))).mean() == pytest.approx(79, abs=1)


def test_nothing_is_overwritten(root):
    with pytest.raises(DataError, match="is not empty; name a new folder"):
        fabricate(root, "head.npz", "ferplus.npz", people=2, per_person=3, seed=1)


def test_a_movement_without_a_known_unit_is_one_of_the_others():
    assert emotion(clip("0", (24,))) == "others"
