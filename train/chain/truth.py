"""What happens in long videos: see `table` for one table of all, `scripted` for a truth file beside each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import DataError
from realtime.records import Kind
from train.spotting.movements import Movement

EXPRESSIONS: dict[str, Kind] = {"micro": "micro", "macro": "macro"}


@dataclass(frozen=True, slots=True)
class Labelled(Movement):
    """An expression; its label is "" where nobody gave it one."""

    label: str


@dataclass(frozen=True, slots=True)
class Distraction:
    """Something that is no expression; seconds on its video's clock."""

    video: str
    name: str
    onset_s: float
    offset_s: float


@dataclass(frozen=True, slots=True)
class Video:
    """One video and all that happens in it, in the order in which it was told."""

    id: str  #: as the table calls it
    path: Path
    person: str  #: "" where nobody says
    expressions: tuple[Labelled, ...]
    distractions: tuple[Distraction, ...]


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """What happens, before it is known to be an expression or none."""

    kind: str
    label: str
    onset_s: float
    apex_s: float | None
    offset_s: float

    def problem(self) -> str:
        """What is wrong with it, or ""."""
        if self.kind in EXPRESSIONS and self.apex_s is None:
            return f"a {self.kind}-expression without an apex"
        apex_s = self.onset_s if self.apex_s is None else self.apex_s
        if 0.0 <= self.onset_s <= apex_s <= self.offset_s and self.onset_s < self.offset_s:
            return ""
        return f"{self.onset_s:g}, {apex_s:g}, {self.offset_s:g} s are no onset, apex and offset in order"


def video(id: str, path: Path, person: str, events: Iterable[TrueEvent]) -> Video:
    """`events` without problems, sorted into expressions and the rest."""
    expressions, distractions = [], []
    for e in events:
        if e.kind in EXPRESSIONS and e.apex_s is not None:
            expressions.append(Labelled(id, EXPRESSIONS[e.kind], e.onset_s, e.apex_s, e.offset_s, e.label))
        else:
            distractions.append(Distraction(id, e.kind, e.onset_s, e.offset_s))
    return Video(id, path, person, tuple(expressions), tuple(distractions))


def seen(found: Video, seconds: float) -> Video:
    """`found`; DataError lists the events that begin only after its last frame."""
    events = [(e.kind, e.onset_s) for e in found.expressions] + [(d.name, d.onset_s) for d in found.distractions]
    late = [f"{kind} at {onset:g} s" for kind, onset in events if onset >= seconds]
    if late:
        raise DataError(f"{found.id} is {seconds:.2f} s long; these begin later, so correct the truth", late)
    return found


def people(videos: Iterable[Video]) -> set[str]:
    """Who is in them; DataError lists the videos of which nobody says it."""
    videos = list(videos)
    unknown = [each.id for each in videos if not each.person]
    if unknown:
        raise DataError("videos without a person: nobody may be on both sides, so name everybody", unknown)
    return {each.person for each in videos}
