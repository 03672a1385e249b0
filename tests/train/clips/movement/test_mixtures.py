"""Mixtures of what faces do: every unit beside any other, and fields that are sums of what channels do."""

from collections import Counter

import numpy as np
import pytest

from train.clips.movement.mixtures import STILL, moved_by
from train.synthesis.face import facekit
from train.synthesis.face.channels import ACTION_UNITS, INDEX, NAMES, OTHERS
from train.synthesis.face.render import Rendered
from train.synthesis.script.mixtures import LEAST, MOST, mixture
from train.synthesis.script.prototypes import SIDELESS


def drawn(count=3000):
    rng = np.random.default_rng(1)
    return np.stack([mixture(rng) for _ in range(count)])


def units(row):
    return {number for number in ACTION_UNITS if row[INDEX[f"{number}L"]] or row[INDEX[f"{number}R"]]}


def test_every_unit_is_about_as_common_as_any_other_and_so_is_every_pair():
    rows = [units(row) for row in drawn()]
    counts = Counter(unit for row in rows for unit in row)
    assert set(counts) == set(ACTION_UNITS)
    assert max(counts.values()) < 1.5 * min(counts.values())
    together = sum({1, 2} <= row for row in rows) / counts[1]
    assert together < 0.3  # of people's inner brows most go up with the outer ones


def test_units_with_sides_move_on_one_or_unevenly_and_those_without_evenly():
    rows = drawn()
    left, right = (np.array([[row[INDEX[f"{n}{side}"]] for n in ACTION_UNITS] for row in rows]) for side in "LR")
    moved, sideless = (left > 0) | (right > 0), np.array([number in SIDELESS for number in ACTION_UNITS])
    assert (left[:, sideless] == right[:, sideless]).all()
    one = ((left > 0) != (right > 0))[:, ~sideless].sum() / moved[:, ~sideless].sum()
    assert one == pytest.approx(0.4, abs=0.05)
    larger = np.maximum(left, right)[moved]
    assert larger.min() >= LEAST * 0.5
    assert np.median(larger) == pytest.approx(np.sqrt(LEAST * MOST), rel=0.2)


def test_some_show_nothing_but_what_is_no_unit():
    rows = drawn()
    others = rows[:, [INDEX[name] for name in OTHERS]].any(1)
    none = np.array([not units(row) for row in rows])
    assert 0.05 < none.mean() < 0.15
    assert others[none].all()
    assert 0.2 < others[~none].mean() < 0.4


def test_what_channels_do_together_is_the_sum_of_what_each_does(facekit_path):
    actor = Rendered(facekit.load(facekit_path), "crop", 64, np.random.default_rng(1))
    amounts = np.zeros((2, len(NAMES)), np.float32)
    for name, amount in (("12L", 0.4), ("1R", 0.3), ("jaw", 0.1)):
        amounts[1, INDEX[name]] = amount
    together, each = actor.between(amounts, STILL), moved_by(actor)
    summed = np.tensordot(amounts[1], each, 1)
    assert np.abs(summed - together).mean() < 0.05 * np.abs(together).max()
