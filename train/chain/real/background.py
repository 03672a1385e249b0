"""What was told where nothing is marked: of speech, turns, hands and stillness.

An event there is false, unless it shares time with anything marked: that says neither. Counted where clips are played
whole at their own speed and strength, for speech played faster is none that anybody hears.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from realtime.records import Kind
from realtime.schema.message import Event
from train.chain.outcome import taken_back
from train.chain.play import ToldEvent
from train.chain.real.outcome import NEUTRAL, kept
from train.chain.real.play import PlayedStretch

APART_S = 0.2  #: so near to a mark nothing is false: what is marked ends slowly


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """An event where nothing is marked."""

    clip: str
    kind: Kind
    label: str
    confidence: float
    onset_s: float
    apex_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class Background:
    """What was told of speech, turns, hands and stillness."""

    minutes: float
    micro_per_minute: float
    macro_per_minute: float
    taken_back_per_minute: float  #: told early as micro-expressions, which they were not
    neutral: int  #: labels "neutral" among all events of the clips that were kept
    events: int  #: that were kept, marked or not
    alarms: tuple[FalseAlarm, ...]


def background(played: Sequence[PlayedStretch]) -> Background | None:
    """None where nothing was played at its own speed and strength."""
    own = [stretch for stretch in played if stretch.playing.own]
    if not own:
        return None
    minutes = max(sum(_unmarked_s(stretch) for stretch in own) / 60, 1e-9)
    alarms = [_alarm(stretch, told.last) for stretch in own for told in _stray(stretch) if kept(told)]
    back = sum(taken_back(told) for stretch in own for told in _stray(stretch))
    standing = [told.last for stretch in own for told in stretch.told if kept(told)]
    kinds = Counter(alarm.kind for alarm in alarms)
    return Background(
        minutes=minutes,
        micro_per_minute=kinds["micro"] / minutes,
        macro_per_minute=kinds["macro"] / minutes,
        taken_back_per_minute=back / minutes,
        neutral=sum(event.label == NEUTRAL for event in standing),
        events=len(standing),
        alarms=tuple(alarms),
    )


def _stray(stretch: PlayedStretch) -> list[ToldEvent]:
    """Events that share no time with anything marked, nor with a mirrored beginning."""
    taken = _marked(stretch)
    return [
        told
        for told in stretch.told
        if not any(told.last.onset_s < end and begin < _end(told.last) for begin, end in taken)
    ]


def _marked(stretch: PlayedStretch) -> list[tuple[float, float]]:
    lead = [(0.0, stretch.lead_s)] if stretch.lead_s else []
    return lead + [(mark.onset_s - APART_S, mark.offset_s + APART_S) for mark in stretch.marks]


def _unmarked_s(stretch: PlayedStretch) -> float:
    free, at = 0.0, 0.0
    for begin, end in sorted(_marked(stretch)):
        free += max(min(begin, stretch.seconds) - at, 0.0)
        at = max(at, end)
    return free + max(stretch.seconds - at, 0.0)


def _end(event: Event) -> float:
    return event.apex_s if event.offset_s is None else event.offset_s


def _alarm(stretch: PlayedStretch, event: Event) -> FalseAlarm:
    onset, apex, offset = (at - stretch.lead_s for at in (event.onset_s, event.apex_s, _end(event)))
    return FalseAlarm(stretch.clip, event.kind, event.label, event.confidence, onset, apex, offset)
