import numpy as np
import pytest

from realtime.representation.contract.event import EventFrames
from realtime.representation.motion_ticks import MotionTicks, motion_ticks

MADE = MotionTicks(128, 28, 7, 0.35, 1 / 60, 0.1, 64)


def ticks(count=(), side=28):
    """Random fields, head and turns of `count` ticks."""
    rng = np.random.default_rng(5)
    fields, turns = rng.normal(0, 0.01, (*count, 2, side, side)), rng.normal(0, 3.0, (*count, 3))
    return fields.astype(np.float32), np.asarray(rng.random(count), np.float32), turns.astype(np.float32)


def test_a_tick_is_what_the_formula_says():
    """Two cells a side of two values a side: u is 0.002 in the first cell, v is 0.003 and 0.001 in turn in the last."""
    field = np.zeros((2, 4, 4), np.float32)
    field[0, :2, :2] = 0.002
    field[1, 2:, 2:] = [[0.003, 0.001], [0.001, 0.003]]
    found = motion_ticks(field, np.float32(0.0399), np.array([1.5, -3.0, 60.0], np.float32), 2)
    assert (found.shape, found.dtype) == ((3 * 4 + 1 + 3,), np.float32)
    assert found[:4] == pytest.approx([np.arcsinh(1.0), 0, 0, 0])  # u of the cells, row by row
    assert found[4:8] == pytest.approx([0, 0, 0, np.arcsinh(1.0)])  # v
    still = np.log(1e-4 / 0.002)
    last = np.log((np.sqrt((0.003**2 + 0.001**2) / 2) + 1e-4) / 0.002)
    assert found[8:12] == pytest.approx([np.log(0.0021 / 0.002), still, still, last], rel=1e-4)
    assert found[12:] == pytest.approx([np.log(20.0), 0.5, -1.0, 3.0], rel=1e-5)  # head; turns, cut at 3


@pytest.mark.parametrize("count", [(), (5,), (2, 3)])
def test_ticks_are_made_one_by_one_as_all_at_once(count):
    fields, head, turns = ticks(count)
    found = motion_ticks(fields, head, turns, 7)
    assert found.shape == (*count, MADE.width - MADE.memory)
    for place in np.ndindex(*count):
        assert np.array_equal(found[place], motion_ticks(fields[place], head[place], turns[place], 7))


def test_a_mirrored_movement_makes_mirrored_cells():
    fields, head, turns = ticks()
    found = motion_ticks(fields, head, turns, 7)
    other = motion_ticks(fields[..., ::-1] * np.array([-1, 1], np.float32)[:, None, None], head, turns, 7)
    u, v, sizes = found[:147].reshape(3, 7, 7)
    mirrored = np.stack([-u[:, ::-1], v[:, ::-1], sizes[:, ::-1]])
    assert other[:147].reshape(3, 7, 7) == pytest.approx(mirrored, abs=1e-5)
    assert np.array_equal(other[147:], found[147:])


def test_its_input_is_a_tick_behind_the_memory():
    [spec] = MADE.inputs()
    assert (spec.name, spec.shape, spec.layout) == ("ticks", (-1, 64 + 3 * 49 + 1 + 3), "NC")


def test_no_event_has_ticks():
    with pytest.raises(ValueError, match="ticks are of a stream, not of an event"):
        MADE.of_event(EventFrames(np.zeros(1)), 0.0)


@pytest.mark.parametrize(("changes", "crop_px"), [({}, 64), ({"size_px": 14}, 128), ({"lag_s": 0.2}, 128)])
def test_other_crops_fields_or_lags_are_told_together(changes, crop_px):
    made = MotionTicks(128, changes.get("size_px", 28), 7, changes.get("lag_s", 0.35), 1 / 60, 0.1, 64)
    [reason] = made.misfits(None, crop_px)
    assert reason == (
        f"was trained on crops of 128 px and fields of {made.size_px} over {made.lag_s:g} s, "
        f"wanted {crop_px} px, 28 and 0.35 s: train it again"
    )


def test_a_card_says_what_it_remembers_and_what_is_new():
    assert MADE.describe() == (
        "64 numbers that it gave for the tick before, then the movement since 350 ms ago on a grid of 7 by 7, "
        "every 17 ms"
    )
