"""What every scorer promises, whatever its network looks at; that it is causal stands in tests/test_causality.py."""

from types import SimpleNamespace

import numpy as np
import pytest

from realtime import config
from realtime.errors import EngineError
from realtime.records import Motion
from realtime.spotting.detector import FaceSpotter, scorer_of
from realtime.spotting.lagged_flow import LaggedFlow
from realtime.spotting.recurrent import RecurrentScorer
from realtime.spotting.scorer import PAUSE_S
from realtime.spotting.sliding_window import SlidingWindowScorer

LAG_S, SIZE = 0.35, 64
RATES = (25.0, 60.0, 200.0)
KINDS = {"leaky_spotter": RecurrentScorer, "dark_spotter": SlidingWindowScorer}


@pytest.fixture(params=KINDS)
def engine_of(request):
    """An engine class of each kind."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def scorer(engine_of):
    """A fresh scorer, as often as it is asked for."""
    return lambda: scorer_of(engine_of(SIZE), LaggedFlow(LAG_S, SIZE, PAUSE_S))


@pytest.fixture
def moving(crop, moved):
    """Crops from `begin` on, of brows that rise and fall, of light that comes and goes and of a head that turns."""

    def crops(begin, seconds, rate_hz=30.0):
        times = begin + np.arange(round(seconds * rate_hz)) / rate_hz
        swing = np.sin(6.0 * times)
        pictures = [(moved(1.5 * up) * (0.8 + 0.2 * up)).astype(np.uint8) for up in swing.tolist()]
        return [crop(t, picture, (2.0 * t, 0.0, 0.0)) for t, picture in zip(times.tolist(), pictures, strict=True)]

    return crops


def told(scorer, crops):
    return [spot for crop in crops for spot in scorer.push(crop)]


@pytest.mark.parametrize("rate_hz", RATES)
def test_a_moment_is_told_with_the_first_crop_that_comes_the_delay_after_it(scorer, moving, rate_hz):
    made, before, spots = scorer(), -np.inf, []
    for crop in moving(0.0, 1.5, rate_hz):
        for spot in made.push(crop):
            assert before < spot.t + made.delay_s + 1e-9
            assert spot.t + made.delay_s <= crop.t + 1e-9
            spots.append(spot)
        before = crop.t
    assert np.diff([spot.t for spot in spots]) == pytest.approx(1 / 60)  # of a clock of its own
    assert len(spots) > 40
    shares = np.array([(spot.expression, spot.micro, spot.apex) for spot in spots])
    assert shares.min() >= 0.0
    assert shares.max() <= 1.0
    assert np.ptp(shares[:, 0]) > 0.1  # what was shown matters


@pytest.mark.parametrize("begin", [0.0, 7.31])
def test_of_what_was_before_a_face_came_nothing_is_told(scorer, moving, begin):
    spots = told(scorer(), moving(begin, 1.0))
    assert begin <= spots[0].t < begin + 0.6
    assert all(spot.t < begin + 1.0 for spot in spots)


def test_after_a_gap_it_is_as_if_the_face_had_just_come(scorer, moving):
    first, again = moving(0.0, 1.0), moving(1.0 + PAUSE_S, 1.0)
    made = scorer()
    assert told(made, first)
    assert told(made, again) == told(scorer(), again)


def test_a_shorter_gap_loses_nothing(scorer, moving):
    first, again = moving(0.0, 1.0), moving(1.0 + 0.8 * PAUSE_S, 0.5)
    made = scorer()
    spots = told(made, first) + told(made, again)
    assert np.diff([spot.t for spot in spots]) == pytest.approx(1 / 60)


def test_after_a_restart_it_is_as_new(scorer, moving):
    made = scorer()
    assert told(made, moving(0.0, 1.0))
    made.restart()
    again = moving(1.0, 1.0)
    assert told(made, again) == told(scorer(), again)


def test_a_face_that_stood_still_before_is_judged_from_its_first_crop_on(engine_of, scorer, moving):
    crops, delay_s = moving(7.0, 0.5), scorer().delay_s
    come, stood = (FaceSpotter(config.load().spotter, SIZE, engine_of(SIZE), iter(range(9))) for _ in range(2))
    stood.rest(crops[0])
    scores = {}
    for crop in crops:
        come.push(crop), stood.push(crop)
        scores[crop.t] = come.score, stood.score
    assert min(t for t, (_, known) in scores.items() if known > 0.0) == pytest.approx(7.0 + delay_s, abs=1.5 / 30)
    assert not any(known for t, (known, _) in scores.items() if t < 7.0 + 0.5 * LAG_S)


def test_heads_have_their_fields_whatever_the_scorer_looks_at(engine_of, moving):
    spotter = FaceSpotter(config.load().spotter, SIZE, engine_of(SIZE), iter(range(9)))
    flow, found = LaggedFlow(LAG_S, SIZE, PAUSE_S), 0
    for crop in moving(0.0, 0.6) + moving(1.5, 0.6):
        spotter.push(crop)
        motion, _ = flow.push(crop) or (None, None)
        assert np.array_equal(spotter.field, np.zeros((2, 28, 28)) if motion is None else motion.field)
        found += isinstance(motion, Motion)
    assert found > 20


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_engine_is_fed_says_how_it_scores(request, kind):
    flow = LaggedFlow(LAG_S, SIZE, PAUSE_S)
    assert type(scorer_of(request.getfixturevalue(kind)(SIZE), flow)) is KINDS[kind]


def test_an_engine_that_is_no_spotter_scores_nothing(leaky_spotter):
    flow, made = LaggedFlow(LAG_S, SIZE, PAUSE_S), leaky_spotter(SIZE).manifest.representation
    other = SimpleNamespace(manifest=SimpleNamespace(name="other", task="micro-expression", representation=made))
    with pytest.raises(EngineError, match="other cannot be the spotter") as caught:
        scorer_of(other, flow)
    assert caught.value.reasons == ("it judges micro-expression from motion-ticks: name another",)
