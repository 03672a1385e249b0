import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.apex import STILL
from realtime.motion import REGIONS
from realtime.records import Motion
from realtime.score import MAD_TO_SIGMA, SAMPLES_HZ, Scorer

R = len(REGIONS)
RATE = 60.0


@pytest.fixture
def settings():
    return msgspec.structs.replace(config.load().apex, smooth_s=0.0, history_s=3.0, warmup_s=1.01)


def motion_at(t, regions):
    return Motion(t, np.asarray(regions, np.float32), 0.0, 0.0, STILL)


def noise(count, seed=0):
    return np.abs(np.random.default_rng(seed).normal(0.003, 0.001, (count, R))).astype(np.float32)


def rested(settings, rows, rate_hz=RATE):
    """A scorer that has seen these rows at rest."""
    scorer = Scorer(settings)
    for i, row in enumerate(rows):
        motion = motion_at(i / rate_hz, row)
        scorer.push(motion)
        scorer.rest(motion)
    return scorer


def test_a_score_is_the_robust_deviation_recomputed_slowly(settings):
    rows, rate = noise(40), 0.9 * SAMPLES_HZ  # so slow that each frame is a sample of rest
    scorer, seen = rested(settings, rows, rate), noise(1, seed=9)[0] + 0.01
    found = scorer.push(motion_at(40 / rate, seen))
    z = []
    for region in range(R):
        column = sorted(float(value) for value in rows[:, region])
        median = (column[19] + column[20]) / 2
        apart = sorted(abs(value - median) for value in column)
        z.append((seen[region] - median) / (MAD_TO_SIGMA * (apart[19] + apart[20]) / 2 + settings.floor))
    largest = sorted(z, reverse=True)[: settings.top_regions]
    assert found == pytest.approx(sum(largest) / len(largest), rel=1e-4)


def test_the_factor_makes_a_standard_deviation_of_the_median_deviation():
    sample = np.random.default_rng(0).normal(0, 3, 200_000)
    assert MAD_TO_SIGMA * np.median(np.abs(sample - np.median(sample))) == pytest.approx(3, rel=0.01)


def test_only_the_regions_that_move_most_count(settings):
    scorer = rested(settings, noise(60))
    two, many = np.full(R, 0.003), np.full(R, 0.003)
    two[:2] = 0.05
    many[:] = 0.05
    assert scorer.push(motion_at(1.0, two)) == pytest.approx(scorer.push(motion_at(1.02, many)), rel=0.25)
    assert scorer.push(motion_at(1.04, np.full(R, 0.003))) < 1.0


def test_rest_must_be_seen_before_there_is_a_score(settings):
    scorer = Scorer(settings)
    assert scorer.push(motion_at(0.0, np.ones(R))) == 0.0
    assert not scorer.ready


def test_warm_up_is_in_seconds(settings):
    for rate in (24.0, 60.0, 200.0):
        scorer, ready_at = Scorer(settings), None
        for i in range(round(2 * rate)):
            motion = motion_at(i / rate, noise(1)[0])
            scorer.push(motion)
            scorer.rest(motion)
            ready_at = i / rate if ready_at is None and scorer.ready else ready_at
        assert ready_at == pytest.approx(settings.warmup_s, abs=1.5 / rate)


def test_a_stream_may_begin_late(settings):
    scorer = Scorer(settings)
    for i in range(30):
        motion = motion_at(100.0 + i / RATE, noise(1)[0])
        scorer.push(motion)
        scorer.rest(motion)
    assert not scorer.ready


def test_what_is_too_old_is_forgotten(settings):
    restless, calm = 0.05 + noise(120), noise(round((settings.history_s + 0.1) * RATE), seed=1)
    aged = rested(settings, np.concatenate([restless, calm]))
    fresh = rested(settings, calm)
    movement = np.full(R, 0.02, np.float32)
    end = (len(restless) + len(calm)) / RATE
    assert aged.push(motion_at(end, movement)) == pytest.approx(
        fresh.push(motion_at(len(calm) / RATE, movement)), rel=0.15
    )


def test_frames_that_are_no_rest_do_not_shift_it(settings):
    calm = noise(90)
    quiet, eventful = rested(settings, calm), rested(settings, calm)
    for i in range(60):
        eventful.push(motion_at(1.5 + i / RATE, np.full(R, 0.08)))  # pushed, never given as rest
    probe = motion_at(2.6, np.full(R, 0.02))
    assert eventful.push(probe) == quiet.push(probe)


def test_rest_is_sampled_by_time_and_not_by_frame(settings):
    calm = 0.003 * (1 + 0.5 * np.sin(np.linspace(0, 40, 400)))[:, None] * np.ones(R, np.float32)
    fast, slow = rested(settings, calm, 195.0), rested(settings, calm[::10], 19.5)
    probe = motion_at(2.1, np.full(R, 0.01))
    assert fast.push(probe) == pytest.approx(slow.push(probe), rel=1e-4)


def test_an_unmoving_rest_still_leaves_the_floor(settings):
    scorer = rested(settings, np.full((60, R), 0.002, np.float32))
    assert scorer.push(motion_at(1.0, np.full(R, 0.002 + settings.floor))) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("rate", [30.0, 60.0, 240.0])
def test_a_step_is_smoothed_in_seconds(settings, rate):
    smooth = msgspec.structs.replace(settings, smooth_s=0.05)
    scorer = rested(smooth, np.full((round(2 * rate), R), 0.002, np.float32), rate)
    step = np.full(R, 0.002 + 10 * smooth.floor, np.float32)
    count = round(0.1 * rate)
    found = [scorer.push(motion_at(2.0 + i / rate, step)) for i in range(count)]
    assert found[-1] == pytest.approx(10 * (1 - np.exp(-count / rate / 0.05)), rel=1e-3)
    assert found == sorted(found)
