"""How far files are: by their sizes, with the time that is left, on a terminal and elsewhere."""

import io

import pytest

from realtime.analysis import progress
from realtime.analysis.progress import FileProgress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    monkeypatch.setattr(progress, "time", clock := Clock())
    return clock


def test_files_count_by_their_size_and_the_rest_takes_as_long_as_what_is_done(clock):
    out = io.StringIO()
    told = FileProgress(["small.mp4", "large.mp4"], [100.0, 300.0], out)
    clock.now = 110.0
    told.tell(0, 1.0)
    assert told.share == 0.25
    told.tell(1, 1 / 3)
    assert told.line(160.0) == " 50 %, 1:00 left: large.mp4"
    told.tell(1, 0.1)  # the second of two walks over a file does not make it less
    assert told.share == 0.5


def test_where_there_is_no_terminal_a_line_comes_every_few_seconds(clock):
    out = io.StringIO()
    told = FileProgress(["a.mp4"], [1.0], out)
    for tenth in range(200):
        clock.now = 100.0 + tenth / 10
        told.tell(0, tenth / 200)
    told.close()
    lines = out.getvalue().splitlines()
    assert [line.split("%")[0].strip() for line in lines] == ["25", "50", "75"]
    assert lines[0] == "25 %, 0:15 left: a.mp4"
    assert "\r" not in out.getvalue()


def test_a_terminal_sees_one_bar_which_is_taken_away(clock):
    out = Terminal()
    with FileProgress(["a.mp4"], [0.0], out) as told:
        for share in (0.1, 0.5):
            clock.now += 1.0
            told.tell(0, share)
    shown = out.getvalue().split("\r")
    assert shown[2].startswith("[###############...............]  50 %, 0:02 left: a.mp4")
    assert shown[-2].strip() == shown[-1] == ""
    assert "\n" not in out.getvalue()


def test_hours_are_told_as_hours(clock):
    told = FileProgress(["a.mp4"], [1.0], io.StringIO())
    told.tell(0, 0.5)
    assert told.line(100.0 + 4000.0) == " 50 %, 1:06:40 left: a.mp4"
