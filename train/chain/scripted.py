"""Videos with the truth of each beside it, as the generator writes them: NAME.mp4 and NAME.json.

The form is that of realtime/demo/data/sample.json; a video's person is in it where it is known. Every video of the
folder must have its truth, or it would silently be left out.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from realtime.demo.truth import Truth
from realtime.errors import DataError
from train.chain import table
from train.chain.truth import TrueEvent, Video, video
from train.datasets.annotation.labels import canonical

TABLE = "truth.csv"
VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif")


class OfPerson(Truth, frozen=True):
    """The truth of one video, and who is in it."""

    person: str = ""


def read(data: Path) -> list[Video]:
    """The videos of a table, or of a folder with truth.csv or with truth files; one DataError lists all problems."""
    if not data.is_dir():
        return table.read(data)
    if (data / TABLE).exists():
        return table.read(data / TABLE)
    paths = sorted(path for path in data.iterdir() if path.suffix.lower() in VIDEOS)
    problems = [problem for path in paths for problem in _problems(path)]
    if problems or not paths:
        reason = f"{data} cannot be used: it has no {TABLE}, and not every video has its truth beside it"
        raise DataError(reason, problems or ["no video in it"])
    return [_video(path, _truth(path)) for path in paths]


def _problems(path: Path) -> list[str]:
    beside = path.with_suffix(".json")
    if not beside.exists():
        return [f"{path.name}: no {beside.name} beside it"]
    try:
        truth = _truth(path)
    except msgspec.DecodeError as error:
        return [f"{beside.name}: {error}"]
    return [f"{beside.name}: {event.kind}: {event.problem()}" for event in _events(truth) if event.problem()]


def _truth(path: Path) -> OfPerson:
    return msgspec.json.decode(path.with_suffix(".json").read_bytes(), type=OfPerson)


def _events(truth: Truth) -> list[TrueEvent]:
    return [TrueEvent(e.role, canonical(e.label), e.onset, e.apex, e.offset) for e in truth.events]


def _video(path: Path, truth: OfPerson) -> Video:
    return video(path.name, path, truth.person, _events(truth))
