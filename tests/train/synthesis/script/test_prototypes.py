import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest

from realtime.labels import MEGC3
from train.datasets.annotation.action_units import parse
from train.datasets.annotation.labels import LABEL_SETS, canonical
from train.datasets.annotation.table import read_table
from train.datasets.corpora import casme2, casme3, dfme, mmew, samm
from train.synthesis.face.channels import ACTION_UNITS
from train.synthesis.script.prototypes import INTENSITIES, NONE, PROTOTYPES, expression

CLASS_OF = {units: label for label, table in PROTOTYPES.items() for units in table}


@pytest.mark.parametrize("label", [*MEGC3, NONE])
def test_an_expression_has_the_class_that_was_asked_for(label, class_of):
    rng = np.random.default_rng(3)
    for _ in range(300):
        assert class_of(part.unit for part in expression(label, ("A", "B", "C"), rng)) == label


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


TABLES = {
    "CASME2-coding-20190701.xlsx": casme2.COLUMNS,
    "SAMM.xlsx": samm.COLUMNS,
    "casme3_table.xlsx": casme3.COLUMNS,
    "DFME_testA_full_with_AU.xlsx": dfme.COLUMNS,
    "MMEW_Micro_Exp_delete_others.csv": mmew.COLUMNS,
}


def test_combinations_have_the_class_that_most_of_their_real_codings_have(annotations):
    classes, coded = LABEL_SETS["megc-3"].classes, defaultdict(Counter)
    for name, columns in TABLES.items():
        for row in read_table(annotations(name), columns):
            label = classes.get(canonical(row["label"]))
            if label in MEGC3:
                coded[tuple(sorted({unit.number for unit in parse(row["units"])}))][label] += 1
    often = {units: counts for units, counts in coded.items() if counts.total() >= 5 and units in CLASS_OF}
    assert len(often) > 20
    for units, counts in often.items():
        (label, most), second = counts.most_common(1)[0], counts.most_common(2)[1:]
        even = bool(second) and most < 2 * second[0][1]
        assert CLASS_OF[units] == (NONE if even else label), f"{units}: {counts}"
