"""Crops -> movement -> ticks -> spots, with an engine whose answers are known."""

import numpy as np
import pytest

from realtime import config
from realtime.representation.motion_ticks import TURNS
from realtime.spotting.detector import FaceSpotter, scorer_of
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.recurrent import packed, unpacked
from realtime.spotting.scorer import PAUSE_S

LAG_S, SIZE = 0.35, 64
RATES = (30.0, 60.0, 200.0)


def times(rate_hz, seconds):
    return np.arange(round(seconds * rate_hz)) / rate_hz


def scorer(engine):
    return scorer_of(engine, LaggedFlow(LAG_S, SIZE, PAUSE_S))


def test_what_is_packed_comes_out_again():
    rng = np.random.default_rng(1)
    fields, turns = rng.random((4, 2, 28, 28), np.float32), rng.random((4, TURNS), np.float32)
    rows = np.stack([packed(field, 0.5, turn) for field, turn in zip(fields, turns, strict=True)])
    assert rows.dtype == np.float32
    for rows_of, wanted in ((rows, slice(None)), (rows[2], 2)):
        field, head, turn = unpacked(rows_of, 28)
        assert np.array_equal(field, fields[wanted])
        assert np.array_equal(turn, turns[wanted])
        assert (np.asarray(head) == 0.5).all()


class Counting:
    """An engine whose memory counts its rows from 0, and is its answer."""

    def __init__(self, leaky, **changes):
        self.manifest, self.fed = leaky(SIZE, **changes).manifest, []

    def run(self, inputs):
        self.fed.append(inputs["ticks"])
        memory = inputs["ticks"][:, :1]
        return {"logits": memory * [[0.1, -0.1, 0.0]], "memory": memory + 1.0}


def test_memory_goes_from_tick_to_tick_and_is_empty_after_a_restart(leaky_spotter, crop):
    engine = Counting(leaky_spotter, tick_s=0.1, lookback_s=0.05)
    counted = scorer(engine)
    for begin in (0.0, 7.0):
        spots = [spot for t in begin + times(64.0, 0.65) for spot in counted.push(crop(t))]
        odds = [np.exp(0.1 * number) for number in range(len(spots))]
        ends = (0.3, 0.4, 0.5, 0.6)  # half of the lag has to pass, and the tick in which it has
        assert [spot.t for spot in spots] == pytest.approx([begin + end - 0.05 for end in ends])
        assert [spot.expression for spot in spots] == pytest.approx([odd / (1 + odd) for odd in odds])
        assert [spot.micro for spot in spots] == pytest.approx([1 / (1 + odd) for odd in odds])
        assert {spot.apex for spot in spots} == {0.5}
        counted.restart()
    width = engine.manifest.representation.width
    assert {rows.shape for rows in engine.fed} == {(1, width)}
    assert {rows.dtype for rows in engine.fed} == {np.dtype(np.float32)}


def test_after_a_pause_memory_is_empty(leaky_spotter, crop):
    counted = scorer(Counting(leaky_spotter))
    before = [spot for t in times(30.0, 1.0) for spot in counted.push(crop(t))]
    again = 29 / 30 + PAUSE_S + 0.01
    after = [spot for t in again + times(30.0, 0.5) for spot in counted.push(crop(t))]
    assert before[-1].expression > after[0].expression == 0.5
    assert after[0].t > again + 0.5 * LAG_S - 0.1  # from half of the lag on, less what the network looks back


def test_a_face_that_stood_still_is_judged_from_its_first_crop_on(leaky_spotter, crop):
    engine, begin = Counting(leaky_spotter, tick_s=0.05, lookback_s=0.1), 7.0
    spotter, told = FaceSpotter(config.load().spotter, SIZE, engine, iter(range(9))), {}
    spotter.rest(crop(begin))
    for t in begin + times(40.0, 0.3):
        spotter.push(crop(t))
        told[t - begin] = spotter.score
    assert min(t for t, score in told.items() if score > 0.0) == pytest.approx(0.1, abs=1 / 40 + 1e-6)
    assert len(engine.fed) == pytest.approx((LAG_S + 0.25) / 0.05, abs=1.01)  # from a lag before the first crop on
    assert not engine.fed[0][:, 1 : 1 + 2 * 49].any()


def test_cameras_of_every_rate_give_the_same_spots(leaky_spotter, crop, moved):
    begins, peaks = {}, {}
    for rate_hz in RATES:
        leaky = scorer(leaky_spotter(SIZE))
        amounts = [(t, 1.5 * np.sin(np.pi * np.clip((t - 0.3) / 0.3, 0, 1)) ** 2) for t in times(rate_hz, 0.75)]
        spots = [spot for t, amount in amounts for spot in leaky.push(crop(t, moved(amount)))]
        assert np.diff([spot.t for spot in spots]) == pytest.approx(1 / 60)
        assert min(spot.expression for spot in spots if spot.t > 0.2) < 0.1
        begins[rate_hz] = next(spot.t for spot in spots if spot.t > 0.2 and spot.expression > 0.5)
        peaks[rate_hz] = max(spot.expression for spot in spots)
    assert np.ptp(list(begins.values())) < 1.5 / 60, begins
    assert min(peaks.values()) > 0.7, peaks
    assert np.ptp(list(peaks.values())) < 0.03, peaks
