"""Crops -> movement over a fixed lag, of pictures whose movement is known."""

import math
from dataclasses import replace

import numpy as np
import pytest

from realtime.spotting.lagged_flow import KEPT, LaggedFlow, stood

LAG_S, SIZE = 0.35, 64
RATES = (30.0, 60.0, 200.0)


def times(rate_hz, seconds):
    return np.arange(round(seconds * rate_hz)) / rate_hz


@pytest.fixture
def flow():
    return LaggedFlow(LAG_S, SIZE, pause_s=0.5)


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_crop_is_held_against_the_newest_that_is_older_than_the_lag(rate_hz, flow, crop):
    turned = {}
    for t in times(rate_hz, 0.6):
        found = flow.push(crop(t, pose=(t, 10.0 * t, -2.0 * t)))
        if found is not None:
            motion, turned[t] = found
            assert motion.t == t
    ages = np.array([float(yaw) for yaw, *_ in turned.values()])  # a degree a second
    assert min(turned) == pytest.approx(0.175, abs=1 / rate_hz)  # from half of the lag on, against the first
    seen = np.array(list(turned))
    assert ages[seen < 0.35] == pytest.approx(seen[seen < 0.35], abs=1e-6)
    assert ages[seen > 0.36].min() >= 0.35 - 1e-6
    assert ages[seen > 0.36].max() <= 0.35 + 1 / rate_hz + 1e-6
    assert np.stack(list(turned.values())) == pytest.approx(ages[:, None] * (1.0, 10.0, -2.0), rel=1e-4)


def test_a_rise_is_seen_as_upwards_for_a_lag_and_then_as_nothing(flow, crop, moved):
    seen = {t: flow.push(crop(t, moved(2.0 * (t >= 0.5)))) for t in np.round(np.arange(0.0, 1.2, 0.05), 2)}
    brow = {t: found[0].field[1, 6:10, 7:11].mean() for t, found in seen.items() if found is not None}
    assert abs(brow[0.4]) < 1e-3
    assert brow[0.5] == pytest.approx(brow[0.8], rel=0.05)
    assert brow[0.8] < -0.01  # up is negative
    assert abs(brow[1.0]) < 1e-3


def test_a_flow_that_starts_again_knows_nothing_of_before(flow, crop):
    found = [flow.push(crop(t, pose=(t, 0, 0))) for t in times(30.0, 1.0)]
    assert found[-1] is not None
    flow.restart()
    assert flow.push(crop(1.0, pose=(50.0, 0, 0))) is None
    _, turned = flow.push(crop(1.2, pose=(53.0, 0, 0)))
    assert turned.tolist() == [3.0, 0.0, 0.0]


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_face_that_stood_still_before_its_first_crop_is_seen_from_then_on(rate_hz, flow, crop, moved):
    rising = times(rate_hz, 0.3)
    flow.push(replace(crop(0.0, moved(0.0)), t=-LAG_S))
    found = [flow.push(crop(t, moved(2.0 * t / 0.3), pose=(10.0 * t, 0.0, 0.0))) for t in rising]
    brow = [motion.field[1, 6:10, 7:11].mean() for motion, _ in found]
    assert abs(brow[0]) < 1e-4
    assert np.all(np.diff(brow[:: max(round(rate_hz / 30), 1)]) < 0)  # up is negative
    assert [float(turns[0]) for _, turns in found] == pytest.approx(10.0 * rising)


def test_after_a_pause_it_begins_anew_and_only_then(crop):
    for pause_s, known in ((0.5, False), (0.7, True), (math.inf, True)):
        flow = LaggedFlow(LAG_S, SIZE, pause_s)
        for t in times(30.0, 0.5):
            flow.push(crop(t))
        assert (flow.push(crop(1.1)) is not None) == known


def test_whoever_asks_of_the_newest_crop_gets_what_was_measured(flow, crop, moved):
    crops = [crop(t, moved(t)) for t in times(30.0, 0.6)]
    once = [flow.push(each) for each in crops]
    again = LaggedFlow(LAG_S, SIZE, pause_s=0.5)
    for each, (found, same) in zip(once, [(again.push(each), again.push(each)) for each in crops], strict=True):
        assert found is same
        assert (found is None) == (each is None)
        assert found is None or np.array_equal(found[0].field, each[0].field)
    assert sum(found is not None for found in once) > 10


def test_another_thread_may_have_measured_the_newest_crops_before_they_are_asked_for(flow, crop, moved):
    crops = [*stood(crop(0.0, moved(0.0))), *(crop(t, moved(t)) for t in times(30.0, 1.0))]
    alone = LaggedFlow(LAG_S, SIZE, pause_s=0.5)
    for first in range(0, len(crops), KEPT):
        ahead = crops[first : first + KEPT]
        for each in ahead:
            flow.push(each)
        found = [flow.push(replace(each)) for each in ahead]  # of the same picture, so it need be no same record
        for each, wanted in zip(found, map(alone.push, ahead), strict=True):
            assert (each is None) == (wanted is None)
            assert each is None or np.array_equal(each[0].field, wanted[0].field)


def test_what_was_before_a_pause_may_be_asked_for_after_it(flow, crop):
    early = [crop(t, pose=(t, 0, 0)) for t in times(30.0, 0.4)]
    found = [flow.push(each) for each in early]
    assert flow.push(crop(2.0)) is None
    assert [flow.push(each) for each in early[-3:]] == found[-3:]
    assert found[-1] is not None
