"""Crops -> movement over a fixed lag -> ticks -> spots, with an engine whose answers are known."""

import cv2
import numpy as np
import pytest

from realtime.errors import EngineError
from realtime.records import Crop, Pose
from realtime.representation.motion_ticks import TURNS, MotionTicks
from realtime.spotting.spotter import PAUSE_S, Memory, Sight, Spotter, packed, representation, unpacked

SIZE = 64
POINTS, MATRIX = np.zeros((1, 2), np.float32), np.eye(2, 3, dtype=np.float32)
GREY = np.full((SIZE, SIZE, 3), 127, np.uint8)
STILL = np.zeros((2, 28, 28), np.float32)
RATES = (30.0, 60.0, 200.0)


def crop(t, image=GREY, pose=(0.0, 0.0, 0.0)):
    return Crop(1, t, image, POINTS, MATRIX, Pose(*pose))


def times(rate_hz, seconds):
    return np.arange(round(seconds * rate_hz)) / rate_hz


@pytest.fixture(scope="module")
def moved():
    """A picture in which the left brow has risen by so many px."""
    noise = cv2.GaussianBlur(np.random.default_rng(3).uniform(0, 255, (SIZE, SIZE, 3)), (0, 0), 1.5)
    texture = cv2.normalize(noise.astype(np.float32), None, 20, 235, cv2.NORM_MINMAX)
    x, y = np.meshgrid(np.arange(SIZE, dtype=np.float32), np.arange(SIZE, dtype=np.float32))
    near = np.exp(-((x - 20) ** 2 + (y - 18) ** 2) / (2 * 5.0**2))

    def picture(amount):
        return cv2.remap(texture, x, (y + amount * near).astype(np.float32), cv2.INTER_LINEAR).astype(np.uint8)

    return picture


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_crop_is_held_against_the_newest_that_is_older_than_the_lag(rate_hz):
    sight, turned = Sight(0.35, SIZE), {}
    for t in times(rate_hz, 0.6):
        found = sight.push(crop(t, pose=(t, 10.0 * t, -2.0 * t)))
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


def test_a_rise_is_seen_as_upwards_for_a_lag_and_then_as_nothing(moved):
    sight = Sight(0.35, SIZE)
    seen = {t: sight.push(crop(t, moved(2.0 * (t >= 0.5)))) for t in np.round(np.arange(0.0, 1.2, 0.05), 2)}
    brow = {t: found[0].field[1, 6:10, 7:11].mean() for t, found in seen.items() if found is not None}
    assert abs(brow[0.4]) < 1e-3
    assert brow[0.5] == pytest.approx(brow[0.8], rel=0.05)
    assert brow[0.8] < -0.01  # up is negative
    assert abs(brow[1.0]) < 1e-3


def test_a_sight_that_starts_again_knows_nothing_of_before():
    sight = Sight(0.35, SIZE)
    found = [sight.push(crop(t, pose=(t, 0, 0))) for t in times(30.0, 1.0)]
    assert found[-1] is not None
    sight.restart()
    assert sight.push(crop(1.0, pose=(50.0, 0, 0))) is None
    _, turned = sight.push(crop(1.2, pose=(53.0, 0, 0)))
    assert turned.tolist() == [3.0, 0.0, 0.0]


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_face_that_stood_still_before_its_first_crop_is_seen_from_then_on(rate_hz, moved):
    sight, rising = Sight(0.35, SIZE), times(rate_hz, 0.3)
    sight.rest(crop(0.0, moved(0.0)))
    found = [sight.push(crop(t, moved(2.0 * t / 0.3), pose=(10.0 * t, 0.0, 0.0))) for t in rising]
    brow = [motion.field[1, 6:10, 7:11].mean() for motion, _ in found]
    assert abs(brow[0]) < 1e-4
    assert np.all(np.diff(brow[:: max(round(rate_hz / 30), 1)]) < 0)  # up is negative
    assert [float(turns[0]) for _, turns in found] == pytest.approx(10.0 * rising)


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


