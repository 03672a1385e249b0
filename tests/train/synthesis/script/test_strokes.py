import numpy as np
import pytest

from train.synthesis.script.strokes import (
    MACRO_S,
    MICRO_S,
    RISE_MOST_S,
    StrokeSpan,
    ease,
    macro_length,
    macro_span,
    micro_length,
    micro_span,
)


def test_a_movement_begins_and_ends_at_rest_and_is_whole_from_apex_to_release():
    level = StrokeSpan(1.0, 1.2, 1.3, 1.6).level(np.array([0.0, 1.0, 1.1, 1.2, 1.25, 1.3, 1.45, 1.6, 9.0]))
    assert level == pytest.approx([0, 0, 0.5, 1, 1, 1, 0.5, 0, 0])


def test_rise_and_fall_have_no_jolt():
    x = np.linspace(0.0, 1.0, 1001)
    speed = np.gradient(ease(x), x)
    assert speed[0] == pytest.approx(0.0, abs=1e-3)
    assert speed.max() == pytest.approx(1.875, abs=1e-3)  # of minimum jerk, at the middle
    assert ease(np.array([-1.0, 2.0])).tolist() == [0.0, 1.0]


def test_lengths_are_those_of_the_literature():
    rng = np.random.default_rng(1)
    micro = np.array([micro_length(rng) for _ in range(4000)])
    macro = np.array([macro_length(rng) for _ in range(4000)])
    assert MICRO_S[0] <= micro.min()
    assert micro.max() <= MICRO_S[1]
    assert np.median(micro) == pytest.approx(0.32, abs=0.02)
    assert MACRO_S[0] <= macro.min()
    assert macro.max() <= MACRO_S[1]


@pytest.mark.parametrize(("draw", "length"), [(micro_span, 0.3), (micro_span, 0.5), (macro_span, 0.6), (macro_span, 4)])
def test_a_span_has_its_moments_in_order_and_its_length(draw, length):
    rng = np.random.default_rng(2)
    for _ in range(200):
        span = draw(2.0, length, rng)
        assert span.onset == 2.0 < span.apex <= span.release < span.offset
        assert span.offset == pytest.approx(2.0 + length)
        assert draw is macro_span or span.apex - span.onset <= RISE_MOST_S
