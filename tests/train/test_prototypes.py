import itertools

import numpy as np
import pytest

from realtime.labels import MEGC3
from train.datasets.action_units import parse
from train.synthesis.channels import ACTION_UNITS
from train.synthesis.prototypes import INTENSITIES, NONE, PROTOTYPES, class_of, expression


@pytest.mark.parametrize("label", [*MEGC3, NONE])
def test_an_expression_has_the_class_that_was_asked_for(label):
    rng = np.random.default_rng(3)
    for _ in range(300):
        assert class_of(part.unit for part in expression(label, ("A", "B", "C"), rng)) == label


@pytest.mark.parametrize(
    ("coding", "label"),
    [
        *[("4", "negative"), ("L4B+L7B", "negative"), ("12+6", "positive"), ("R1+R2", "surprise"), ("5A", "surprise")],
        *[("14", "negative"), ("L14C", "negative"), ("24", "negative"), ("1", NONE), ("4+12", NONE), ("99", NONE)],
    ],
)
def test_codings_are_classed_by_the_table(coding, label):
    assert class_of(parse(coding)) == label


def test_no_coding_at_all_is_of_no_class():
    assert class_of(()) == NONE


def test_every_combination_can_be_played():
    assert {unit for table in PROTOTYPES.values() for units in table for unit in units} <= set(ACTION_UNITS)


def test_intensities_follow_each_other_without_gap_and_bound_the_shares():
    bounds = list(INTENSITIES.values())
    assert all(low[1] == high[0] for low, high in itertools.pairwise(bounds))
    rng = np.random.default_rng(4)
    for letter, (low, high) in INTENSITIES.items():
        for part in expression("negative", (letter,), rng):
            assert part.unit.strength == letter
            assert 0.85 * low <= part.share <= 1.15 * high


def test_sides_are_left_or_right_or_both():
    rng = np.random.default_rng(5)
    sides = {part.unit.side for _ in range(200) for part in expression("positive", ("B",), rng)}
    assert sides == {"", "L", "R"}


def test_no_combination_has_two_classes():
    combinations = [units for table in PROTOTYPES.values() for units in table]
    assert len(set(combinations)) == len(combinations)
    assert all(list(units) == sorted(set(units)) for units in combinations)
