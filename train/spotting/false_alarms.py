"""False micro-expressions of films, and what they lie on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from train.config.clips import Distractor
from train.spotting.comparison import shown
from train.spotting.detection_scores import IOU
from train.spotting.films import Film
from train.spotting.happened import under
from train.spotting.movements import Detection, Movement, match

DISTRACTORS: tuple[Distractor, ...] = get_args(Distractor)


def false_alarms(films: Sequence[Film], said: Sequence[Detection]) -> list[Detection]:
    """The micro-expressions among `said` that are none."""
    micro = [each for each in said if each.kind == "micro"]
    right = {id(found) for _, found in match(_micro(films), micro, IOU)}
    return [each for each in micro if id(each) not in right]


def early(films: Sequence[Film], calls: Sequence[Detection]) -> tuple[float, list[Detection]]:
    """The share of the micro-expressions within which an apex was told, and the calls that lie within none."""
    truth = _micro(films)
    within = [
        [each for each in truth if each.video == call.video and each.onset_s <= call.apex_s <= each.offset_s]
        for call in calls
    ]
    found = {id(each) for those in within for each in those}
    alarms = [call for call, those in zip(calls, within, strict=True) if not those]
    return len(found) / max(len(truth), 1), alarms


def lying_on(films: Sequence[Film], alarms: Sequence[Detection], lag_s: float) -> dict[Distractor, int]:
    """How many share some time with each distractor; an alarm may lie on several, or on none.

    A distractor counts until `lag_s` after its end: so long a spotter that looks so far back sees its way back.
    """
    happened = {
        film.person: [replace(each, offset_s=each.offset_s + lag_s) for each in film.happened] for film in films
    }
    counts = Counter(name for alarm in alarms for name in under(alarm, happened[alarm.video]))
    return {name: counts[name] for name in DISTRACTORS}


def surest(films: Sequence[Film], said: Sequence[Detection], share: float) -> list[Detection] | None:
    """The fewest micro-expressions among `said`, surest first, that find `share` of the true ones; None if none do."""
    truth = _micro(films)
    ranked = sorted((each for each in said if each.kind == "micro"), key=lambda each: -each.confidence)
    for count in range(1, len(ranked) + 1):
        if len(match(truth, ranked[:count], IOU)) >= share * len(truth):
            return ranked[:count]
    return None


def _micro(films: Sequence[Film]) -> list[Movement]:
    return [each for film in films for each in shown(film) if each.kind == "micro"]
