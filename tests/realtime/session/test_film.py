"""Pictures that are recorded as they pass."""

import threading
import time

import numpy as np
import pytest

from realtime.records import Frame
from realtime.session import FilmedSource
from realtime.session.film import WAITING


class Frames:
    """A source of so many frames, as fast as they are taken."""

    rate_hz = 60.0
    dropped = 0
    live = False

    def __init__(self, count):
        self.count = count
        self.closed = 0

    def frames(self):
        for index in range(self.count):
            yield Frame(np.zeros((2, 2, 3), np.uint8), index / 60, index, gap=0, grabbed=0.0)

    def close(self):
        self.closed += 1


def test_frames_go_on_as_they_are_and_each_is_kept_in_order():
    source, kept = Frames(WAITING), []
    filmed = FilmedSource(source, kept.append)
    passed = list(filmed.frames())
    filmed.close()
    assert filmed.rate_hz == 60.0
    assert [frame.index for frame in passed] == list(range(WAITING))
    assert [frame is other for frame, other in zip(kept, passed, strict=True)] == [True] * WAITING
    assert source.closed == 1


@pytest.mark.promise(
    "a slow disk",
    "pictures are left out and counted; the stream is not held up",
    "1 of 1",
)
def test_a_slow_disk_loses_pictures_and_never_holds_up_the_stream(caplog):
    gate, kept = threading.Event(), []

    def slow(frame):
        gate.wait(10.0)
        kept.append(frame.index)

    filmed = FilmedSource(Frames(200), slow)
    began = time.monotonic()
    assert len(list(filmed.frames())) == 200
    assert time.monotonic() - began < 5.0
    gate.set()
    filmed.close()
    assert kept == sorted(kept)
    assert WAITING <= len(kept) <= WAITING + 1
    assert f"{200 - len(kept)} pictures were not recorded" in caplog.text
