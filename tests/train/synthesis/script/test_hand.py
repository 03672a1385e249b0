import numpy as np
import pytest

from train.synthesis.script.hand import FAR, Hand, covered, reached
from train.synthesis.script.strokes import StrokeSpan

SIZE, EYE_PX = 96, 30.0
SPAN = StrokeSpan(1.0, 1.5, 2.0, 2.5)


def hand(**changes):
    parts = {"span": SPAN, "at": (0.2, 0.1), "side": 1.0, "height": 1.8, "turn_deg": 0.0, "rub": 0.0, "rub_hz": 2.0}
    return Hand(**(parts | {"shade": 1.0} | changes))


def picture(*channels):
    rng = np.random.default_rng(1)
    return rng.integers(60, 140, (SIZE, SIZE, *channels)).astype(np.uint8)


def shown(times, hands, *channels):
    times = np.array(times)
    return list(covered(iter([picture(*channels)] * len(times)), times, hands, EYE_PX))


def test_a_hand_comes_from_its_side_stays_and_goes_again():
    times = np.array([0.0, 1.5, 2.0, 3.0])
    np.testing.assert_allclose(hand().place(times), [(FAR, FAR), (0.2, 0.1), (0.2, 0.1), (FAR, FAR)], atol=1e-6)
    assert hand(side=-1.0).place(times)[0].tolist() == [-FAR, FAR]


def test_a_hand_that_rubs_is_to_and_fro_while_it_stays():
    times = np.linspace(1.5, 2.0, 51)
    across = hand(rub=0.1).place(times)[:, 0] - 0.2
    assert across.max() == pytest.approx(0.1, abs=0.01)
    assert across.min() == pytest.approx(-0.1, abs=0.01)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_pictures_stay_as_they_are_until_a_hand_comes(channels):
    before, there, after = shown([0.5, 1.7, 2.6], [hand()], *channels)
    assert np.array_equal(before, picture(*channels))
    assert np.array_equal(after, picture(*channels))
    assert there.shape == picture(*channels).shape
    assert not np.array_equal(there, picture(*channels))


def test_what_lies_behind_the_palm_is_hidden_and_what_lies_above_the_fingers_is_not():
    (seen,) = shown([1.7], [hand(at=(0.0, -0.5))])
    assert np.ptp(picture()[58:66, 44:52]) > 40
    assert np.ptp(seen[58:66, 44:52].astype(int)) < 40
    assert np.array_equal(seen[:20], picture()[:20])


def test_a_hand_has_the_brightness_of_the_face_and_its_own_shade():
    bright, dark = (shown([1.7], [hand(at=(0.0, -0.5), shade=shade)])[0][58:66, 44:52].mean() for shade in (1.0, 0.5))
    assert 60 < bright < 140  # as the picture is
    assert dark == pytest.approx(0.5 * bright, rel=0.05)


def test_hands_reach_the_face_within_a_second_and_leave():
    for seed in range(50):
        made = reached(3.0, np.random.default_rng(seed))
        assert made.span.onset == 3.0
        assert 0.4 <= made.span.apex - made.span.onset <= 0.9
        assert made.span.apex < made.span.release < made.span.offset
        assert abs(made.at[0]) < 1.0
