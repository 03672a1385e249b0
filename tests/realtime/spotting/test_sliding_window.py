"""Single pictures -> what stands out of its neighbours, with an engine that says how dark the brows are."""

from dataclasses import replace

import numpy as np
import pytest

from realtime import config
from realtime.spotting.detector import FaceSpotter
from realtime.spotting.sliding_window import BESIDE, MIDDLE, WINDOW, SlidingWindowScorer, standing_out

SIZE, BRIGHT, DARK = 64, 178, 77  # the engine's logits are -4 and 4


def frowning(onset, offset, seconds, rate_hz, crop):
    """A face whose brows are dark from onset to offset."""
    for t in (np.arange(round(seconds * rate_hz)) / rate_hz).tolist():
        grey = DARK if onset <= t < offset else BRIGHT
        yield crop(t, np.full((SIZE, SIZE, 3), grey, np.uint8))


def shown(engine, crops):
    """{moment: spot}."""
    scorer = SlidingWindowScorer(engine, engine.manifest.representation)
    return {spot.t: spot for crop in crops for spot in scorer.push(crop)}


def of(*parts):
    """Likelihoods of a window whose parts are as likely."""
    ticks = np.repeat(parts, (BESIDE, MIDDLE, BESIDE)).astype(np.float32)
    return ticks[:, None].repeat(3, 1)


@pytest.mark.parametrize(
    ("parts", "alone"), [((0.2, 0.9, 0.1), 0.7), ((0.1, 0.9, 0.9), 0.0), ((0.9, 0.9, 0.9), 0.0), ((0.9, 0.1, 0.9), 0.0)]
)
def test_what_is_as_likely_in_a_neighbour_is_no_micro_expression_and_no_apex(parts, alone):
    assert standing_out(of(*parts)) == pytest.approx((parts[1], alone, alone), abs=1e-6)


def test_each_label_stands_out_for_itself():
    likely = np.random.default_rng(1).random((WINDOW, 3), np.float32)
    found = standing_out(likely)
    for label in range(3):
        left, right = (sum(likely[i, label] for i in part) / 15 for part in (range(15), range(21, 36)))
        middle = sum(likely[i, label] for i in range(15, 21)) / 6
        wanted = middle if label == 0 else max(middle - max(left, right), 0.0)
        assert found[label] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("rate_hz", [30.0, 60.0, 200.0])
def test_a_short_change_stands_out_where_it_is_whatever_the_rate(dark_spotter, crop, rate_hz):
    spots = shown(dark_spotter(SIZE), frowning(0.8, 1.0, 2.0, rate_hz, crop))
    sure = max(spots.values(), key=lambda spot: spot.apex)
    assert sure.t == pytest.approx(0.9, abs=0.03)
    assert sure.expression > 0.95
    assert sure.micro == sure.apex == pytest.approx(0.96 * (1 - 0.05 / 0.25), abs=0.03)  # half of the rest is beside it
    assert max(spot.apex for t, spot in spots.items() if abs(t - 0.9) > 0.2) < 0.1


def test_a_long_change_is_an_expression_and_no_micro_expression(dark_spotter, crop):
    spots = shown(dark_spotter(SIZE), frowning(0.8, 2.2, 3.0, 60.0, crop))
    inside = [spot for t, spot in spots.items() if 0.9 < t < 2.1]
    assert min(spot.expression for spot in inside) > 0.9
    assert max(spot.micro for spot in spots.values()) < 0.25


def test_a_face_that_always_looks_so_has_no_micro_expression(dark_spotter, crop):
    spots = shown(dark_spotter(SIZE), frowning(0.0, 9.0, 1.5, 60.0, crop))
    assert {round(spot.expression, 2) for spot in spots.values()} == {0.98}
    assert max(spot.micro for spot in spots.values()) < 1e-6


def test_a_face_that_is_held_as_it_is_is_judged_once(dark_spotter, crop):
    engine, last = dark_spotter(SIZE), crop(0.0)
    scorer = SlidingWindowScorer(engine, engine.manifest.representation)
    assert len([spot for i in range(90) for spot in scorer.push(replace(last, t=i / 60))]) > 40
    assert len(engine.fed) == 1
    scorer.push(crop(1.5, np.full((SIZE, SIZE, 3), DARK, np.uint8)))
    assert len(engine.fed) == 2
    assert engine.fed[0].shape == (1, 3, 32, 32)


def test_its_micro_expressions_are_events_like_any_others(dark_spotter, crop):
    settings = config.load(
        overrides=["spotter.open=0.5", "spotter.close=0.3", "spotter.early=0.6", "spotter.micro=0.6"]
    )
    spotter, told = FaceSpotter(settings.spotter, SIZE, dark_spotter(SIZE), iter(range(1, 9))), []
    for each in frowning(0.8, 1.0, 2.0, 60.0, crop):
        told += [(type(moment).__name__, moment, each.t) for moment in spotter.push(each)]
    assert [name for name, *_ in told] == ["Onset", "Apex", "Offset"]
    (_, onset, _), (_, apex, said), (_, offset, _) = told
    assert (apex.kind, offset.kind) == ("micro", "micro")
    assert (onset.t, apex.t, offset.t) == pytest.approx((0.8, 0.9, 1.0), abs=0.05)
    assert said - apex.t <= spotter.delay_s
