"""The sample stream that comes with Glimpse, its truth, and how well events agree with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from realtime.schema.message import Event

FOLDER = Path(__file__).resolve().parent / "data"
VIDEO, TRUTH = FOLDER / "sample.mp4", FOLDER / "sample.json"


class Scripted(msgspec.Struct, frozen=True):
    """One scripted movement; `role` is micro, macro or blink. Seconds on the stream's clock."""

    role: str
    label: str
    onset: float
    apex: float
    offset: float


class Truth(msgspec.Struct, frozen=True):
    """Everything that happens in the stream."""

    rate_hz: float
    seconds: float
    events: list[Scripted]


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """Final micro-expression events against the truth; None where nothing was found."""

    micro: int  #: scripted micro-expressions
    found: int  #: of them
    false: int  #: micro events that lie over no scripted micro-expression
    labelled: int | None  #: found ones with the scripted class; None where the engine tells other classes
    apex_error_ms_median: float | None


def load(path: Path = TRUTH) -> Truth:
    """The truth file."""
    return msgspec.json.decode(path.read_bytes(), type=Truth)


def score(truth: Truth, events: Sequence[Event], labels: Sequence[str], until: float | None = None) -> Agreement:
    """Match final micro events one to one with the scripted ones that they overlap, nearest apex first.

    `labels` are those of the engine that judged them. `until` leaves out what was scripted to end later, and what
    lies over it, for runs that were cut short.
    """
    scripted = [e for e in truth.events if e.role == "micro"]
    comparable = {e.label for e in scripted} <= set(labels)
    wanted = [e for e in scripted if until is None or e.offset <= until]
    cut = [e for e in scripted if e not in wanted]
    given = [
        e for e in events if e.kind == "micro" and e.stage == "final" and not any(_overlap(e, true) for true in cut)
    ]
    pairs = sorted(
        (abs(event.apex_s - true.apex), i, j)
        for i, true in enumerate(wanted)
        for j, event in enumerate(given)
        if _overlap(event, true)
    )
    matched: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in matched and j not in matched.values():
            matched[i] = j
    errors = [abs(given[j].apex_s - wanted[i].apex) * 1e3 for i, j in matched.items()]
    return Agreement(
        micro=len(wanted),
        found=len(matched),
        false=len(given) - len(matched),
        labelled=sum(given[j].label == wanted[i].label for i, j in matched.items()) if comparable else None,
        apex_error_ms_median=round(float(np.median(errors)), 1) if errors else None,
    )


def _overlap(event: Event, true: Scripted) -> bool:
    end = event.apex_s if event.offset_s is None else event.offset_s
    return event.onset_s < true.offset and end > true.onset