def test_memory_goes_from_tick_to_tick_and_is_empty_after_a_restart(leaky_spotter):
    engine = Counting(leaky_spotter, tick_s=0.1, lookback_s=0.25)
    memory = Memory(engine)
    for begin in (0.0, 7.0):
        spots = [spot for t in begin + times(40.0, 0.525) for spot in memory.push(t, STILL, 0.0, np.zeros(3))]
        odds = [np.exp(0.1 * number) for number in range(len(spots))]
        assert [spot.t for spot in spots] == pytest.approx([begin + end - 0.25 for end in (0.2, 0.3, 0.4, 0.5)])
        assert [spot.expression for spot in spots] == pytest.approx([odd / (1 + odd) for odd in odds])
        assert [spot.micro for spot in spots] == pytest.approx([1 / (1 + odd) for odd in odds])
        assert {spot.apex for spot in spots} == {0.5}
        memory.restart()
    width = engine.manifest.representation.width
    assert {rows.shape for rows in engine.fed} == {(1, width)}
    assert {rows.dtype for rows in engine.fed} == {np.dtype(np.float32)}


@pytest.mark.parametrize("rested", [False, True])
def test_after_a_pause_nothing_is_known_of_what_came_before(leaky_spotter, rested):
    engine = Counting(leaky_spotter)
    spotter = Spotter(engine, SIZE, rested=rested)
    before = [spot for t in times(30.0, 1.0) for spot in spotter.push(crop(t))]
    assert spotter.seen is not None
    again = 29 / 30 + PAUSE_S + 0.01
    assert spotter.push(crop(again)) == []
    assert spotter.seen is None
    after = [spot for t in times(30.0, 0.5)[1:] for spot in spotter.push(crop(again + t))]
    assert before[-1].expression > after[0].expression == 0.5
    assert after[0].t > again + 0.5 * 0.35 - 0.1  # from half of the lag on, less what the network looks back


def test_of_a_face_that_rested_the_first_crop_is_the_first_moment_that_is_judged(leaky_spotter):
    engine = Counting(leaky_spotter, tick_s=0.05, lookback_s=0.1)
    spotter, begin = Spotter(engine, SIZE, rested=True), 7.0
    told = [(t, spot.t) for t in begin + times(40.0, 0.3) for spot in spotter.push(crop(t))]
    assert told[0] == pytest.approx((begin + 0.1, begin), abs=1 / 40 + 1e-6)
    ticks = (0.35 + told[-1][0] - begin) / 0.05  # from a lag before the first crop on
    assert len(engine.fed) == pytest.approx(ticks, abs=1.01)
    assert not engine.fed[0][:, 1 : 1 + 2 * 49].any()


def test_a_shorter_pause_loses_nothing(leaky_spotter):
    spotter = Spotter(Counting(leaky_spotter), SIZE)
    before = [spot for t in times(30.0, 1.0) for spot in spotter.push(crop(t))]
    after = spotter.push(crop(29 / 30 + 0.9 * PAUSE_S))
    assert after[0].expression > before[-1].expression
    assert np.diff([spot.t for spot in before[-1:] + after]) == pytest.approx(1 / 60)


def test_cameras_of_every_rate_give_the_same_spots(leaky_spotter, moved):
    begins, peaks = {}, {}
    for rate_hz in RATES:
        spotter = Spotter(leaky_spotter(SIZE), SIZE)
        amounts = [(t, 1.5 * np.sin(np.pi * np.clip((t - 0.3) / 0.3, 0, 1)) ** 2) for t in times(rate_hz, 0.75)]
        spots = [spot for t, amount in amounts for spot in spotter.push(crop(t, moved(amount)))]
        assert np.diff([spot.t for spot in spots]) == pytest.approx(1 / 60)
        assert min(spot.expression for spot in spots if spot.t > 0.2) < 0.1
        begins[rate_hz] = next(spot.t for spot in spots if spot.t > 0.2 and spot.expression > 0.5)
        peaks[rate_hz] = max(spot.expression for spot in spots)
    assert np.ptp(list(begins.values())) < 1.5 / 60, begins
    assert min(peaks.values()) > 0.7, peaks
    assert np.ptp(list(peaks.values())) < 0.03, peaks


def test_an_engine_that_is_no_spotter_is_refused(leaky_spotter):
    engine = leaky_spotter(SIZE)
    assert representation(engine) == MotionTicks(SIZE, 28, 7, 0.35, 1 / 60, 0.1, 1)
    engine.manifest.task = "micro-expression"
    with pytest.raises(EngineError, match="leaky cannot be the spotter") as caught:
        Spotter(engine, SIZE)
    assert caught.value.reasons == ("it judges micro-expression: name another",)
