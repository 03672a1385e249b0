import numpy as np
import pytest

from train.synthesis.sample.actions import BLINK
from train.synthesis.sample.script import Script, ScriptedMovement, blink
from train.synthesis.script.sway import sway, wave


def movement(hold=0.0, **units):
    return ScriptedMovement("macro", "positive", units or {12: 0.8}, 1.0, 1.5, 3.0, hold=hold)


def rng(seed=1):
    return np.random.default_rng(seed)


def test_a_movement_is_nothing_outside_and_whole_at_its_apex():
    for t in (0.0, 1.0, 3.0, 9.0):
        assert movement().amount(t) == pytest.approx(0.0)
    assert movement().amount(1.5) == pytest.approx(1.0)


def test_it_rises_and_falls_along_half_a_cosine_each():
    assert movement().amount(1.25) == pytest.approx(0.5)
    assert movement().amount(1.125) == pytest.approx(0.5 - 0.5 * np.cos(np.pi / 4))
    assert movement().amount(2.25) == pytest.approx(0.5)
    levels = [movement().amount(t) for t in np.linspace(0.9, 3.1, 200)]
    top = int(np.argmax(levels))
    assert (np.diff(levels[: top + 1]) >= 0).all()
    assert (np.diff(levels[top:]) <= 0).all()


def test_a_held_apex_lasts_and_the_fall_takes_what_is_left():
    held = movement(hold=1.0)
    for t in (1.5, 2.0, 2.5):
        assert held.amount(t) == pytest.approx(1.0)
    assert held.amount(2.75) == pytest.approx(0.5)
    assert held.amount(3.0) == pytest.approx(0.0)


def test_movements_at_one_time_add_up_to_intensity_e_at_most():
    script = Script(5.0, (movement(), ScriptedMovement("micro", "positive", {12: 0.3, 6: 0.3}, 1.25, 1.5, 1.75)))
    assert script.amounts(1.5) == pytest.approx({12: 1.0, 6: 0.3})
    assert script.amounts(1.625) == pytest.approx({12: 0.8 * movement().amount(1.625) + 0.15, 6: 0.15})
    assert script.amounts(2.25) == pytest.approx({12: 0.4})
    assert script.amounts(0.5) == {}


def test_a_blink_is_short_and_closes_faster_than_it_opens():
    found = blink(2.0)
    assert (found.role, found.label, found.units) == ("blink", "", {BLINK: 1.0})
    assert found.onset == 2.0
    assert found.apex - found.onset < found.offset - found.apex
    assert 0.1 < found.offset - found.onset < 0.4


def test_a_wave_never_exceeds_its_size_and_does_sway():
    found = wave(3.0, rng())
    values = [found.at(t) for t in np.linspace(0.0, 60.0, 2000)]
    assert max(np.abs(values)) <= 3.0 + 1e-9
    assert np.std(values) > 0.3
    assert sum(found.sizes) == pytest.approx(3.0)


def test_a_wave_is_slow():
    found = wave(1.0, rng(), slow_hz=0.1, fast_hz=0.3)
    steps = np.diff([found.at(t) for t in np.arange(0.0, 60.0, 0.01)]) / 0.01
    assert np.abs(steps).max() <= 2 * np.pi * 0.3 + 1e-6  # the steepest sine of that size


def test_a_head_sways_in_every_way_and_less_in_roll_than_in_yaw():
    found = sway(rng(), degrees=4.0, shift=0.1)
    assert {name: sum(wave.sizes) for name, wave in found.items()} == pytest.approx(
        {"yaw": 4.0, "pitch": 2.4, "roll": 2.0, "x": 0.1, "y": 0.06}
    )
