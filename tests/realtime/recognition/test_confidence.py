"""How sure an answer is told to be."""

import pytest

from realtime.recognition.confidence import calibrated, logistic, logit


@pytest.mark.parametrize("said", [0.001, 0.3, 0.5, 0.97])
def test_begin_0_and_slope_1_change_nothing(said):
    assert calibrated(said, (0.0, 1.0)) == pytest.approx(said)


def test_the_line_is_of_logits():
    assert calibrated(0.5, (-1.0, 3.0)) == pytest.approx(logistic(-1.0))
    assert calibrated(0.8, (0.5, 0.5)) == pytest.approx(logistic(0.5 + 0.5 * logit(0.8)))
    assert calibrated(0.8, (0.5, 0.5)) > calibrated(0.7, (0.5, 0.5))


@pytest.mark.parametrize("said", [0.0, 1.0])
def test_what_is_as_sure_as_can_be_stays_a_number(said):
    assert abs(calibrated(said, (800.0, 1.0)) - 1.0) < 1e-9
    assert calibrated(said, (-800.0, 1.0)) < 1e-9
    assert calibrated(said, (0.0, 1.0)) == pytest.approx(said, abs=2e-6)
