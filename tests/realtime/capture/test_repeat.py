from itertools import pairwise

import numpy as np
import pytest

from realtime.capture import repeat
from realtime.capture.repeat import Repeated
from realtime.records import Frame

RATE_HZ, FRAMES = 50.0, 10


class Clip:
    """Ten frames; the third number is left out."""

    rate_hz = RATE_HZ
    dropped = 1  # the third
    live = True

    def __init__(self):
        self.closed = False

    def frames(self):
        image = np.zeros((4, 4, 3), np.uint8)
        for number in range(FRAMES):
            if self.closed:
                return
            if number != 2:
                yield Frame(image, number / RATE_HZ, number, int(number == 3), 0.0)

    def close(self):
        self.closed = True


@pytest.fixture
def clips():
    return []


@pytest.fixture
def repeated(clips):
    def opened():
        clips.append(Clip())
        return clips[-1]

    return Repeated(opened)


def test_the_clock_and_the_numbers_run_on_from_loop_to_loop(repeated):
    frames = [frame for frame, _ in zip(repeated.frames(), range(3 * (FRAMES - 1)), strict=False)]
    assert [frame.index for frame in frames] == [n for n in range(3 * FRAMES) if n % FRAMES != 2]
    assert [frame.t for frame in frames] == pytest.approx([frame.index / RATE_HZ for frame in frames])
    assert all(before.t < after.t for before, after in pairwise(frames))
    assert sum(frame.gap for frame in frames) == 3


def test_each_time_it_is_opened_anew_and_the_one_before_is_closed(repeated, clips):
    for _, _ in zip(repeated.frames(), range(2 * FRAMES), strict=False):
        pass
    assert [clip.closed for clip in clips] == [True, True, False]
    repeated.close()
    assert clips[-1].closed


def test_it_ends_when_it_is_closed(repeated, clips):
    seen = 0
    for _ in repeated.frames():
        seen += 1
        if seen == 15:
            repeated.close()
    assert seen == 15
    assert len(clips) == 2


def test_what_was_left_out_is_counted_over_all_passes(repeated):
    frames = iter(repeated.frames())
    for passes in (1, 2, 3):
        for _ in range(FRAMES - 1):
            next(frames)
        assert repeated.dropped == passes
    assert repeated.live


def test_after_its_first_pass_it_rests_while_nobody_wants_it(repeated, clips, monkeypatch):
    monkeypatch.setattr(repeat, "REST_S", 0.02)
    wanted = False
    repeated.wanted = lambda: wanted
    frames = iter(repeated.frames())
    whole = [next(frames) for _ in range(FRAMES - 1)]
    assert [frame.index for frame in whole] == [n for n in range(FRAMES) if n != 2]  # the first pass, wanted or not
    resting = [next(frames) for _ in range(3)]
    assert [round(b.t - a.t, 6) for a, b in pairwise([whole[-1], *resting])] == [pytest.approx(0.04)] * 3
    assert [clip.closed for clip in clips] == [True, True, True, False]
    wanted = True
    awake = [next(frames) for _ in range(FRAMES - 2)]
    assert [round(b.t - a.t, 6) for a, b in pairwise(awake)] == [0.04, *[0.02] * (FRAMES - 4)]
    wanted = False
    assert next(frames).t == pytest.approx(awake[-1].t + 0.02 + 0.02)  # it rests in the middle of a pass too
    repeated.close()
    assert list(frames) == []
