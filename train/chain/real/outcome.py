"""What was said of marked clips against what they show.

An event tells an expression if its apex lies between onset and offset (`SLACK_S` more on both sides); several may tell
one, of which the nearest apex that was not taken back counts. What is told elsewhere see `background`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from realtime.config import SpotterConfig
from realtime.labels import COMPOSITE, MEGC3
from realtime.schema.message import Event
from train.chain.labels import OTHER, recognition
from train.chain.play import ToldEvent
from train.chain.real.play import PlayedStretch
from train.datasets.annotation.labels import canonical
from train.datasets.marked.marks import Mark
from train.datasets.marked.playing import Playing

SLACK_S = 0.1  #: an apex may lie so far outside of its expression
NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of one marked expression, played in one way."""

    clip: str
    playing: Playing
    mark: Mark  #: on the clock that the pipeline saw
    event: Event | None  #: the last answer of what told it
    taken_back: bool  #: something was told, and nothing of it stayed

    @property
    def apex_error_s(self) -> float | None:
        """How far the apex was told from where the expression has its full height."""
        return None if self.event is None else _away(self.mark, self.event)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the expressions with a class (negative, positive, surprise), or of the others, played in one way."""

    speed: float
    strength: float
    marks: int
    short: int  #: of them as short as a micro-expression when played so
    told: int
    micro: int  #: told as micro; the rest of `told` as macro
    taken_back: int
    named: int  #: rightly in three classes
    uar: float | None  #: mean recall of the classes that were told at all
    confusion: dict[str, dict[str, int]]  #: class -> what it was called -> how often; `OTHER` is none of the three
    fine: int  #: told by a word of FER+ that is no class's name, or surprise
    fine_right: int  #: of them by the right one
    neutral: int  #: told as "neutral"
    apex_error_ms: float | None  #: median


def outcomes(played: Sequence[PlayedStretch]) -> list[Outcome]:
    """Of every marked expression in every way in which it was played."""
    return [found for stretch in played for found in _outcomes(stretch)]


def figures(found: Sequence[Outcome], config: SpotterConfig, *, others: bool) -> list[Figures]:
    """For each way of playing, in order; `others` asks for the expressions without one of the three classes."""
    own = [each for each in found if (each.mark.class_ == "others") == others]
    ways = dict.fromkeys(each.playing for each in own)
    return [_figures(way, [each for each in own if each.playing == way], config) for way in ways]


def coarse(label: str) -> str:
    """The class of a label, or `OTHER`."""
    known = canonical(label)
    found = COMPOSITE.get(known, known)
    return found if found in MEGC3 else OTHER


def _outcomes(stretch: PlayedStretch) -> Iterator[Outcome]:
    counting = [mark for mark in stretch.marks if mark.counts]
    telling: dict[Mark, list[ToldEvent]] = {mark: [] for mark in counting}
    for told in stretch.told:
        near = [mark for mark in counting if _within(mark, told.last)]
        if near:
            telling[min(near, key=lambda mark: _away(mark, told.last))].append(told)
    for mark, events in telling.items():
        standing = [told.last for told in events if kept(told)]
        best = min(standing, key=lambda event: _away(mark, event), default=None)
        back = best is None and any(told.answers[0].stage == "early" for told in events)
        yield Outcome(stretch.clip, stretch.playing, mark, best, back)


def _within(mark: Mark, event: Event) -> bool:
    return mark.onset_s - SLACK_S <= event.apex_s <= mark.offset_s + SLACK_S


def _away(mark: Mark, event: Event) -> float:
    return max(mark.apex_s - event.apex_s, event.apex_s - mark.held_s, 0.0)


def kept(told: ToldEvent) -> bool:
    """Whether its last answer stands."""
    return told.last.stage != "withdrawn"


def _figures(way: Playing, found: Sequence[Outcome], config: SpotterConfig) -> Figures:
    told = [(each.mark, each.event) for each in found if each.event is not None]
    errors = [1e3 * _away(mark, event) for mark, event in told]
    scored = recognition([mark.class_ for mark, _ in told], [{event.label: 1.0} for _, event in told])
    fine = [(mark, event) for mark, event in told if event.label not in {"negative", "positive"}]
    return Figures(
        speed=way.speed,
        strength=way.strength,
        marks=len(found),
        short=sum(each.mark.offset_s - each.mark.onset_s <= config.micro_max_s for each in found),
        told=len(told),
        micro=sum(event.kind == "micro" for _, event in told),
        taken_back=sum(each.taken_back for each in found),
        named=sum(coarse(event.label) == mark.class_ for mark, event in told),
        uar=scored.uar if scored else None,
        confusion=_confusion(told),
        fine=len(fine),
        fine_right=sum(canonical(event.label) == mark.label for mark, event in fine),
        neutral=sum(event.label == NEUTRAL for _, event in told),
        apex_error_ms=float(np.median(errors)) if errors else None,
    )


def _confusion(told: Sequence[tuple[Mark, Event]]) -> dict[str, dict[str, int]]:
    counts = Counter((mark.class_, coarse(event.label)) for mark, event in told)
    truth = dict.fromkeys(mark.class_ for mark, _ in told)
    return {str(name): {said: counts[name, said] for said in (*MEGC3, OTHER)} for name in sorted(truth)}
