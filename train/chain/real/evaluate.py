"""`python -m train real`: from a folder of clips to the report, and to files with every outcome."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from realtime.config import Config
from realtime.errors import DataError
from train.chain.evaluate import installed
from train.chain.real.answers import answers
from train.chain.real.background import Background, background
from train.chain.real.outcome import Figures, Outcome, coarse, figures, outcomes
from train.chain.real.play import play_all
from train.chain.real.show import lines
from train.datasets.marked.marks import FOLDER, MarkedClip, People, among, read
from train.datasets.marked.playing import Playing
from train.storage.atomic import writing

COLUMNS = (
    "clip", "class", "label", "speed", "strength", "onset", "apex", "held", "offset", "told", "taken_back", "kind",
    "told_label", "named", "told_apex", "confidence",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RealReport:
    """The figures, every outcome behind them, and what they depend on but the code and the clips."""

    people: People
    engines: dict[str, str]  #: folder -> sha256 of its model
    config: Config
    named: tuple[Figures, ...]  #: expressions with a class
    others: tuple[Figures, ...]
    background: Background | None
    outcomes: tuple[Outcome, ...]

    def text(self) -> str:
        """For people."""
        return "\n".join((f"people for {self.people}", "", *lines(self.named, self.others, self.background)))

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "people": self.people,
            "engines": self.engines,
            "expressions": [asdict(each) for each in self.named],
            "others": [asdict(each) for each in self.others],
            "background": None if self.background is None else asdict(self.background),
            "answers": [asdict(each) for each in answers(self.outcomes, self.background)],
            "configuration": msgspec.to_builtins(self.config),
        }

    def table(self) -> str:
        """A row for each expression in each way in which it was played, as CSV; times are those that were seen."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(_row, self.outcomes))
        return text.getvalue()

    def write(self, folder: Path) -> None:
        """real-PEOPLE.json and real-PEOPLE.csv."""
        for name, content in (
            (f"real-{self.people}.json", msgspec.json.format(msgspec.json.encode(self.to_dict()))),
            (f"real-{self.people}.csv", self.table().encode()),
        ):
            with writing(folder / name) as file:
                file.write(content)


def wanted(clips: Path, people: People, only: Collection[str] = (), tables: Path = FOLDER) -> list[MarkedClip]:
    """The marked clips of the folder `clips` that show `people`, of them those of `only`; DataError where none does."""
    found = [clip for clip in read(clips, tables) if clip.people == people]
    if not found:
        raise DataError(f"{tables} marks no clip of people for {people}; add one, or ask for the others")
    return among(found, only)


def evaluate(
    clips: Sequence[MarkedClip], people: People, ways: Sequence[Playing], config: Config, workers: int | None = None
) -> RealReport:
    """Play marked clips, which show `people`, in each of the `ways`, and score them."""
    played = play_all(clips, ways, config, workers)
    found = outcomes(played)
    named, others = (tuple(figures(found, config.spotter, others=rest)) for rest in (False, True))
    return RealReport(people, installed(config), config, named, others, background(played), tuple(found))


def _row(found: Outcome) -> tuple[object, ...]:
    mark, event = found.mark, found.event
    times = (f"{at:.3f}" for at in (mark.onset_s, mark.apex_s, mark.held_s, mark.offset_s))
    said = ("", "", "", "", "")
    if event is not None:
        right = int(coarse(event.label) == mark.class_)
        said = (event.kind, event.label, str(right), f"{event.apex_s:.3f}", f"{event.confidence:.3f}")
    way = (f"{found.playing.speed:g}", f"{found.playing.strength:g}")
    return (found.clip, mark.class_, mark.label, *way, *times, int(event is not None), int(found.taken_back), *said)
