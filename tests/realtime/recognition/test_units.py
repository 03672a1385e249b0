from types import SimpleNamespace

import numpy as np
import pytest

from realtime.recognition.units import told_by

LABELS = ("12", "12L", "12R", "26", "6+7", "6+7L", "6+7R")


def said(strength, clear):
    """What is told where the engine says so of some labels; of all others nothing is read, and nothing is clear."""

    def run(inputs):
        rows = [[given.get(label, other) for label in LABELS] for given, other in ((strength, 0.0), (clear, -1.0))]
        return {"strength": np.array(rows[:1], np.float32), "logits": np.array(rows[1:], np.float32)}

    return told_by(SimpleNamespace(manifest=SimpleNamespace(labels=LABELS), run=run), {})


def test_nothing_clear_is_nothing_told_however_strong_it_reads():
    assert said({"12": 0.9, "12L": 0.9, "26": 0.5}, {}) == ()
    assert said({"26": 0.5}, {"26": 0.0}) == ()


def test_a_clear_unit_is_told_with_both_strengths_and_no_side_that_is_not_sure():
    [unit] = said({"12": 0.4, "12L": 0.4, "12R": 0.2}, {"12": 0.1})
    assert (unit.unit, unit.side, unit.left, unit.right) == ("12", "both", pytest.approx(0.4), pytest.approx(0.2))
    assert unit.words == "lip corners up"


def test_a_side_that_is_sure_to_have_moved_more_is_told_as_such():
    [unit] = said({"12": 0.4, "12L": 0.4, "12R": 0.2}, {"12": 0.1, "12L": 0.05})
    assert (unit.side, unit.words) == ("left", "lip corners up, left more than right")
    [unit] = said({"12": 0.4, "12L": 0.01, "12R": 0.4}, {"12": 0.1, "12R": 0.05})
    assert (unit.side, unit.words) == ("right", "lip corner up, right")


def test_a_side_alone_tells_no_unit():
    assert said({"12L": 0.4}, {"12L": 0.3}) == ()


def test_a_unit_without_sides_has_one_strength():
    [unit] = said({"26": 0.3}, {"26": 0.1})
    assert (unit.side, unit.left, unit.right, unit.words) == (
        "both",
        pytest.approx(0.3),
        pytest.approx(0.3),
        "jaw down",
    )


def test_the_strongest_comes_first():
    units = said({"12": 0.2, "12L": 0.2, "12R": 0.2, "26": 0.6, "6+7": 0.4, "6+7L": 0.3, "6+7R": 0.4},
                 {"12": 1.0, "26": 0.1, "6+7": 0.2})  # fmt: skip
    assert [unit.unit for unit in units] == ["26", "6+7", "12"]


def test_readings_outside_of_what_can_be_are_cut():
    [unit] = said({"12": 1.3, "12L": 1.3, "12R": -0.1}, {"12": 0.1, "12L": 0.1})
    assert (unit.left, unit.right, unit.words) == (1.0, 0.0, "lip corner up, left")
