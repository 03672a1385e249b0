"""What a spotter is worth on films of held-out people: what it finds, and what its false alarms lie on.

Two networks cannot be compared by their false alarms at one threshold: one that is less sure has fewer of them, and
finds less. So false alarms are told twice: with the settings that serve, and with the threshold, each network's own, at
which `EQUAL` of the micro-expressions are found. That one is read off the test itself: it is good for comparing
networks, and says nothing of what serving does. An event that lasts is none, whatever the network takes it for; so
what is told at the apex, before anybody knows how long it will last, is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from realtime import config as realtime_config
from realtime.config import SpotterConfig
from realtime.engine.package.manifest import Score
from realtime.representation.movement.fields import LAG_S
from realtime.spotting.scorer import Spot
from train.evaluation.scoring import listed
from train.methods.spotter.config import SpotterTraining
from train.spotting.comparison import announced, detections, shown
from train.spotting.detection_scores import score
from train.spotting.false_alarms import early, false_alarms, lying_on, surest
from train.spotting.films import Film
from train.spotting.movements import Detection

EQUAL = 0.6  # share of the micro-expressions that are found where networks are compared

Seen = Sequence[tuple[Film, Sequence[Spot]]]
Telling = Callable[[Film, Sequence[Spot], SpotterConfig, float], list[Detection]]


def judged(seen: Seen, config: SpotterTraining) -> tuple[Score, ...]:
    """Figures of micro-expressions; those that begin with equal_ are left out where `EQUAL` of them are never found."""
    settings, films = realtime_config.load().spotter, [film for film, _ in seen]
    protocol = _protocol(films, config)
    said = _told(detections, seen, settings, config.lookback_s)
    truth = [each for film in films for each in shown(film)]
    micro = score(truth, said, {film.person: film.seconds for film in films})["micro"]
    recall, alarms = early(films, _told(announced, seen, settings, config.lookback_s))
    counts = {"micro": micro.found + micro.missed}
    figures = {
        "f1": micro.f1,
        "precision": micro.precision,
        "recall": micro.recall,
        "apex_error_median_ms": micro.apex_error_median_ms or 0.0,
        **_false(films, false_alarms(films, said)),
        "early_recall": recall,
        **{f"early_{name}": value for name, value in _false(films, alarms).items()},
    }
    found = listed(figures, protocol, counts)
    anything = _told(detections, seen, msgspec.structs.replace(settings, micro=0.0), config.lookback_s)
    enough = surest(films, anything, EQUAL)
    if enough is not None:
        protocol += f"; [spotter] micro such that {EQUAL:.0%} are found"
        equal = _false(films, false_alarms(films, enough))
        found += listed({f"equal_{name}": value for name, value in equal.items()}, protocol, counts)
    return found


def _told(telling: Telling, seen: Seen, settings: SpotterConfig, lookback_s: float) -> list[Detection]:
    return [each for film, spots in seen for each in telling(film, spots, settings, lookback_s)]


def _false(films: Sequence[Film], alarms: Sequence[Detection]) -> dict[str, float]:
    """False micro-expressions a minute, all of them and those that lie on each distractor."""
    minutes = _minutes(films)
    on = {f"false_per_minute_on_{name}": count / minutes for name, count in lying_on(films, alarms, LAG_S).items()}
    return {"false_per_minute": len(alarms) / minutes} | on


def _protocol(films: Sequence[Film], config: SpotterTraining) -> str:
    rates = ", ".join(f"{hz:g}" for hz in sorted({film.rate_hz for film in films}))
    return (
        f"{len(films)} films of held-out people, {_minutes(films):.1f} minutes with all distractors, at {rates} Hz; "
        f"IoU of 0.5; {config.epochs} epochs, fixed in advance"
    )


def _minutes(films: Sequence[Film]) -> float:
    return sum(film.seconds for film in films) / 60.0
