"""What is told of a film and what is true of it, as movements that can be compared."""

from itertools import count

import msgspec
import numpy as np
import pytest

from realtime import config
from realtime.records import Apex, Offset, Onset
from realtime.spotting.scorer import Spot
from train.spotting.comparison import announced, detections, shown, told
from train.spotting.films import MACRO, MICRO, Film
from train.spotting.movements import Movement

SETTINGS = msgspec.structs.replace(
    config.load().spotter,
    open=0.6,
    close=0.3,
    early=0.7,
    micro=0.7,
    macro=0.7,
    fall=0.3,
    micro_max_s=0.5,
    macro_max_s=5.0,
)
TICKS = np.arange(1, 301) / 50


@pytest.fixture
def film():
    """Six seconds: a micro-expression, a macro-expression."""
    expressions = np.array([(MICRO, 1.0, 1.2, 1.4), (MACRO, 3.0, 3.4, 4.5)])
    return Film("anna", 6.0, TICKS, np.zeros((300, 4), np.float16), expressions, rate_hz=50.0)


def spots(*expressions, until=6.0):
    """What a network says that knows all: of each (onset, apex, offset)."""
    for t in TICKS[until >= TICKS].tolist():
        [inside] = [e for e in expressions if e[0] <= t <= e[2]] or [None]
        near = max(np.exp(-0.5 * ((t - apex) / 0.03) ** 2) for _, apex, _ in expressions)
        yield Spot(t, 0.9 if inside else 0.1, 0.9 if inside and inside[2] - inside[0] < 0.5 else 0.1, float(near))


def test_the_expressions_of_a_film_go_by_its_person(film):
    assert shown(film) == [
        Movement("anna", "micro", 1.0, 1.2, 1.4),
        Movement("anna", "macro", 3.0, 3.4, 4.5),
    ]


def test_what_is_told_at_an_apex_is_there_before_it_is_known_how_long_it_lasts(film):
    said = [
        spot if spot.t < 3.0 else Spot(spot.t, spot.expression, 0.8, spot.apex)
        for spot in spots((1.0, 1.2, 1.4), (3.0, 3.4, 4.5))
    ]
    first, second = announced(film, said, SETTINGS, 0.1)
    for found, times in ((first, (1.0, 1.2)), (second, (3.0, 3.4))):
        assert (found.video, found.kind) == ("anna", "micro")
        assert (found.onset_s, found.apex_s) == pytest.approx(times, abs=0.03)
        assert found.apex_s < found.offset_s < found.apex_s + 0.1  # as long as it was then
        assert found.emitted_s == pytest.approx(found.offset_s + 0.1)
    assert [found.kind for found in detections(film, said, SETTINGS, 0.1)] == ["micro", "macro"]


def test_a_network_that_knows_all_is_told_to_have_found_all(film):
    micro, macro = detections(film, list(spots((1.0, 1.2, 1.4), (3.0, 3.4, 4.5))), SETTINGS, 0.1)
    assert (micro.video, micro.kind, macro.kind) == ("anna", "micro", "macro")
    for found, times in ((micro, (1.0, 1.2, 1.4)), (macro, (3.0, 3.4, 4.5))):
        assert (found.onset_s, found.apex_s, found.offset_s) == pytest.approx(times, abs=0.021)
        assert found.confidence == pytest.approx(9.0)
    assert 1.3 < micro.emitted_s < 1.4  # a lookback after its apex, and before it is over
    assert 3.6 < macro.emitted_s < 3.65  # as soon as it lasts too long for another


def test_what_is_open_when_the_film_ends_is_told_then_if_it_is_sure(film):
    [macro] = detections(film, list(spots((5.0, 5.3, 9.0))), SETTINGS, 0.1)
    assert (macro.kind, macro.offset_s) == ("macro", 6.0)
    [micro] = detections(film, list(spots((5.72, 5.82, 6.2))), SETTINGS, 0.1)  # its apex was told
    assert (micro.kind, micro.offset_s) == ("micro", 6.0)
    assert detections(film, list(spots((5.9, 6.0, 6.2))), SETTINGS, 0.1) == []  # nobody knows how it went on


def test_an_expression_that_became_another_kind_was_told_when_that_was_said():
    ids = count(3)
    event, other = next(ids), next(ids)
    moments = [
        (1.1, Onset(event, 0, 1.0)),
        (1.3, Apex(event, 0, 1.0, 1.2, "micro", 5.0)),
        (1.6, Apex(event, 0, 1.0, 1.3, "macro", 4.0)),
        (2.2, Offset(event, 0, 1.0, 1.3, 2.0, "macro", 4.0, "")),
        (3.1, Onset(other, 0, 3.0)),
        (3.3, Apex(other, 0, 3.0, 3.2, "micro", 5.0)),
        (3.9, Offset(other, 0, 3.0, 3.2, 3.8, None, 5.0, "unsure")),
        (4.2, Onset(9, 0, 4.0)),
        (4.6, Offset(9, 0, 4.0, 4.1, 4.4, "micro", 6.0, "")),
    ]
    macro, micro = told("v", moments)
    assert (macro.kind, macro.emitted_s, macro.apex_s, macro.confidence) == ("macro", 1.6, 1.3, 4.0)
    assert (micro.kind, micro.emitted_s) == ("micro", 4.6)  # no apex of it was told: the offset told it
