"""False alarms of a spotter, as it serves and where it finds as much as others."""

import numpy as np
import pytest

from realtime import config as realtime_config
from realtime.config import ROOT
from realtime.spotting.scorer import Spot
from train import registry
from train.methods.spotter.scores import judged
from train.spotting.films import MICRO, Film
from train.spotting.happened import Happened

CONFIG = registry.load([ROOT / "configs/methods/spotter.toml", ROOT / "configs/data/films.toml"]).method
TICKS = np.arange(1, 1501) / 50  # half a minute
MICROS = [(2.0, 2.1, 2.3), (8.0, 8.1, 8.3), (14.0, 14.1, 14.3)]
BLINK = (20.0, 20.1, 20.3)


@pytest.fixture
def film():
    expressions = np.array([(MICRO, *times) for times in MICROS])
    happened = (Happened("blink", 20.1, 20.25), Happened("gaze", 19.0, 20.1), Happened("turn", 5.0, 6.0))
    return Film("anna", 30.0, TICKS, np.zeros((1500, 4), np.float16), expressions, happened, rate_hz=30.0)


def spots(**sure):
    """What is said of the three micro-expressions and of the blink: how likely each is one."""
    events = dict(zip(("first", "second", "third", "blink"), (*MICROS, BLINK), strict=True))
    found = []
    for t in TICKS.tolist():
        name = next((name for name, (onset, _, offset) in events.items() if onset <= t <= offset), None)
        near = max(np.exp(-0.5 * ((t - apex) / 0.03) ** 2) for _, apex, _ in events.values())
        likely = sure[name] if name else 0.05
        found.append(Spot(t, likely, likely, float(near)))
    return found


def figures(film, **sure):
    return {score.name: score for score in judged([(film, spots(**sure))], CONFIG)}


def test_false_alarms_are_told_as_it_serves_and_where_equal_is_found(film, monkeypatch):
    settings = realtime_config.load(overrides=["spotter.open=0.65", "spotter.close=0.59", "spotter.micro=0.91"])
    monkeypatch.setattr(realtime_config, "load", lambda: settings)
    found = figures(film, first=0.99, second=0.8, third=0.7, blink=0.85)
    assert found["recall"].value == pytest.approx(1 / 3, abs=1e-4)
    assert found["false_per_minute"].value == found["false_per_minute_on_blink"].value == 0.0
    on = {name: score.value for name, score in found.items() if name.startswith("equal_false_per_minute")}
    assert on.pop("equal_false_per_minute") == 2.0  # one in half a minute
    assert on.pop("equal_false_per_minute_on_blink") == on.pop("equal_false_per_minute_on_gaze") == 2.0
    assert {name.rpartition("_")[2] for name in on} == {"speech", "mouth", "turn", "hand", "macro", "flicker", "sway"}
    assert set(on.values()) == {0.0}
    assert "such that 60% are found" in found["equal_false_per_minute"].protocol
    assert "such that" not in found["f1"].protocol
    assert found["f1"].counts == {"micro": 3}
    assert "1 films of held-out people, 0.5 minutes with all distractors, at 30 Hz" in found["f1"].protocol


def test_a_sure_false_alarm_is_one_as_it_serves_too(film):
    found = figures(film, first=0.99, second=0.98, third=0.7, blink=0.97)
    assert (found["recall"].value, found["precision"].value) == pytest.approx((2 / 3, 2 / 3), abs=1e-4)
    assert found["false_per_minute_on_blink"].value == 2.0
    assert found["equal_false_per_minute_on_blink"].value == 0.0  # enough is found by what is surer


def test_of_a_network_that_never_finds_equal_nothing_is_told_of_there(film):
    found = figures(film, first=0.99, second=0.0, third=0.0, blink=0.0)
    assert found["recall"].value == pytest.approx(1 / 3, abs=1e-4)
    assert not any(name.startswith("equal_") for name in found)


def test_what_is_told_at_the_apex_is_counted_apart(film, monkeypatch):
    settings = realtime_config.load(overrides=["spotter.early=0.8", "spotter.micro=0.95"])
    monkeypatch.setattr(realtime_config, "load", lambda: settings)
    found = figures(film, first=0.99, second=0.9, third=0.7, blink=0.9)
    assert (found["recall"].value, found["precision"].value) == pytest.approx((1 / 3, 1.0), abs=1e-4)
    assert found["early_recall"].value == pytest.approx(2 / 3, abs=1e-4)
    assert found["early_false_per_minute"].value == found["early_false_per_minute_on_blink"].value == 2.0
    assert found["early_false_per_minute_on_turn"].value == 0.0
