"""Real people among what the network of displacement fields is shown."""

import numpy as np
import pytest
import torch

from train.clips.marked import MarkedFace
from train.datasets.marked.marks import Mark
from train.datasets.marked.playing import Playing
from train.methods.motion.real import APART_S, FRAMES, TRIES, RealFaces

SMILE = Mark(2.0, 2.3, 2.4, 2.8, "positive", "happiness")
RAISE = Mark(6.0, 6.3, 6.4, 6.8, "surprise", "surprise")
OTHER = Mark(8.0, 8.2, 8.3, 8.5, "others", "pout")
UNSURE = Mark(9.0, 9.2, 9.2, 9.4, "unsure", "")


def face(*marks, person="anna", strength=1.0, seconds=12.0):
    """One whose fields show how late it is."""
    times = np.arange(round(seconds * 30)) / 30
    rows = np.repeat((times / 100)[:, None], 2 * 28 * 28 + 4, 1).astype(np.float16)
    return MarkedFace("clip", person, Playing(1.0, strength), times, rows, marks)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(3)


def test_expressions_are_shown_from_onset_to_apex_under_their_class(generator):
    faces = RealFaces([face(SMILE, RAISE, OTHER, UNSURE)])
    drawn = [faces.event(generator) for _ in range(40)]
    assert {(excerpt.label, round(excerpt.onset, 2), round(excerpt.apex, 2)) for excerpt in drawn} == {
        ("positive", 2.0, 2.3), ("surprise", 6.0, 6.3),
    }  # fmt: skip
    assert all(len(excerpt.times) == len(excerpt.fields) for excerpt in drawn)


def test_every_class_is_as_likely_however_rare_it_is(generator):
    faces = RealFaces([face(SMILE), face(SMILE), face(SMILE), face(RAISE)])
    labels = [faces.event(generator).label for _ in range(300)]
    assert labels.count("surprise") == pytest.approx(150, abs=40)


def test_what_is_none_keeps_away_from_all_that_is_marked(generator):
    faces = RealFaces([face(SMILE, RAISE, OTHER, UNSURE), face(person="bert", strength=0.33, seconds=3.0)])
    for excerpt in (faces.anything(generator) for _ in range(200)):
        assert excerpt.label == ""
        assert len(excerpt.times) >= FRAMES
        for mark in (SMILE, RAISE, OTHER, UNSURE):
            assert excerpt.apex < mark.onset_s - APART_S or excerpt.onset > mark.offset_s + APART_S


def test_of_a_few_stretches_the_liveliest_is_shown(generator):
    faces = RealFaces([face(SMILE)])
    lively = np.mean([faces.rest(generator).apex for _ in range(200)])  # the later, the more it moves
    any_ = np.mean([faces.anything(generator).apex for _ in range(200)])
    assert lively > any_ + 1.0
    assert TRIES > 1


def test_without_anybody_there_is_nobody():
    assert not RealFaces([])
    assert not RealFaces([face()])  # no expression
    assert RealFaces([face(SMILE)])
