import math
from itertools import pairwise

import numpy as np
import pytest

from realtime.records import Frame
from train.datasets.marked.marks import Mark, moved
from train.datasets.marked.stretch import LEAD_S, Stretch, StretchSource, reflected, stretches, whole


class Flat:
    """A source of flat pictures, as grey as their number, 25 a second."""

    rate_hz, live, dropped = 25.0, False, 0

    def __init__(self, count):
        self.count, self.read, self.closed = count, 0, False

    def frames(self):
        for i in range(self.count):
            self.read = i
            yield Frame(np.full((2, 3, 3), i, np.uint8), i / self.rate_hz, i, 0, 0.0)

    def close(self):
        self.closed = True


def mark(onset, offset):
    return Mark(onset, onset + 0.1, offset - 0.1, offset, "positive", "happiness")


def played(count, stretch, speed):
    source = StretchSource(Flat(count), stretch, speed)
    frames = list(source.frames())
    assert [frame.index for frame in frames] == list(range(len(frames)))
    steps = [after.t - before.t for before, after in pairwise(frames)]
    assert steps == pytest.approx([1 / (25 * speed)] * len(steps))  # nothing but the clock changes
    return source, frames


@pytest.mark.parametrize("speed", [1.0, 2.0, 4.0, 8.0])
def test_a_stretch_has_the_pictures_of_its_clip_on_a_faster_clock(speed):
    source, frames = played(250, Stretch(1.0, 9.0, 9.0), speed)
    assert source.rate_hz == 25 * speed
    assert source.lead_s == (0.0 if speed < 8 else pytest.approx(0.0))
    assert [int(frame.image[0, 0, 0]) for frame in frames] == list(range(25, 225))
    assert frames[-1].t == pytest.approx((224 / 25 - 1.0) / speed)


def test_where_the_clip_begins_too_late_its_quiet_beginning_is_played_back_and_forth():
    source, frames = played(100, Stretch(0.0, math.inf, 0.12), 1.0)
    shown = [int(frame.image[0, 0, 0]) for frame in frames]
    assert shown[-100:] == list(range(100))
    assert set(shown[:-100]) == {0, 1, 2}  # the onset is the third
    assert all(abs(a - b) == 1 for a, b in pairwise(shown))
    onset = next(frame.t for frame in frames if frame.image[0, 0, 0] == 3)
    assert onset == pytest.approx(LEAD_S) == moved(mark(0.12, 0.4), 0.0, source.lead_s, 1.0).onset_s


def test_a_clip_that_begins_with_its_expression_stands_still_before_it():
    source, frames = played(50, Stretch(0.0, 1.0, 0.0), 4.0)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0] * 100 + list(range(25))
    assert source.lead_s == pytest.approx(LEAD_S)


def test_nothing_behind_a_stretch_is_read_and_closing_closes_the_clip():
    clip = Flat(100)
    source = StretchSource(clip, Stretch(0.0, 1.0, math.inf), 1.0)
    assert len(list(source.frames())) == 25
    assert clip.read == 25
    source.close()
    assert clip.closed


def test_stretches_leave_time_before_and_after_as_it_is_seen():
    marks = [mark(10.0, 11.0), mark(14.0, 15.0)]
    assert stretches(marks, 1.0) == [Stretch(9.0, 12.0, 10.0), Stretch(13.0, 16.0, 14.0)]
    assert stretches(marks, 2.0) == [Stretch(8.0, 17.0, 10.0)]
    assert stretches(marks, 16.0) == [Stretch(0.0, 31.0, 10.0)]
    assert stretches([mark(1.0, 9.0), mark(9.0, 9.5)], 1.0) == [Stretch(0.0, 10.5, 1.0)]
    assert (whole([]), whole(marks)) == (Stretch(0.0, math.inf, math.inf), Stretch(0.0, math.inf, 10.0))


def test_turning_round_at_both_ends():
    assert [reflected(steps, 3) for steps in range(8)] == [0, 1, 2, 1, 0, 1, 2, 1]
    assert {reflected(steps, 1) for steps in range(4)} == {0}
