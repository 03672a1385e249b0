"""Where chunks begin that show nothing of what is left out."""

import numpy as np
import pytest

from train.methods.spotter.chunks import MARGIN_S, begins
from train.spotting.films import Film
from train.spotting.happened import Happened

TICK_S, LAG_S, LENGTH = 0.02, 0.35, 50  # a chunk of a second
BLINK, GAZE = Happened("blink", 3.0, 3.3), Happened("gaze", 6.0, 6.5)


def film(*happened, seconds=10.0):
    ends = 0.2 + TICK_S * np.arange(1, round(seconds / TICK_S) + 1)
    return Film("anna", seconds, ends, np.zeros((len(ends), 4), np.float16), np.zeros((0, 4)), happened, rate_hz=50.0)


def test_where_nothing_is_left_out_a_chunk_begins_anywhere():
    given = film(BLINK, GAZE)
    assert begins(given, LENGTH, (), LAG_S).tolist() == list(range(500 - LENGTH))
    assert begins(given, LENGTH, ("turn",), LAG_S).tolist() == list(range(500 - LENGTH))


@pytest.mark.parametrize("without", [("blink",), ("gaze",), ("blink", "gaze")])
def test_no_chunk_shows_what_is_left_out_nor_the_way_back_from_it(without):
    given = film(BLINK, GAZE)
    found = begins(given, LENGTH, without, LAG_S)
    spans = [(h.onset_s - MARGIN_S, h.offset_s + LAG_S + MARGIN_S) for h in (BLINK, GAZE) if h.name in without]
    clean = [
        row
        for row in range(500 - LENGTH)
        if not any(begin < t < end for t in given.ends[row : row + LENGTH] for begin, end in spans)
    ]
    assert found.tolist() == clean
    assert 0 < len(found) < 500 - LENGTH


def test_a_film_may_have_no_room_for_a_chunk():
    crowded = film(*(Happened("blink", t, t + 0.2) for t in np.arange(0.0, 10.0, 1.3)))
    assert len(begins(crowded, LENGTH, ("blink",), LAG_S)) == 0
    assert len(begins(film(seconds=1.0), LENGTH, (), LAG_S)) == 0
    assert len(begins(film(seconds=0.5), LENGTH, (), LAG_S)) == 0
