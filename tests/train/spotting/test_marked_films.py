"""Marked clips as films: what is an expression, and of what nobody is sure."""

import numpy as np
import pytest

from train.clips.marked import MarkedFace
from train.datasets.marked.marks import Mark
from train.datasets.marked.playing import Playing
from train.spotting.films import MACRO, MICRO
from train.spotting.marked_films import MARGIN_S, marked_films

TICK_S = 0.02


def face(*marks, seconds=4.0, rate_hz=30.0):
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    rows = np.repeat(times[:, None], 6, 1).astype(np.float16)
    return MarkedFace("clip", "anna", Playing(1.0, 1.0), times, rows, marks)


def test_what_is_short_is_a_micro_expression_whatever_it_is_called():
    short = Mark(1.0, 1.1, 1.2, 1.45, "positive", "happiness")
    long = Mark(2.0, 2.4, 2.6, 3.0, "others", "pout")
    [film] = marked_films([face(short, long)], TICK_S)
    assert film.expressions.tolist() == [[MICRO, 1.0, 1.1, 1.45], [MACRO, 2.0, 2.4, 3.0]]
    assert len(film.unsure) == 0
    assert (film.person, film.rate_hz) == ("anna", pytest.approx(30.0))


def test_of_a_wink_and_of_what_nobody_is_sure_nobody_is_asked():
    wink = Mark(1.0, 1.1, 1.2, 1.4, "others", "wink")
    unsure = Mark(2.0, 2.5, 2.5, 3.0, "unsure", "")
    [film] = marked_films([face(wink, unsure)], TICK_S)
    assert len(film.expressions) == 0
    assert film.unsure == pytest.approx(np.array([(1.0 - MARGIN_S, 1.4 + MARGIN_S), (2.0 - MARGIN_S, 3.0 + MARGIN_S)]))


def test_ticks_are_of_the_networks_clock_and_hold_what_was_there():
    [film] = marked_films([face()], TICK_S)
    assert np.diff(film.ends) == pytest.approx(TICK_S)
    assert film.ticks[:, 0] == pytest.approx(film.ends - TICK_S / 2, abs=3e-3)
    assert film.ticks.dtype == np.float16


def test_a_face_that_is_gone_at_once_makes_no_film():
    assert marked_films([face(seconds=0.04, rate_hz=100.0)], 0.05) == []
