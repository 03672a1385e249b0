import numpy as np
import pytest

from realtime.recognition.window import Encoded, Seen, Window
from realtime.records import Crop, Pose


def seen(t, *, looked=True):
    crop = Crop(1, t, np.zeros((4, 4, 3), np.uint8), np.zeros((1, 2)), np.eye(2, 3), Pose(0, 0, 0))
    encoded = Encoded(np.zeros(2, np.float32), np.zeros(3, np.float32)) if looked else None
    return Seen(crop, np.zeros((2, 28, 28), np.float32), encoded)


def times(span):
    return [one.crop.t for one in span.frames]


@pytest.fixture
def window():
    """The last second of frames at 0.0, 0.25 ... 2.0."""
    made = Window(1.0)
    for i in range(9):
        made.push(seen(i / 4))
    return made


def test_a_window_holds_its_seconds_and_no_more(window):
    assert times(window.span(-9, 9)) == [1.0, 1.25, 1.5, 1.75, 2.0]


def test_a_span_has_both_its_ends(window):
    assert times(window.span(1.25, 1.75)) == [1.25, 1.5, 1.75]


@pytest.mark.parametrize(("begin", "nearest"), [(1.3, 1.25), (1.45, 1.5), (0.2, 1.0), (7.0, 2.0)])
def test_a_span_between_frames_is_the_nearest_frame(window, begin, nearest):
    assert times(window.span(begin, begin + 0.02)) == [nearest]


def test_an_empty_window_has_nothing_to_give():
    empty = Window(1.0).span(0.0, 1.0)
    assert (empty.frames, empty.encoded) == ([], [])


def test_after_a_pause_only_the_new_frame_is_left(window):
    window.push(seen(60.0))
    assert times(window.span(0.0, 99.0)) == [60.0]


def test_how_much_is_kept_does_not_depend_on_the_rate():
    for rate in (24, 30, 60, 200):
        made = Window(2.0)
        for i in range(5 * rate):
            made.push(seen(i / rate))
        kept = times(made.span(0.0, 9.0))
        assert kept[-1] - kept[0] == pytest.approx(2.0, abs=1 / rate)


def test_the_interval_is_the_mean_between_the_frames_of_a_span(window):
    assert window.interval(1.0, 2.0) == pytest.approx(0.25)
    window.push(seen(2.75))
    assert window.interval(1.7, 3.0) == pytest.approx(0.5)
    assert window.interval(1.3, 1.6) == window.interval(5.0, 6.0) == np.inf


@pytest.fixture
def seldom():
    """Two seconds of frames at 0.0, 0.1 ... 1.9, of which the encoder sees every fourth."""
    made = Window(9.0)
    for i in range(20):
        made.push(seen(i / 10, looked=i % 4 == 0))
    return made


def test_a_span_says_which_of_its_frames_the_encoder_has_seen(seldom):
    found = seldom.span(0.35, 1.25)
    assert times(found) == pytest.approx([0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2])
    assert [one.crop.t for one, _ in found.encoded] == pytest.approx([0.4, 0.8, 1.2])
    assert all(one.encoded is encoded for one, encoded in found.encoded)


@pytest.mark.parametrize(("begin", "nearest"), [(0.5, 0.4), (0.65, 0.8), (1.9, 1.6)])
def test_a_span_that_the_encoder_has_not_seen_has_the_nearest_frame_that_it_has(seldom, begin, nearest):
    found = seldom.span(begin, begin + 0.05)
    assert [one.crop.t for one, _ in found.encoded] == [pytest.approx(nearest)]
