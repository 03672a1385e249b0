"""The gate: what is trained is what runs live, and it tells a movement that it was taught from one that it was not."""

import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from realtime import config, gate
from realtime.apex import STILL
from realtime.errors import DataError, EngineError
from realtime.gate import Averages, Gate, signals
from realtime.motion import REGIONS
from realtime.records import Crop, Motion, Pose
from realtime.score import Scorer
from train.chain.truth import Event, video
from train.config import GateConfig
from train.tuning.gating import rows, train
from train.tuning.recordings import MATRIX, POINTS
from train.tuning.streams import NO_PICTURE, Stream, again

R = len(REGIONS)
APEX = config.load().apex
SETTINGS = GateConfig(
    train=True, leaks_s=(0.04, 0.3), hidden=(24, 8), epochs=20, rate=0.005, weight_decay=0.0, batch=256
)
SHOWN, OTHERS = (4.0, 10.0, 16.0), (7.0, 13.0, 19.0)


def stream(rate=60.0, seed=0, shown=SHOWN, others=OTHERS):
    """Expressions that move the brows, and movements of the same course and size that move mouth and eyes."""
    rng, looks = np.random.default_rng(seed), []
    for i in range(round(rate * 21)):
        t = i / rate
        regions = np.abs(rng.normal(0.003, 0.001, R)).astype(np.float32)
        rise = [max(0.0, max((1 - abs(t - at) / 0.15 for at in group), default=0.0)) for group in (shown, others)]
        regions[:3] += np.float32(0.03 * rise[0])
        regions[-3:] += np.float32(0.03 * rise[1])
        crop = Crop(1, t, NO_PICTURE, POINTS, MATRIX, Pose(0.0, 0.0, 0.0))
        looks.append((crop, Motion(t, regions, 0.02 * rise[1], 0.0, STILL), 0.0))
    events = [Event("micro", "", at - 0.15, at, at + 0.15) for at in shown]
    return Stream(video("s", Path("s"), "ann", events), 0.0, tuple(looks))


@pytest.fixture(scope="module")
def weights():
    return train([stream(seed=1), stream(30.0, seed=2)], SETTINGS, APEX, 1)


@pytest.fixture(scope="module")
def gated(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("gate") / "gate.npz"
    gate.save(path, weights)
    return msgspec.structs.replace(APEX, gate=str(path))


@pytest.mark.parametrize("rate", [30.0, 60.0, 120.0])
def test_what_it_was_taught_to_ignore_is_no_event_at_any_rate(gated, rate):
    own = stream(rate, seed=9)
    apexes = [found.apex_s for found in again(own, APEX)]
    assert apexes == pytest.approx(sorted(SHOWN + OTHERS), abs=0.05)
    assert [found.apex_s for found in again(own, gated)] == pytest.approx(SHOWN, abs=0.05)


def test_it_computes_what_torch_trained(weights):
    x, target, _ = rows(stream(seed=5), SETTINGS, APEX)
    own = Gate(weights)
    own._averages.push = lambda t, now: now
    passed = np.array([own.push(0.0, row) for row in x])
    assert passed[target == 1].mean() > 0.6
    assert passed[target == 0].mean() < 0.2
    assert train([stream(seed=1), stream(30.0, seed=2)], SETTINGS, APEX, 1).w1.tobytes() == weights.w1.tobytes()


def test_averages_leak_by_time_not_by_frames():
    now = np.array([1.0], np.float32)
    for rate in (25, 50, 200):
        averages = Averages(np.array([0.1, 1.0]))
        averages.push(0.0, 0 * now)
        for i in range(1, rate + 1):
            found = averages.push(i / rate, now)
        assert found == pytest.approx([1.0, 1 - np.exp(-10), 1 - np.exp(-1)], abs=1e-4)


def test_a_gate_takes_from_the_score_and_never_adds(gated):
    open_, closed = Scorer(APEX), Scorer(gated)
    for _, seen, _ in stream(seed=3).looks[:600]:
        scores = [scorer.push(seen) for scorer in (open_, closed)]
        assert abs(scores[1]) <= max(abs(scores[0]), 1e-3) + 3.0  # smoothing keeps a little of what was
        for scorer in (open_, closed):
            if seen.regions.max() < 0.01:
                scorer.rest(seen)


def test_a_frame_costs_less_than_a_third_of_a_millisecond(weights):
    own, now = (
        Gate(weights),
        signals(np.ones(R, np.float32), Motion(0.0, np.ones(R, np.float32), 0.1, 0.1, STILL), 0.001),
    )
    took = []
    for i in range(300):
        began = time.perf_counter()
        own.push(i / 60, now)
        took.append(time.perf_counter() - began)
    assert np.median(took) < 0.3e-3


def test_a_file_that_is_no_gate_is_named(tmp_path, weights):
    path = tmp_path / "gate.npz"
    for content in (b"", b"no zip"):
        path.write_bytes(content)
        with pytest.raises(EngineError, match="is no gate"):
            gate.load(path, R)
    with pytest.raises(EngineError, match="is no gate"):
        gate.load(tmp_path / "none.npz", R)
    gate.save(path, weights)
    with pytest.raises(EngineError, match="wanted"):
        gate.load(path, R + 1)


def test_frames_of_one_sort_train_nothing():
    with pytest.raises(DataError, match="no frame with an expression"):
        train([stream(shown=())], SETTINGS, APEX, 1)
